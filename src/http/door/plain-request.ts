/**
 * The cache key of a request: the parts of a request that a cached response can depend on. Two requests with the same key
 * get the same answer. A request with any unknown part has no key and goes to node:http.
 */
import { isInstallerName } from '../senders.ts'

/** Longer heads are not looked at: installers send some 700 bytes. */
const HEAD_MOST = 8192
/** A request without a body and of no other version (RFC 9112 §3, §5), each part as every reader understands it. */
const PLAIN_LINE = /^(GET|HEAD) (\/[!-~]*) HTTP\/1\.1$/
const PLAIN_FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*$/

/** Fields that answers depend on. */
const TELLING = new Set([
  'host',
  'accept',
  'accept-encoding',
  'if-none-match',
  'if-modified-since',
  'forwarded',
  'x-outside-url',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
])
/** Fields that clients and proxies add and no page or file depends on. (`user-agent`, by its kind alone: see `keyOf`.) */
const SILENT = new Set([
  'accept-language',
  'cache-control',
  'dnt',
  'pragma',
  'priority',
  'referer',
  'sec-gpc',
  'traceparent',
  'tracestate',
  'upgrade-insecure-requests',
  'user-agent',
  'via',
  'x-forwarded-for',
  'x-forwarded-server',
  'x-real-ip',
  'x-request-id',
])
const SILENT_FAMILIES = /^sec-(?:fetch|ch-ua)(?:-|$)/

export interface PlainRequest {
  readonly method: 'GET' | 'HEAD'
  /** As it was sent, query included. */
  readonly url: string
  readonly key: string
}

/** Reads a head that is whole and all there is, as latin1 text. `undefined`: it is not plain. */
export function readPlainRequest(text: string): PlainRequest | undefined {
  if (text.length > HEAD_MOST || !text.endsWith('\r\n\r\n')) return undefined
  const [line = '', ...fields] = text.slice(0, -4).split('\r\n')
  const [, method, url] = PLAIN_LINE.exec(line) ?? []
  if (method === undefined || url === undefined) return undefined
  const headers: string[] = []
  for (const field of fields) {
    const [, name, value] = PLAIN_FIELD.exec(field) ?? []
    if (name === undefined) return undefined
    headers.push(name, value!)
  }
  const key = keyOf(method, url, headers)
  return key === undefined ? undefined : { method: method as PlainRequest['method'], url, key }
}

/**
 * The key of a request whose fields are given as node:http does: name, value, name, value. `undefined`: it says something of
 * which it is not known what answers make of it, credentials above all.
 */
export function keyOf(method: string, url: string, headers: readonly string[]): string | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined
  let hosts = 0
  let isInstaller = false
  let key = `${method} ${url}`
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at]!.toLowerCase()
    const value = headers[at + 1]!
    if (name === 'host') hosts++
    if (name === 'user-agent') isInstaller ||= isInstallerName(value)
    if (TELLING.has(name)) key += `\n${name}:${value}`
    else if (name === 'connection' ? value.toLowerCase() !== 'keep-alive' : !isSilent(name)) return undefined
  }
  if (hosts !== 1) return undefined
  return isInstaller ? `${key}\ninstaller` : key
}

function isSilent(name: string): boolean {
  return SILENT.has(name) || SILENT_FAMILIES.test(name)
}
