/** A TCP relay before a server that breaks the connection in the middle of a file, once. */
import { connect, createServer, type Socket } from 'node:net'

export interface RelayedRequest {
  readonly line: string
  /** The `Range` that was asked for. */
  readonly range: string | undefined
  /** Of the answer; `undefined` while there is none. */
  status: number | undefined
}

export interface BreakingRelay extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  /** The next answer to a GET whose path ends in `ending` breaks off after so many bytes. */
  breakNext(ending: string, afterBytes: number): void
  /** Requests for what `breakNext` named, since it was called. */
  readonly requests: readonly RelayedRequest[]
}

/** Relays to `port` of this machine. Requests must come one after another on a connection, as HTTP/1.1 clients send them. */
export async function startBreakingRelay(port: number): Promise<BreakingRelay> {
  const sockets = new Set<Socket>()
  const requests: RelayedRequest[] = []
  let rule: { ending: string; afterBytes: number; isLeft: boolean } | undefined

  const server = createServer((outer) => {
    const inner = connect(port, '127.0.0.1')
    let current: RelayedRequest | undefined
    let sentBytes = 0
    const end = () => {
      outer.destroy()
      inner.destroy()
    }
    for (const socket of [outer, inner]) {
      sockets.add(socket)
      socket.on('error', end)
      socket.once('close', () => sockets.delete(socket))
    }
    outer.once('close', end)
    // What was passed on before is to arrive.
    inner.once('close', () => outer.end())
    outer.on('data', (chunk: Buffer) => {
      const head = chunk.toString('latin1')
      const line = /^([A-Z]+ \S+) HTTP\/1\.1\r\n/.exec(head)?.[1]
      if (line !== undefined) {
        const isWatched = rule !== undefined && line.endsWith(rule.ending)
        current = isWatched ? { line, range: /^range: *(.+?)\r$/im.exec(head)?.[1], status: undefined } : undefined
        if (current !== undefined) requests.push(current)
        sentBytes = 0
      }
      inner.write(chunk)
    })
    inner.on('data', (chunk: Buffer) => {
      if (current !== undefined) {
        current.status ??= Number(/^HTTP\/1\.1 (\d+)/.exec(chunk.toString('latin1', 0, 20))?.[1])
        sentBytes += chunk.length
        if (rule?.isLeft && current.line.startsWith('GET ') && sentBytes > rule.afterBytes) {
          rule.isLeft = false
          // What was sent is to arrive: the connection ends in good order, and too early.
          outer.end(chunk)
          inner.destroy()
          return
        }
      }
      outer.write(chunk)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('Cannot listen: no TCP address')
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    breakNext(ending, afterBytes) {
      requests.length = 0
      rule = { ending, afterBytes, isLeft: true }
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
