/** A response of the server, as client commands read it. */
import type { IncomingHttpHeaders } from 'node:http'
import { asObject } from '../lib/json-object.ts'

/** An answer without its body. */
export type ReplyHead = Omit<Reply, 'text' | 'json'>

export interface Reply {
  readonly method: string
  /** Where the answer came from, after redirects. */
  readonly url: URL
  readonly status: number
  /** The reason phrase: devpi's servers say there why an upload was refused. */
  readonly reason: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body when it is a JSON object, whatever its declared type; else `undefined`. */
  readonly json: Readonly<Record<string, unknown>> | undefined
}

/** Reads a body that has come in whole. */
export function readReply(head: ReplyHead, body: Buffer): Reply {
  const text = body.toString('utf8')
  return { ...head, text, json: asJsonObject(text) }
}

/** The server's own words after its status, with the colon before them, or nothing: devpi's envelope, or RFC 9457. */
export function messageOf(reply: Reply): string {
  if (!/^application\/(?:[\w.-]+\+)?json\b/.test(reply.headers['content-type'] ?? '')) return ''
  const message = reply.json?.message ?? reply.json?.detail ?? reply.json?.title
  return typeof message === 'string' && message !== '' ? `: ${message}` : ''
}

/** `CODE reason: message`. */
export function statusLine(reply: Reply): string {
  return `${reply.status} ${reply.reason}${messageOf(reply)}`
}

/** The envelope's `result` as an object; empty when it is none. */
export function resultOf(reply: Reply): Readonly<Record<string, unknown>> {
  return asObject(reply.json?.result)
}

function asJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    // Many answers are not JSON and need not be; the caller says so where it matters.
    return undefined
  }
}
