/** What is asked of the servers, and how one answer is known to be the right one. */
import { gunzipSync } from 'node:zlib'
import { request } from 'undici'
import type { Content } from '../content/content.ts'
import { BIG, build, HUGE, LARGE, SEARCHED, SMALL } from '../content/wanted-files.ts'
import { ACCEPT } from '../peers/nginx.ts'
import type { Form, Peer, Through } from '../peers/peer.ts'

/** The same request again and again. */
export interface Scenario {
  /** For `--only`. */
  readonly key: string
  readonly title: string
  readonly connections: number
  /** `undefined` where the server has no such thing. */
  readonly path: (peer: Peer) => string | undefined | Promise<string | undefined>
  readonly headers: Readonly<Record<string, string>>
  /** Stands in the answer. */
  readonly holds?: string
  /** Asks with the validator of the answer before, and wants a 304. */
  readonly isConditional?: boolean
}

/** What a server is asked, and what it answers. */
export interface Target {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly status: number
  readonly isCompressed: boolean
}

const CONNECTIONS = 16
const HUGE_CONNECTIONS = 2
const PLAIN = { 'accept-encoding': 'identity', 'user-agent': 'bench/1' }
const COMPRESSED = { 'accept-encoding': 'gzip', 'user-agent': 'bench/1' }

/** All of them, in the order in which they are run. */
export function scenarios(content: Content): Scenario[] {
  const lastOf = (project: string) => build(content.files.findLast((file) => file.project === project)!).filename
  const count = (project: string) => content.files.filter((file) => file.project === project).length
  const page = (project: string, form: Form, through: Through, isCompressed: boolean): Scenario => ({
    key: `page-${project.replace('bench-', '')}-${form}-${isCompressed ? 'gzip' : 'plain'}-${through}`,
    title: `Page of ${count(project)} files, ${form.toUpperCase()}, ${isCompressed ? 'compressed' : 'plain'}, ${through === 'direct' ? 'direct' : 'through three bases'}`,
    connections: CONNECTIONS,
    path: (peer) => peer.page(project, form, through),
    headers: { accept: ACCEPT[form], ...(isCompressed ? COMPRESSED : PLAIN) },
    holds: lastOf(project),
  })
  const conditional = (project: string): Scenario => ({
    ...page(project, 'json', 'bases', true),
    key: `not-modified-${project.replace('bench-', '')}`,
    title: `Conditional request (304), page of ${count(project)} files, JSON, through three bases`,
    isConditional: true,
  })
  const forms: readonly Form[] = ['html', 'json']
  const throughs: readonly Through[] = ['direct', 'bases']
  const wheel = build(content.files[0]!).filename
  const file = (key: string, title: string, path: Scenario['path']): Scenario => ({
    ...{ key, title, path, connections: CONNECTIONS },
    headers: { accept: '*/*', ...PLAIN },
  })
  return [
    ...[SMALL, LARGE].flatMap((project) =>
      throughs.flatMap((through) =>
        forms.flatMap((form) => [false, true].map((isCompressed) => page(project, form, through, isCompressed))),
      ),
    ),
    ...forms.map((form) => page(BIG, form, 'bases', true)),
    conditional(SMALL),
    conditional(LARGE),
    {
      ...{ key: 'project-list', title: 'List of all projects, JSON, compressed', connections: CONNECTIONS },
      path: (peer) => peer.list('json'),
      headers: { accept: ACCEPT.json, ...COMPRESSED },
      holds: SMALL,
    },
    {
      ...file('metadata', 'Metadata file', async (peer) => {
        const path = await peer.file(SMALL, wheel)
        return path === undefined ? undefined : `${path.split('?')[0]}.metadata`
      }),
      holds: 'Metadata-Version',
    },
    file('wheel', 'Small wheel', (peer) => peer.file(SMALL, wheel)),
    {
      ...file('huge-wheel', `Wheel of ${Math.round(content.amounts.hugeBytes / 1e6)} MB`, (peer) =>
        peer.file(HUGE, content.huge.filename),
      ),
      connections: HUGE_CONNECTIONS,
    },
    {
      ...file('search', 'Search', (peer) => peer.search(SEARCHED)),
      headers: { accept: 'text/html', ...PLAIN },
      holds: 'bench-other',
    },
  ]
}

/** Asks once and looks at the answer. `undefined` where the server does not have what is asked for, in that form. */
export async function targetOf(scenario: Scenario, peer: Peer): Promise<Target | undefined> {
  const path = await scenario.path(peer)
  if (path === undefined) return undefined
  const first = await ask(peer, path, scenario.headers)
  if (first.status !== 200) return undefined
  if (scenario.headers.accept === ACCEPT.json && !first.contentType.includes('json')) return undefined
  if (scenario.holds !== undefined && !first.text.includes(scenario.holds))
    throw new Error(`Cannot measure "${scenario.title}": "${scenario.holds}" is not in the answer of port ${peer.port}`)
  const target = { path, headers: scenario.headers, status: 200, isCompressed: first.isCompressed }
  if (scenario.isConditional !== true) return target
  if (first.etag === undefined) return undefined
  const headers = { ...scenario.headers, 'if-none-match': first.etag }
  const again = await ask(peer, path, headers)
  return again.status === 304 ? { path, headers, status: 304, isCompressed: false } : undefined
}

async function ask(peer: Peer, path: string, headers: Scenario['headers']) {
  const answer = await request(`http://127.0.0.1:${peer.port}${path}`, { headers, headersTimeout: 0, bodyTimeout: 0 })
  const bytes = Buffer.from(await answer.body.arrayBuffer())
  const isCompressed = answer.headers['content-encoding'] === 'gzip'
  const { etag } = answer.headers
  return {
    status: answer.statusCode,
    contentType: String(answer.headers['content-type']),
    text: (isCompressed ? gunzipSync(bytes) : bytes).toString('latin1'),
    isCompressed,
    ...(typeof etag === 'string' && { etag }),
  }
}
