/**
 * Content negotiation and conditional requests: chooses the Simple API's type, and finds whether the client has the page
 * already.
 */
import type { FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import { Problem } from '../../model/errors.ts'
import { HTML_TYPE, JSON_TYPE } from '../../pep/simple.ts'

/** In this order where a client has no preference: a bare any-type must give HTML (hatch, Bazel, browsers). */
const OFFERS = [
  'text/html',
  HTML_TYPE,
  JSON_TYPE,
  'application/vnd.pypi.simple.latest+html',
  'application/vnd.pypi.simple.latest+json',
]
/** In this order where a client names several and likes them the same: the richest first (PEP 691). */
const RICHEST_FIRST = [
  'application/vnd.pypi.simple.latest+json',
  JSON_TYPE,
  'application/vnd.pypi.simple.latest+html',
  HTML_TYPE,
  'text/html',
]
/** A version of the Simple API, whichever. */
const VERSIONED = /^application\/vnd\.pypi\.simple\.v\d+\+(json|html)$/

/**
 * `?format=` wins over Accept (PEP 691); what nobody offers gets HTML, as PyPI does. Throws `not-acceptable` for who wants
 * other versions of the API and nothing else: whatever it got, it could not read.
 */
export function representation(request: FastifyRequest): typeof JSON_TYPE | typeof HTML_TYPE | 'text/html' {
  const { format } = request.query as { format?: unknown }
  const wanted = typeof format === 'string' && OFFERS.includes(format) ? format : accepted(request)
  const isOther = typeof format === 'string' && VERSIONED.test(format) && !OFFERS.includes(format)
  if (isOther || (wanted === undefined && wantsVersions(request))) throw unknownVersion()
  if (wanted?.endsWith('+json')) return JSON_TYPE
  return wanted?.endsWith('+html') ? HTML_TYPE : 'text/html'
}

/** With its charset where the type has one. */
export function contentType(type: string): string {
  return type === JSON_TYPE ? type : `${type}; charset=utf-8`
}

/** Whether `If-None-Match` names the tag; weak comparison (RFC 9110 §13.1.2). */
export function matches(header: string | undefined, etag: string): boolean {
  const tags = (header ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}

/** Whether `If-Modified-Since` is as late, for who knows the date alone: a tag says more (RFC 9110 §13.1.3). */
export function isUnchangedSince({ headers }: FastifyRequest, modified: string | undefined): boolean {
  if (modified === undefined || headers['if-none-match'] !== undefined) return false
  return Date.parse(headers['if-modified-since'] ?? '') >= Math.floor(Date.parse(modified) / 1000) * 1000
}

function accepted(request: FastifyRequest): string | undefined {
  const best = new Negotiator(request.raw).mediaType(OFFERS)
  const named = namedTypes(request)
  const weight = best === undefined ? undefined : named.get(best)
  if (weight === undefined) return best
  // The order of the header means nothing: between equals it is ours.
  return RICHEST_FIRST.find((type) => named.get(type) === weight)
}

/** The types that Accept spells out, with their weights. */
function namedTypes(request: FastifyRequest): ReadonlyMap<string, number> {
  const named = (request.headers.accept ?? '').split(',').map((each) => {
    const [type = '', ...parameters] = each.split(';').map((part) => part.trim().toLowerCase())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    return [type, weight === undefined ? 1 : Number(weight.slice(2))] as const
  })
  return new Map(named)
}

function wantsVersions(request: FastifyRequest): boolean {
  const named = [...namedTypes(request).keys()].filter((type) => type !== '')
  return named.length > 0 && named.every((type) => VERSIONED.test(type) && !OFFERS.includes(type))
}

function unknownVersion(): Problem {
  return new Problem('not-acceptable', 'Cannot answer in that version of the Simple API', {
    hint: `accept ${JSON_TYPE}, ${HTML_TYPE} or text/html`,
  })
}
