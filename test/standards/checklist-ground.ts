/** The fixture of the checklist: an upstream, a server whose default index is a stage on top of its mirror, and short request helpers. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { type FormPart, multipart } from '../builders/multipart.ts'
import { type BuiltFile, wheel } from '../builders/wheels.ts'
import { type ThrowawaySigstore, throwawaySigstore } from '../sigstore/throwaway.ts'
import { type FakeIssuer, startFakeIssuer } from '../upstream/fake-issuer.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { type Answer, type Ask, type Person, startWorld, type World } from '../world/world.ts'

export const JSON_V1 = 'application/vnd.pypi.simple.v1+json'
export const HTML_V1 = 'application/vnd.pypi.simple.v1+html'

/** What the clients of the table send for a project's page. */
export const PIP = { accept: `${JSON_V1}, ${HTML_V1}; q=0.1, text/html; q=0.01`, headers: { 'user-agent': 'pip/26.3' } }
export const UV = { accept: `${JSON_V1}, ${HTML_V1};q=0.2, text/html;q=0.01`, headers: { 'user-agent': 'uv/0.13.9' } }

export interface Ground extends AsyncDisposable {
  readonly world: World
  readonly upstream: FakeUpstream
  readonly issuer: FakeIssuer
  readonly sigstore: ThrowawaySigstore
}

export interface PageFile {
  readonly filename: string
  readonly url: string
  readonly hashes: Readonly<Record<string, string>>
  readonly provenance?: string
  readonly 'core-metadata'?: boolean | { readonly sha256: string }
}
export interface Page {
  readonly files: readonly PageFile[]
  readonly versions: readonly string[]
}

/** `alice/dev`, the default index, has `root/pypi` as its base, which mirrors the upstream. `fill`: what is there from the start. */
export async function startGround(fill: (upstream: FakeUpstream) => void): Promise<Ground> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(await startFakeUpstream())
  fill(upstream)
  const issuer = stack.use(await startFakeIssuer())
  const folder = stack.use(await tempFolder())
  const sigstore = throwawaySigstore()
  const trustedRoot = join(folder.path, 'trusted_root.json')
  await writeFile(trustedRoot, sigstore.trustedRoot)
  const settings = {
    default_index: 'alice/dev',
    sigstore_trusted_root: trustedRoot,
    trusted_proxy: 'localhost',
    root_passwd: 'password of root',
    outgoing_allow: '127.0.0.1',
  }
  const limits = {
    upstreamAnswerMs: 700,
    upstreamSilenceMs: 700,
    staleWaitMs: 3000,
    backoffFirstMs: 1,
    resumePauseMs: 1,
  }
  const world = stack.use(await startWorld({ upstream, settings, limits }))
  const opened = stack.move()
  return { world, upstream, issuer, sigstore, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** A wheel of upstream as its index has it, its metadata file included unless told. */
export function offers(
  upstream: FakeUpstream,
  project: string,
  version: string,
  more: Partial<Parameters<FakeUpstream['add']>[1]> & { readonly requires?: string } = {},
): BuiltFile {
  const { requires, ...rest } = more
  const made = wheel({ name: project, version, ...(requires !== undefined && { requiresPython: requires }) })
  const told = requires !== undefined && { requiresPython: requires }
  upstream.add(project, { ...made, metadata: metadataIn(made), ...told, ...rest })
  return made
}

/** The METADATA inside a wheel that `wheel()` made, read without the product's own reader. */
export function metadataIn({ bytes }: BuiltFile): string {
  const name = bytes.indexOf('.dist-info/METADATA')
  const header = bytes.lastIndexOf('PK\x03\x04', name)
  const begin = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28)
  return inflateRawSync(bytes.subarray(begin, begin + bytes.readUInt32LE(header + 18))).toString()
}

/** Files of the JSON page, with links as paths of this server. */
export async function filesOf(who: Person, path: string, ask: Ask = {}): Promise<PageFile[]> {
  const answer = await who.asks(path, { accept: JSON_V1, ...ask })
  if (answer.status !== 200) throw new Error(`Cannot read ${path}: ${answer.status} ${answer.text}`)
  return answer.json<Page>().files.map((file) => ({ ...file, url: led(path, file.url).pathname }))
}

/** Where a link or redirect on that page leads. */
export function led(path: string, link: string | undefined): URL {
  return new URL(link ?? 'none', `http://server${path}`)
}

/** An upload form in the order given. */
export async function sendsForm(who: Person, path: string, parts: readonly FormPart[], ask: Ask = {}): Promise<Answer> {
  const form = multipart(parts)
  const headers = { ...ask.headers, 'content-type': form.contentType }
  return await who.asks(path, { ...ask, body: form.body, headers })
}

export function basic(user: string, secret: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` }
}
