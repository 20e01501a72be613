/** A reverse proxy of this machine that shows a server below a path of its own. */
import { request } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { listen } from '../world/listener.ts'

export interface PathProxy extends AsyncDisposable {
  /** With the prefix, without a trailing slash. */
  readonly url: string
}

/** `passed` says whether the server gets paths with the prefix, as some proxies are set up, or without. */
export async function startPathProxy(server: string, prefix: string, passed: 'whole' | 'stripped'): Promise<PathProxy> {
  const listener = await listen(async (incoming, outgoing) => {
    const path = incoming.url ?? '/'
    if (path !== prefix && !path.startsWith(`${prefix}/`)) {
      outgoing.writeHead(404, { 'content-type': 'text/plain' }).end('Nothing is outside of the prefix\n')
      return
    }
    const target = passed === 'whole' ? path : path.slice(prefix.length) || '/'
    const headers = { ...incoming.headers, 'x-outside-url': `${listener.url}${prefix}` }
    await new Promise<void>((resolve, reject) => {
      const asked = request(
        new URL(target, server),
        { method: incoming.method ?? 'GET', headers, agent: false },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
          pipeline(answer, outgoing).then(resolve, reject)
        },
      )
      asked.on('error', reject)
      incoming.pipe(asked)
    })
  })
  return { url: `${listener.url}${prefix}`, [Symbol.asyncDispose]: () => listener.close() }
}
