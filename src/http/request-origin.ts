/** Same-origin checks, against request forgery (CSRF): a request that a page of another origin has a browser send changes nothing here. */
import type { FastifyRequest } from 'fastify'
import { Problem } from '../model/errors.ts'
import { type Outside, outsideBase } from './outside.ts'

const CHANGES_NOTHING = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Throws `origin-foreign` for a request that could change something and that a page of another origin had a browser make (RFC 6454 §7;
 * without `Origin`, its `Referer`). The browser adds what it remembers for its user, HTTP Basic too. Programs send neither header. `null`
 * is the origin of pages that are to be nobody's: sandboxed frames, files, documentation that was uploaded here.
 */
export function checkOrigin(request: FastifyRequest, server: Outside): void {
  if (CHANGES_NOTHING.has(request.method)) return
  const { origin, referer, 'sec-fetch-site': site } = request.headers
  const from = origin ?? referer
  const isOtherSite = site !== undefined && site !== 'same-origin' && site !== 'none'
  if (!isOtherSite && (from === undefined || isOurs(from, request, server))) return
  const told = JSON.stringify((from ?? String(site)).slice(0, 200))
  throw new Problem('origin-foreign', `Cannot change anything for a page of another origin: ${told}`, {
    hint: 'if that is the address of this server, its proxy does not pass on the Host that was asked for: set outside_url',
  })
}

function isOurs(from: string, request: FastifyRequest, server: Outside): boolean {
  const origin = URL.parse(from)
  if (origin === null || !/^https?:$/.test(origin.protocol)) return false
  const outside = [URL.parse(outsideBase(request, server)), server.outsideUrl ?? null].filter((url) => url !== null)
  if (outside.some((url) => url.origin === origin.origin)) return true
  // What ends TLS before us need not tell of it: at the Host that was asked for either scheme is ours, unless one is known to be.
  const isOtherScheme = server.outsideUrl !== undefined && server.outsideUrl.host === origin.host
  const host = URL.parse(`${origin.protocol}//${request.headers.host ?? ''}`)
  return !isOtherScheme && host !== null && host.origin === origin.origin
}

/**
 * Throws `type-unsupported` for a body that is not called JSON. devpi reads any as JSON; but text, forms and what has no type at all a browser
 * sends for any page without asking the server first, and `application/json` it does not (Fetch standard, "CORS-safelisted request-header").
 */
export function checkJsonType({ headers }: FastifyRequest): void {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type === 'application/json') return
  throw new Problem('type-unsupported', 'Cannot read the request: its body is not called JSON', {
    hint: 'send it with Content-Type: application/json',
  })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A body is read as JSON whatever it is called: only for what changes nothing. */
    takesUntypedJson?: true
  }
}
