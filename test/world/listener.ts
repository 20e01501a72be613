/** An HTTP server on one port of this machine, whose listening can be interrupted and taken up again. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface Listener extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly url: string
  readonly port: number
  /** Connections open now. */
  connections(): number
  /** Breaks every connection and refuses new ones. */
  pause(): Promise<void>
  /** Listens on the same port again. */
  resume(): Promise<void>
  close(): Promise<void>
}

/** Calls `answer` for every request. What `answer` throws breaks the connection and is rethrown by `close()`. */
export async function listen(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void> | void,
): Promise<Listener> {
  const sockets = new Set<Socket>()
  const failures: unknown[] = []
  let port = 0
  let server: Server | undefined

  async function open(): Promise<void> {
    if (server !== undefined) return
    const opening = createServer((request, response) => {
      Promise.resolve()
        .then(() => answer(request, response))
        .catch((error: unknown) => {
          failures.push(error)
          request.socket.destroy()
        })
    })
    // Whether a request is slow is for the test to decide.
    opening.requestTimeout = 0
    opening.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => {
      opening.once('error', reject)
      opening.listen(port, '127.0.0.1', resolve)
    })
    const address = opening.address()
    if (address === null || typeof address === 'string') throw new TypeError('Cannot listen: no TCP address')
    port = address.port
    server = opening
  }

  async function pause(): Promise<void> {
    const closing = server
    if (closing === undefined) return
    server = undefined
    const closed = new Promise<void>((resolve) => closing.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }

  async function close(): Promise<void> {
    await pause()
    const first = failures.shift()
    failures.length = 0
    if (first !== undefined) throw first
  }

  await open()
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    connections: () => sockets.size,
    pause,
    resume: open,
    close,
    [Symbol.asyncDispose]: close,
  }
}
