/** Two ends of a connection in this process. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface ConnectedSockets extends Disposable {
  readonly reader: Socket
  readonly writer: Socket
}

/** Over loopback; nothing is read before somebody asks `reader`. */
export async function connectedSockets(): Promise<ConnectedSockets> {
  const { promise: accepted, resolve } = Promise.withResolvers<Socket>()
  const server = createServer(resolve).listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  const reader = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const writer = await accepted
  return {
    reader,
    writer,
    [Symbol.dispose]: () => {
      for (const each of [reader, writer]) each.destroy()
      server.close()
    },
  }
}
