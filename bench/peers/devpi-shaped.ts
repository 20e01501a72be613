/** What Airlock and devpi-server have in common: users, indexes with bases, logins, uploads, addresses. */
import { request } from 'undici'
import type { Content } from '../content/content.ts'
import { makeLoad } from '../load/load.ts'
import { uploadHuge, uploadRequest } from '../load/upload-request.ts'
import { listedFile } from './listed-file.ts'
import type { Peer } from './peer.ts'
import type { Pinned } from './pinned-process.ts'

const USER = 'bench'
const PASSWORD = 'bench-password'
/** Where the files are, and an index whose third base that is. */
const BASE = `${USER}/base`
const TOP = `${USER}/top`
const UPLOADERS = 8
const AT_ONCE = 400
const TRIES_MORE = 3
const MOST_SECONDS = 600

/** The server as a peer; its user and indexes are there already. */
export async function devpiShaped(server: Pinned): Promise<Peer> {
  const login = await tell(server.port, '/+login', 'POST', { user: USER, password: PASSWORD })
  const token = (login.result as { readonly password: string }).password
  const page = (project: string, through: 'direct' | 'bases') =>
    `/${through === 'direct' ? BASE : TOP}/+simple/${project}/`
  return {
    ...server,
    page: (project, _form, through) => page(project, through),
    list: () => `/${TOP}/+simple/`,
    file: (project, filename) => listedFile(server.port, page(project, 'direct'), filename),
    search: (word) => `/+search?query=${word}`,
    upload: {
      path: `/${BASE}/`,
      headers: { 'x-devpi-auth': encoded(token) },
      passwordHeaders: { authorization: `Basic ${encoded(PASSWORD)}` },
    },
  }
}

/** On a new server: makes the user and the indexes. */
export async function makeIndexes({ port }: Pinned): Promise<void> {
  await tell(port, `/${USER}`, 'PUT', { password: PASSWORD })
  const login = await tell(port, '/+login', 'POST', { user: USER, password: PASSWORD })
  const token = (login.result as { readonly password: string }).password
  const bases = [`${USER}/middle`, `${USER}/low`, BASE]
  for (const name of bases) await tell(port, `/${name}`, 'PUT', { type: 'stage', bases: [], volatile: false }, token)
  await tell(port, `/${TOP}`, 'PUT', { type: 'stage', bases, volatile: false }, token)
}

/** Uploads all of it, by eight at once. Throws when one is refused. */
export async function uploadContent({ port, upload }: Peer, content: Content): Promise<void> {
  const { path, headers } = upload!
  for (let from = 0; from < content.files.length; from += AT_ONCE) {
    const requests = content.files.slice(from, from + AT_ONCE).map((file) => uploadRequest(port, path, headers, file))
    const load = { port, connections: UPLOADERS, requests, mostSeconds: MOST_SECONDS, status: 200 }
    let { refused } = await makeLoad(load)
    // A server that is at its limit refuses some; what it has already it takes again.
    for (let left = TRIES_MORE; refused > 0 && left > 0; left--) refused = (await makeLoad(load)).refused
    if (refused > 0) throw new Error(`Cannot prepare the server on port ${port}: ${refused} uploads were refused`)
  }
  await uploadHuge(port, upload!, content.huge)
}

function encoded(secret: string): string {
  return Buffer.from(`${USER}:${secret}`).toString('base64')
}

async function tell(
  port: number,
  path: string,
  method: 'PUT' | 'POST',
  json: unknown,
  token?: string,
): Promise<Record<string, unknown>> {
  const { statusCode, body } = await request(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(token !== undefined && { 'x-devpi-auth': encoded(token) }) },
    body: JSON.stringify(json),
  })
  const text = await body.text()
  if (statusCode !== 200 && statusCode !== 201)
    throw new Error(`Cannot prepare the server: ${method} ${path}: ${statusCode} ${text.slice(0, 500)}`)
  return JSON.parse(text) as Record<string, unknown>
}
