/** Which of its representations an answer is: the Simple API's types, and whether the client has it already. */
import type { FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import { HTML_TYPE, JSON_TYPE } from '../pep/simple.ts'

/** In this order where a client has no preference: a bare any-type must give HTML (hatch, Bazel, browsers). */
const OFFERS = [
  'text/html',
  HTML_TYPE,
  JSON_TYPE,
  'application/vnd.pypi.simple.latest+html',
  'application/vnd.pypi.simple.latest+json',
]

/** `?format=` wins over Accept (PEP 691); what nobody offers gets HTML, as PyPI does. */
export function representation(request: FastifyRequest): typeof JSON_TYPE | typeof HTML_TYPE | 'text/html' {
  const format = (request.query as { format?: string }).format
  const wanted =
    format !== undefined && OFFERS.includes(format) ? format : new Negotiator(request.raw).mediaType(OFFERS)
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
