/** The fixture of every client of docs/clients.md: a server, an upstream with a project for each ability, and users. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { type BuiltFile, sdist, wheel } from '../builders/wheels.ts'
import { type ServedFolder, serveFolder } from '../clients/served-folder.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { programFetch } from '../world/program-fetch.ts'
import { type KeyringEntry, type MatrixClients, matrixClients } from './matrix-clients.ts'
import { type BreakingRelay, startBreakingRelay } from './matrix-relay.ts'

export const ROOT = { user: 'root', password: 'correct horse' } as const
/** Reads the index that is closed to others. The password has what an address must write otherwise. */
export const READER = { user: 'reader', password: 'corr3ct/horse@8' } as const
/** Uploads. The password can stand in an address as it is. */
export const SENDER = { user: 'sender', password: 'plain-1' } as const
/** Before the newest `pub-dated`, after all else that is public. */
export const CUTOFF = '2025-01-01T00:00:00Z'
export const YANK_REASON = 'eats data'

export interface MatrixGround extends AsyncDisposable {
  readonly clients: MatrixClients
  readonly served: ServedFolder
  readonly relay: BreakingRelay
  readonly files: Readonly<Record<'app' | 'base' | 'hush', BuiltFile>>
  /** The address of the index's simple pages, with `user:password@` where told. */
  simple(index: string, as?: { readonly user: string; readonly password: string }): string
  /** The address that uploads to the index go to, with `user:password@` where told. */
  upload(index: string, as?: { readonly user: string; readonly password: string }): string
  /** What a keyring needs to let the reader read, or `root` upload. */
  keyring(who?: { readonly user: string; readonly password: string }): KeyringEntry
  /** What a `.netrc` says of the server. */
  netrc(who: { readonly user: string; readonly password: string }): string
  /** The files of a project: sha256 by filename. Empty where the index has none. */
  listed(index: string, project: string): Promise<Readonly<Record<string, string>>>
  /** Paths of all requests that were answered, oldest first. */
  requests(): Promise<readonly string[]>
}

/** `root/prod` is volatile, above the mirror; `root/fixed` keeps its files; `root/secret` is closed; `root/other` is a second index. */
export async function matrixGround(): Promise<MatrixGround> {
  await using stack = new AsyncDisposableStack()
  const clients = stack.use(await matrixClients())
  const upstream = stack.use(await startFakeUpstream({ links: 'separate' }))
  addPublic(upstream)
  const served = stack.use(await serveFolder({ AIRLOCK_UPSTREAM: upstream.url, AIRLOCK_ROOT_PASSWD: ROOT.password }))
  const relay = stack.use(await startBreakingRelay(Number(new URL(served.url).port)))
  const call = api(served.url)
  await call('PUT', `/${READER.user}`, { password: READER.password })
  await call('PUT', `/${SENDER.user}`, { password: SENDER.password })
  await call('PUT', '/root/prod', { bases: 'root/pypi' })
  await call('PUT', '/root/fixed', { bases: '', volatile: false, acl_upload: [ROOT.user, SENDER.user] })
  await call('PUT', '/root/secret', { bases: '', acl_pkg_read: [READER.user] })
  await call('PUT', '/root/other', { bases: '' })
  const files = {
    app: made('acme-app', '1.0', { requires: ['pub-base', "pub-more; extra == 'more'"], extra: 'more' }),
    base: made('pub-base', '1.0'),
    hush: made('hush', '1.0'),
  }
  await send(served.url, 'prod', 'acme-app', files.app)
  await send(served.url, 'secret', 'hush', files.hush)
  for (const [index, version] of [
    ['prod', '1.0'],
    ['other', '9.0'],
  ] as const)
    await send(served.url, index, 'suspect', made('suspect', version))
  await call('PUT', '/root/prod/+status/suspect', { status: 'quarantined', reason: 'under suspicion' })

  const owned = stack.move()
  const { host } = new URL(served.url)
  const address = (path: string, as?: { readonly user: string; readonly password: string }) =>
    `http://${as === undefined ? '' : `${as.user}:${encodeURIComponent(as.password)}@`}${host}${path}`
  return {
    clients,
    served,
    relay,
    files,
    simple: (index, as) => address(`/root/${index}/+simple/`, as),
    upload: (index, as) => address(`/root/${index}/`, as),
    keyring: (who = READER) => ({ service: host, ...who }),
    netrc: ({ user, password }) => `machine 127.0.0.1\nlogin ${user}\npassword ${password}\n`,
    async listed(index, project) {
      const headers = { accept: 'application/vnd.pypi.simple.v1+json', authorization: basic(ROOT) }
      const page = await fetch(`${served.url}/root/${index}/+simple/${project}/`, { headers })
      if (page.status === 404) return {}
      const { files: all } = (await page.json()) as { files: { filename: string; hashes: { sha256: string } }[] }
      return Object.fromEntries(all.map((each) => [each.filename, each.hashes.sha256]))
    },
    requests: () => served.requestPaths(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Metadata of a distribution as publishers write it; `wheel()` writes none with extras. */
export function made(
  name: string,
  version: string,
  { requires = [], extra, summary }: { requires?: readonly string[]; extra?: string; summary?: string } = {},
): BuiltFile {
  return wheel({ name, version, metadata: metadataOf(name, version, requires, extra, summary) })
}

function metadataOf(
  name: string,
  version: string,
  requires: readonly string[],
  extra?: string,
  summary = 'Made for tests',
  python?: string,
): string {
  const lines = [`Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\nSummary: ${summary}`]
  if (python !== undefined) lines.push(`Requires-Python: ${python}`)
  if (extra !== undefined) lines.push(`Provides-Extra: ${extra}`)
  return `${[...lines, ...requires.map((each) => `Requires-Dist: ${each}`)].join('\n')}\n`
}

function addPublic(upstream: FakeUpstream): void {
  const add = (
    name: string,
    version: string,
    more: { yanked?: string; requiresPython?: string; uploadTime?: string; big?: Uint8Array } = {},
  ) => {
    const { big, ...facts } = more
    const metadata = metadataOf(name, version, [], undefined, undefined, facts.requiresPython)
    const files = big === undefined ? {} : { 'pub_big/data.bin': big }
    const { filename, bytes } = wheel({ name, version, metadata, files })
    upstream.add(name, { filename, bytes, metadata, ...facts })
  }
  for (const name of ['pub-base', 'pub-more', 'pub-yanked', 'pub-future', 'pub-rc', 'pub-dated']) add(name, '1.0')
  add('pub-yanked', '2.0', { yanked: YANK_REASON })
  add('pub-future', '2.0', { requiresPython: '>=99' })
  add('pub-rc', '2.0rc1')
  add('pub-dated', '2.0', { uploadTime: `${new Date(Date.now() - 24 * 3600_000).toISOString().slice(0, 19)}Z` })
  add('pub-big', '1.0', { big: randomBytes(3 * 1024 * 1024) })
  const backend = { 'pub_backend/__init__.py': readFileSync(join(import.meta.dirname, 'matrix_backend.py')) }
  const tool = wheel({ name: 'pub-backend', version: '1.0', files: backend })
  upstream.add('pub-backend', { filename: tool.filename, bytes: tool.bytes })
  const source = sdist({ name: 'pub-source', version: '1.0' })
  upstream.add('pub-source', { filename: source.filename, bytes: source.bytes })
}

function basic({ user, password }: { readonly user: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

function api(url: string) {
  return async (method: string, path: string, body: unknown): Promise<void> => {
    const headers = { authorization: basic(ROOT), 'content-type': 'application/json' }
    const answer = await programFetch(`${url}${path}`, { method, headers, body: JSON.stringify(body) })
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.text()}`)
  }
}

async function send(url: string, index: string, name: string, { filename, bytes }: BuiltFile): Promise<void> {
  const version = filename.split('-')[1]!
  const fields = { ':action': 'file_upload', metadata_version: '2.1', name, version, filetype: 'bdist_wheel' }
  const form = multipart([...fieldParts(fields), { name: 'content', filename, content: bytes }])
  const headers = { authorization: basic(ROOT), 'content-type': form.contentType }
  const answer = await programFetch(`${url}/root/${index}/`, { method: 'POST', headers, body: form.body })
  assert.equal(answer.status, 200, await answer.text())
}
