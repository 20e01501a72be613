/** `devpi getjson` and `devpi patchjson`: show the JSON that the server answers for a path, or for a change to it. */
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { beginSession } from '../begin-session.ts'
import { asDirectory, asHttpUrl } from '../client-url.ts'
import type { CliContext } from '../context.ts'
import type { GenericOptions, Session } from '../session.ts'

/** `path` is below the index in use, or from the server's top when it starts with a slash; it can also be a URL. */
export async function getJson(context: CliContext, path: string, options: GenericOptions): Promise<void> {
  await using session = await beginSession(context, { ...options, quiet: true })
  const { out } = session
  const url = urlFor(session, path)
  const reply = await session.api({ method: 'GET', url, anyServer: true })
  if (reply.json === undefined) throw out.failure(`Cannot show ${url.href}: the answer is not a JSON object`)
  if (options.verbose) {
    out.line(`GET REQUEST sent to ${url.href}`)
    for (const name of Object.keys(reply.headers).toSorted()) out.line(`${name.toUpperCase()}: ${reply.headers[name]}`)
    out.line()
  }
  out.json(reply.json)
}

/** `file` holds the JSON to send; `-` stands for stdin. */
export async function patchJson(
  context: CliContext,
  path: string,
  file: string,
  options: GenericOptions,
): Promise<void> {
  await using session = await beginSession(context, { ...options, quiet: true })
  const { out } = session
  const text = file === '-' ? await buffer(context.stdin) : await readFile(session.path(file))
  let send: unknown
  try {
    send = JSON.parse(text.toString('utf8'))
  } catch (error) {
    throw out.failure(`Cannot read "${file}": it is not JSON (${(error as Error).message})`)
  }
  const url = urlFor(session, path)
  const reply = await session.api({ method: 'PATCH', url, send, anyServer: true })
  out.line(`PATCH REQUEST sent to ${url.href}`)
  out.json(reply.json ?? {})
}

function urlFor({ out, state }: Session, path: string): URL {
  const absolute = asHttpUrl(path)
  if (absolute) return absolute
  if (!path.startsWith('/') && !state.index) throw out.failure('cannot use relative path without an active index')
  const base = state.index ?? state.root
  if (base === undefined) throw out.failure('no server currently selected')
  const url = path.startsWith('/')
    ? URL.parse(path.replace(/^\/+/, './'), state.root)
    : URL.parse(path, asDirectory(base))
  if (url === null || url.origin !== base.origin)
    throw out.failure(`Cannot use "${path}": it is no path below ${base.href}`)
  return url
}
