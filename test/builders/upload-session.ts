/** Upload 2.0 as a client speaks it: follows the links it is given. */
import assert from 'node:assert/strict'
import type { Answer, Ask, Person } from '../world/world.ts'
import type { BuiltFile } from './wheels.ts'

export const UPLOAD_TYPE = 'application/vnd.pypi.upload.v2+json'
const META = { 'api-version': '2.0' }

/** A session as its answers tell of it; addresses are paths. */
export interface OpenedSession {
  readonly links: Readonly<Record<'stage' | 'upload' | 'session' | 'publish' | 'extend', string>>
  readonly token: string
  readonly answer: Answer
}

/** A file of a session as its answers tell of it; addresses are paths. */
export interface AnnouncedFile {
  readonly address: string
  readonly complete: string
  readonly content: string
  readonly attestations: string
}

interface SessionBody {
  readonly links: OpenedSession['links']
  readonly 'session-token': string
}

interface FileBody {
  readonly links: { readonly 'file-upload-session': string; readonly complete: string }
  readonly mechanism: { readonly file_url: string; readonly attestations_url: string }
}

/** A request as such clients send it, with whatever is told otherwise. */
export async function sends(who: Person, path: string, body: Readonly<Record<string, unknown>>, ask: Ask = {}) {
  const headers = { accept: UPLOAD_TYPE, 'content-type': UPLOAD_TYPE, ...ask.headers }
  return await who.asks(path, { method: 'POST', ...ask, json: { meta: META, ...body }, headers })
}

/** Without a body. */
export async function does(who: Person, path: string, method = 'POST'): Promise<Answer> {
  return await who.asks(path, { method, headers: { accept: UPLOAD_TYPE } })
}

/** Opens a session; asserts that it did. */
export async function opens(who: Person, index: string, name: string, version: string): Promise<OpenedSession> {
  const answer = await sends(who, `/${index}/+upload`, { name, version })
  assert.equal(answer.status, 201, answer.text)
  const body = answer.json<SessionBody & Record<string, unknown>>()
  const links = Object.fromEntries(Object.entries(body.links).map(([rel, url]) => [rel, pathOf(url)]))
  return { answer, links: links as OpenedSession['links'], token: body['session-token'] }
}

/** What says that a file is to come. */
export function order(file: BuiltFile): Record<string, unknown> {
  const { filename, bytes, sha256 } = file
  return { filename, size: bytes.length, hashes: { sha256 }, mechanism: 'http-post-bytes' }
}

/** Announces a file; asserts that it is awaited. */
export async function announces(who: Person, { links }: OpenedSession, file: BuiltFile): Promise<AnnouncedFile> {
  const answer = await sends(who, links.upload, order(file))
  assert.equal(answer.status, 202, answer.text)
  const body = answer.json<FileBody & Record<string, unknown>>()
  return {
    address: pathOf(body.links['file-upload-session']),
    complete: pathOf(body.links.complete),
    content: pathOf(body.mechanism.file_url),
    attestations: pathOf(body.mechanism.attestations_url),
  }
}

export async function sendsBytes(who: Person, path: string, bytes: Buffer): Promise<Answer> {
  return await who.asks(path, { body: bytes, headers: { 'content-type': 'application/octet-stream' } })
}

/** Announces, sends and completes a file; asserts that all went well. */
export async function stages(who: Person, session: OpenedSession, file: BuiltFile): Promise<AnnouncedFile> {
  const announced = await announces(who, session, file)
  const sent = await sendsBytes(who, announced.content, file.bytes)
  assert.equal(sent.status, 201, sent.text)
  const completed = await does(who, announced.complete)
  assert.equal(completed.status, 201, completed.text)
  return announced
}

export function pathOf(url: string): string {
  return new URL(url).pathname
}
