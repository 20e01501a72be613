/** Turns a step into the bytes that go over the wire. */
import { multipart } from '../builders/multipart.ts'
import { archive, fileAddress, md5Of } from './archives.ts'
import type { SentFile, Step } from './step.ts'

/** `base`, `upstream`, `external`, and what was kept; what is said of an archive needs no entry here. */
export type Variables = ReadonlyMap<string, string>

/** The request with every variable filled in. `tokens`: login token by user. Throws for a variable nobody has set. */
export function requestBytes(
  step: Step,
  host: string,
  variables: Variables,
  tokens: ReadonlyMap<string, string>,
): Buffer {
  const fill = (text: string) => filled(text, variables)
  if (step.wire !== undefined) return Buffer.from(fill(step.wire.replaceAll('{host}', host)))
  const { type, bytes } = bodyOf(step, fill)
  const headers = new Map<string, string>([
    ['host', host],
    ['accept', 'application/json'],
    ['connection', 'close'],
  ])
  if (type !== undefined) headers.set('content-type', type)
  if (step.as !== undefined) headers.set('x-devpi-auth', credentials(step.as, tokens))
  for (const [name, value] of Object.entries(step.headers ?? {})) headers.set(name.toLowerCase(), fill(value))
  if (bytes !== undefined) headers.set('content-length', String(bytes.length))
  const [method, ...target] = step.request.split(' ')
  const head = [`${method} ${fill(target.join(' '))} HTTP/1.1`]
  for (const [name, value] of headers) if (value !== '') head.push(`${name}: ${value}`)
  // Bytes of UTF-8 in the request line stand as they are.
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes ?? Buffer.alloc(0)])
}

function filled(text: string, variables: Variables): string {
  return text.replaceAll(
    /\{(?:(file|sha256|md5|kept):([^}]+)|(base|upstream|external))\}/g,
    (whole, kind, which, place) => {
      if (kind === 'file') return fileAddress(archive(which))
      if (kind === 'sha256') return archive(which).sha256
      if (kind === 'md5') return md5Of(archive(which).bytes)
      const value = variables.get(place ?? which)
      if (value === undefined) throw new RangeError(`Cannot fill in "${whole}": no earlier step kept it`)
      return value
    },
  )
}

function bodyOf(step: Step, fill: (text: string) => string): { type?: string; bytes?: Buffer } {
  if (step.json !== undefined) {
    return { type: 'application/json', bytes: Buffer.from(fill(JSON.stringify(step.json))) }
  }
  if (step.form !== undefined) {
    const fields = Object.entries(step.form).flatMap(([name, value]) =>
      [value].flat().map((content) => ({ name, content: fill(content as string) })),
    )
    const { contentType, body } = multipart([...fields, ...(step.file === undefined ? [] : [part(step.file)])])
    return { type: contentType, bytes: body }
  }
  if (step.body !== undefined) return { bytes: Buffer.from(fill(step.body)) }
  return {}
}

function part(file: SentFile) {
  if (typeof file === 'string') return { name: 'content', filename: file, content: archive(file).bytes }
  const content = 'archive' in file ? archive(file.archive).bytes : file.content
  return { name: 'content', filename: file.filename, content }
}

function credentials(as: string, tokens: ReadonlyMap<string, string>): string {
  const colon = as.indexOf(':')
  const user = colon === -1 ? as : as.slice(0, colon)
  // Without a token, as when logging in failed, what is asked next is answered differently, and that is told.
  const secret = colon === -1 ? (tokens.get(as) ?? 'no-token') : as.slice(colon + 1)
  return Buffer.from(`${user}:${secret}`).toString('base64')
}
