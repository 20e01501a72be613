/** HTTPS in front of a server that speaks plain HTTP, as a proxy gives it: bytes are passed on as they are. */
import { connect, type Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { Certificate } from './certificates.ts'

export interface TlsRelay extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string
}

/** Before the port of this machine that `port` gives, which may change from connection to connection. */
export async function startTlsRelay({ certificate, key }: Certificate, port: () => number): Promise<TlsRelay> {
  const sockets = new Set<Socket>()
  const server = createServer({ cert: certificate, key }, (outer) => {
    const inner = connect(port(), '127.0.0.1')
    for (const [socket, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(socket)
      // What one side does to its connection, the other one is to see.
      socket.on('error', () => other.destroy())
      socket.once('close', () => sockets.delete(socket))
      socket.pipe(other)
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('Cannot listen: no TCP address')
  return {
    url: `https://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
