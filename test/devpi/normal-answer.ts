/** An answer without the values that differ from run to run: addresses, times, tokens, identities. */
import { createHash } from 'node:crypto'
import { Parser } from 'htmlparser2'
import { ARCHIVES, md5Of } from './archives.ts'
import type { RawAnswer } from './exchange.ts'
import type { ReceivedForm } from './external-index.ts'

export interface NormalAnswer {
  /** 0 when the connection was closed without an answer. */
  readonly status: number
  readonly reason: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON as it is; of a simple page its links; of a file its digest. */
  readonly body: unknown
  /** What the external index got meanwhile. */
  readonly received?: unknown
}

/** Simple pages are read by their links; the order counts where people look at them. */
export type PageKind = 'page' | 'simple' | 'simple-for-people'

/** What stands for something else on each run. */
export interface Places {
  readonly base: string
  readonly upstream: string
  readonly external: string
  readonly tokens: readonly string[]
  /** The address that was asked for, as the client knows it. */
  readonly asked: string
}

const HEADERS = ['content-type', 'location', 'www-authenticate', 'cache-control', 'vary', 'x-pypi-last-serial', 'allow']
/** Whether they are there matters, not what they say. */
const IDENTITY = [
  'x-devpi-api-version',
  'x-devpi-server-version',
  'x-devpi-uuid',
  'x-devpi-primary-uuid',
  'x-devpi-master-uuid',
  'x-devpi-serial',
]

export function normalAnswer(
  raw: RawAnswer | undefined,
  received: readonly ReceivedForm[],
  places: Places,
  what: PageKind,
): NormalAnswer {
  const mask = masker(places)
  const absolute = (link: string) => resolved(mask(link), mask(places.asked))
  if (raw === undefined) return { status: 0, reason: '', headers: {}, body: null }
  const headers: Record<string, string> = {}
  for (const name of HEADERS) {
    const value = raw.headers[name]
    if (value !== undefined) headers[name] = name === 'location' ? absolute(value) : headerOf(name, mask(value))
  }
  if (raw.headers['last-modified'] !== undefined) headers['last-modified'] = '<date>'
  const told = IDENTITY.filter((name) => raw.headers[name] !== undefined)
  headers['x-devpi-*'] = told.length === IDENTITY.length ? 'all' : told.join(', ')
  // Where to go is said in a header; what else there is, nobody reads.
  const isRedirect = raw.status >= 300 && raw.status < 400
  if (isRedirect) delete headers['content-type']
  return {
    status: raw.status,
    reason: mask(raw.reason),
    headers,
    body: isRedirect ? null : bodyOf(raw, mask, raw.status === 200 ? what : 'page', absolute),
    ...(received.length > 0 && { received: received.map((form) => masked(form, mask)) }),
  }
}

function headerOf(name: string, value: string): string {
  if (name === 'content-type') return mediaType(value)
  if (name !== 'vary') return value
  // Whether an answer is packed on its way is no difference.
  const depends = value.split(/, */).filter((each) => each.toLowerCase() !== 'accept-encoding')
  return depends.sort().join(', ')
}

function mediaType(value: string): string {
  return value.toLowerCase().replace(/;\s*/g, '; ')
}

function masker({ base, upstream, external, tokens }: Places): (text: string) => string {
  const { host, port } = new URL(base)
  const folder = (url: string) => url.replace(/^http:\/\//, 'http_').replace(/:/g, '_')
  const exact: (readonly [string, string])[] = [
    [base, 'http://server'],
    [upstream, 'http://upstream'],
    [external, 'http://external'],
    [folder(upstream), 'http_upstream'],
    [host, 'server'],
    [`:${port}`, ':port'],
    ...tokens.map((token) => [token, '<token>'] as const),
  ]
  for (const { filename, sha256, bytes } of ARCHIVES.values()) {
    exact.push([sha256, `<sha256 of ${filename}>`], [md5Of(bytes), `<md5 of ${filename}>`])
    exact.push([`${sha256.slice(0, 3)}/${sha256.slice(3, 16)}`, `<hash of ${filename}>`])
  }
  return (text) => {
    let result = text
    for (const [from, to] of exact) result = result.replaceAll(from, to)
    return result
      .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
      .replaceAll(/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/g, '<date>')
      .replaceAll(/ object at 0x[0-9a-f]+>/g, ' object at <address>>')
      .replaceAll(/a{1000,}/g, '<long name>')
      .replaceAll(/\.toxresult-\d{14}-/g, '.toxresult-<time>-')
  }
}

function bodyOf(
  { headers, body }: RawAnswer,
  mask: (text: string) => string,
  what: PageKind,
  absolute: (link: string) => string,
): unknown {
  const type = mediaType(headers['content-type'] ?? '').split(';')[0]!
  const text = body.toString('utf8')
  if (body.length === 0) return null
  if (/[/+]json$/.test(type)) return masked(ordered(JSON.parse(text), absolute), mask)
  if (type === 'text/html' || type === 'text_html') return pageOf(text, mask, what, absolute)
  if (type === 'text/plain') return mask(text)
  return mask(`sha256:${createHash('sha256').update(body).digest('hex')}`)
}

/** A simple page by its links. Pages for people look different on purpose: only that there is one counts. */
function pageOf(
  text: string,
  mask: (text: string) => string,
  what: PageKind,
  absolute: (link: string) => string,
): unknown {
  if (what === 'page') return '<page>'
  const links: { attributes: Record<string, string>; text: string }[] = []
  let heading = ''
  const headings: string[] = []
  let inside: 'a' | 'h2' | undefined
  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === 'a')
        links.push({ attributes: { ...attributes, href: told(attributes.href ?? '', absolute) }, text: '' })
      if (name === 'a' || name === 'h2') inside = name
      heading = ''
    },
    ontext(data) {
      if (inside === 'h2') heading += data
      if (inside === 'a') links.at(-1)!.text += data
    },
    onclosetag(name) {
      if (name === 'h2') headings.push(heading)
      if (name === inside) inside = undefined
    },
  })
  parser.write(text)
  parser.end()
  return {
    links: Object.fromEntries(links.map((link) => [link.text, masked(link.attributes, mask)])),
    // Installers get the links in the order of a hash table.
    ...(what === 'simple-for-people' && { order: links.map((link) => link.text) }),
    ...(headings.length > 0 && { headings }),
    refreshes: /<form/.test(text),
  }
}

/** Where a link leads, and whether it says so itself. Masked texts are no proper addresses: they are resolved by hand. */
function told(link: string, absolute: (link: string) => string): string {
  return /^https?:/.test(link) ? link : `(relative) ${absolute(link)}`
}

function resolved(link: string, asked: string): string {
  if (/^[a-z]+:/.test(link)) return link
  const [origin = ''] = /^[a-z]+:\/\/[^/]*/.exec(asked) ?? []
  const parts = link.startsWith('/')
    ? []
    : asked
        .slice(origin.length)
        .replace(/[?#].*$/s, '')
        .split('/')
        .slice(1, -1)
  for (const part of link.replace(/^\//, '').split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return `${origin}/${parts.join('/')}`
}

/** Lists whose order says nothing are put into one, or read by name: devpi's own follows from its hash tables. */
function ordered(value: unknown, absolute: (link: string) => string): unknown {
  const within = (each: unknown) => ordered(each, absolute)
  if (Array.isArray(value)) return value.map(within)
  if (!isRecord(value)) return value
  // A report about the server: what it tells of, not what it says.
  if (value.type === 'status' && isRecord(value.result)) {
    return { ...value, result: Object.keys(value.result).sort() }
  }
  const entries = Object.entries(value).map(([key, each]): [string, unknown] => {
    if (key === 'password' && 'expiration' in value) return [key, '<token>']
    if (key === 'url' && 'filename' in value) return [key, told(String(each), absolute)]
    if (Array.isArray(each)) {
      if (key === '+links') return [key, within(byKey(each, (link) => `${link.rel} ${baseName(link.href)}`))]
      if (key === 'files') return [key, within(byKey(each, (file) => file.filename))]
      if (key === 'projects') return [key, each.map((project) => (isRecord(project) ? project.name : project)).sort()]
      if (key === 'features') return [key, each.toSorted()]
      // The time of an event is six numbers.
      if (key === 'when' && each.length === 6) return [key, '<six numbers>']
    }
    return [key, within(each)]
  })
  return Object.fromEntries(entries)
}

function byKey(list: readonly unknown[], key: (each: Record<string, unknown>) => unknown): Record<string, unknown> {
  return Object.fromEntries(list.map((each) => [String(key(each as Record<string, unknown>)), each]))
}

function baseName(href: unknown): string {
  return String(href).split('/').at(-1)!
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function masked(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === 'string') return mask(value)
  if (Array.isArray(value)) return value.map((each) => masked(each, mask))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [mask(key), masked(each, mask)]))
}
