/**
 * Every fault of an upstream × everything that can be asked of a mirror × asked directly and through a stage with a
 * private project. For each cell: no wrong byte delivered as success, no failure answered as "not found" or as an empty
 * page, an answer within its limit, nothing wrong kept, and the next good answer heals it. What was seen is written to
 * `.cache/fault-matrix.md`.
 */
import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { indexAsWritten } from '../../src/catalog/accounts.ts'
import { findFiles } from '../../src/catalog/files.ts'
import { type Digest, digestOf } from '../../src/lib/digest.ts'
import type { Limits } from '../../src/model/limits.ts'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { type BuiltFile, wheel } from '../builders/wheels.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { programFetch } from '../world/program-fetch.ts'
import { FAULTS, type Fault } from './faults.ts'
import { ask, type InProcessServer, type Reply, startInProcess } from './in-process-server.ts'

const LIMITS: Partial<Limits> = {
  connectMs: 1000,
  upstreamAnswerMs: 500,
  upstreamSilenceMs: 500,
  upstreamPageMs: 1500,
  upstreamPageBytes: 1024 * 1024,
  upstreamListBytes: 4 * 1024 * 1024,
  listWaitMs: 2500,
  backoffFirstMs: 1,
  backoffMostMs: 50,
  staleWaitMs: 400,
}
/** No answer may take longer: the longest limit above twice over, time for a slow file, and room for a busy machine. */
const LONGEST_MS = 15_000
const SIMPLE = 'application/vnd.pypi.simple.v1+json'

interface Ground {
  readonly upstream: FakeUpstream
  readonly server: InProcessServer
  readonly index: string
}

interface Asked {
  readonly url: string
  /** Part of what upstream is asked for. */
  readonly path: string
  /** What a right answer is. */
  readonly isRight: (reply: Reply) => boolean
  /** What may be answered meanwhile, where that is less. */
  readonly isFair?: (reply: Reply) => boolean
  /** It was here before the fault, so a fault must not be seen at all. */
  readonly isHere?: true
  /** The file whose keeping is looked at. */
  readonly file?: { readonly filename: string; readonly sha256: Digest }
  /** Begins what the fault then breaks into. */
  readonly prelude?: (upstream: FakeUpstream) => void
}

type Target = (ground: Ground, name: string) => Promise<Asked>

const TARGETS: readonly (readonly [name: string, target: Target])[] = [
  [
    'project page, known',
    async (ground, name) => {
      // With its file: cut off from upstream, a page lists what can be delivered.
      const asked = await fileAsked(ground, name)
      assert.ok(asked.isRight(await ask(asked.url)))
      return { ...pageAsked(ground, name, asked.file!), isHere: true }
    },
  ],
  ['project page, new', async (ground, name) => pageAsked(ground, name, addFile(ground, name))],
  [
    'list of projects',
    async (ground, name) => {
      addFile(ground, name)
      return {
        url: `${ground.server.url}/${ground.index}/+simple/`,
        path: '/simple/',
        isRight: (reply) => reply.bytes.toString().includes(`"${name}"`),
        // The list from before the fault lacks the newest project and nothing else.
        isFair: (reply) => reply.bytes.toString().includes(`"${name.replace(/-\d+$/, '-0')}"`),
      }
    },
  ],
  [
    'file, held',
    async (ground, name) => {
      const asked = await fileAsked(ground, name)
      assert.ok(asked.isRight(await ask(asked.url)))
      return { ...asked, isHere: true }
    },
  ],
  [
    'file, half here',
    async (ground, name) => {
      const asked = await fileAsked(ground, name)
      // The newest rule is taken first: half of the file comes, and whatever is asked for next meets the fault.
      return { ...asked, prelude: (upstream) => upstream.misbehave(asked.path, { kind: 'cut' }, { times: 1 }) }
    },
  ],
  ['file, new', fileAsked],
  [
    'metadata file',
    async (ground, name) => {
      const asked = await fileAsked(ground, name)
      const metadata = digestOf(metadataOf(name))
      return {
        url: `${asked.url}.metadata`,
        path: `${asked.path}.metadata`,
        isRight: (reply) => reply.status === 200 && reply.isComplete && reply.sha256 === metadata,
      }
    },
  ],
]

const seen: { fault: string; target: string; way: string; answer: string; ms: number; kept: string }[] = []

for (const [way, index] of [
  ['direct', 'root/pypi'],
  ['through a stage', 'alice/dev'],
] as const) {
  describe(`asked ${way}`, { concurrency: 5 }, () => {
    for (const [row, fault] of FAULTS.entries()) {
      test(`${fault.name}: right or refused in time, never wrong, and healed`, async () => {
        await using stack = new AsyncDisposableStack()
        const upstream = stack.adopt(await startFakeUpstream(), (each) => each.close())
        const flags = { upstream: upstream.url, mirror_cache_expiry: 0 }
        const server = stack.use(await startInProcess({ flags, limits: LIMITS }))
        const ground = { upstream, server, index }
        if (index === 'alice/dev') await addPrivate(ground)
        for (const [column, [target, prepare]] of TARGETS.entries()) {
          await cell(ground, fault, target, await prepare(ground, `p${row}-${column}`), way)
        }
      })
    }
  })
}

after(async () => {
  await mkdir('.cache', { recursive: true })
  await writeFile('.cache/fault-matrix.md', table())
})

async function cell(ground: Ground, fault: Fault, target: string, asked: Asked, way: string): Promise<void> {
  const { upstream, server } = ground
  const what = `${fault.name}, ${target}, ${way}`
  await fault.begin(upstream, asked.path)
  asked.prelude?.(upstream)
  const begun = performance.now()
  const reply = await ask(asked.url, { accept: SIMPLE })
  const ms = Math.round(performance.now() - begun)
  const isDone = reply.status === 200 && reply.isComplete
  const told = reply.bytes.toString('latin1', 0, 300)
  assert.ok(ms < LONGEST_MS, `${what}: ${ms} ms`)
  if (isDone)
    assert.ok(
      asked.isRight(reply) || asked.isFair?.(reply) || (fault.saysAbsent && !asked.file),
      `${what}: 200 ${told}`,
    )
  else if (reply.status !== 200 && reply.status !== 0) {
    const isAbsent = fault.saysAbsent === true && asked.file === undefined && reply.status === 404
    assert.ok(isAbsent || [502, 503].includes(reply.status), `${what}: ${reply.status} ${told}`)
    assert.ok(reply.isComplete, what)
  }
  // What upstream calls gone is news, not a fault; everything else that was here stays here.
  if (asked.isHere && !(fault.saysAbsent && asked.file === undefined))
    assert.ok(isDone, `${what}: ${reply.status} ${told}`)
  if (fault.isRight && target !== 'list of projects') assert.ok(isDone, `${what}: ${reply.status} ${told}`)
  const kept = await keptOf(ground, asked)
  assert.notEqual(kept, 'WRONG', what)
  assert.deepEqual(await drafts(server), [], what)
  if (ground.index === 'alice/dev') {
    const own = await ask(`${server.url}/alice/dev/+simple/mine/`, { accept: SIMPLE })
    assert.ok(
      own.status === 200 && own.bytes.toString().includes('mine-1.0'),
      `${what}: the private project: ${own.status}`,
    )
  }
  seen.push({ fault: fault.name, target, way, answer: answerOf(reply, isDone), ms, kept })

  await fault.end(upstream)
  upstream.behave()
  let healed = await ask(asked.url, { accept: SIMPLE })
  for (let trial = 0; trial < 60 && !asked.isRight(healed); trial++) {
    await delay(100)
    healed = await ask(asked.url, { accept: SIMPLE })
  }
  assert.ok(asked.isRight(healed), `${what}, healed: ${healed.status} ${healed.bytes.toString('latin1', 0, 300)}`)
}

function answerOf(reply: Reply, isDone: boolean): string {
  if (isDone) return '200'
  return reply.status === 200 ? '200, broken off' : reply.status === 0 ? 'broken off' : String(reply.status)
}

function metadataOf(name: string): string {
  return `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n`
}

function addFile({ upstream }: Ground, name: string) {
  const filename = `${name.replaceAll('-', '_')}-1.0-py3-none-any.whl`
  const bytes = Buffer.alloc(20_000, `${name} `)
  return { filename, ...upstream.add(name, { filename, bytes, metadata: metadataOf(name) }) }
}

function pageAsked({ server, index }: Ground, name: string, file: { readonly filename: string }): Asked {
  return {
    url: `${server.url}/${index}/+simple/${name}/`,
    path: `/simple/${name}/`,
    isRight: (reply) => reply.status === 200 && reply.bytes.toString().includes(file.filename),
  }
}

async function pageOf({ server, index }: Ground, name: string): Promise<{ page: string; files: { url: string }[] }> {
  const page = `${server.url}/${index}/+simple/${name}/`
  const reply = await ask(page, { accept: SIMPLE })
  assert.equal(reply.status, 200, reply.bytes.toString())
  return { page, files: (JSON.parse(reply.bytes.toString()) as { files: { url: string }[] }).files }
}

async function fileAsked(ground: Ground, name: string): Promise<Asked> {
  const added = addFile(ground, name)
  const { page, files } = await pageOf(ground, name)
  return {
    url: new URL(files[0]!.url, page).href,
    path: added.path,
    isRight: (reply) => reply.status === 200 && reply.isComplete && reply.sha256 === added.sha256,
    file: { filename: added.filename, sha256: added.sha256 },
  }
}

async function keptOf({ server }: Ground, { file }: Asked): Promise<string> {
  if (file === undefined) return '–'
  const { catalog, blobs } = server.stores
  const rows = await catalog.read(async (reader) => {
    const index = await indexAsWritten(reader, 'root/pypi')
    return await findFiles(reader, index!, file.filename)
  })
  if (rows.length === 0) return (await blobs.stat(file.sha256)) === undefined ? 'nothing' : 'WRONG'
  return rows.every((row) => row.digest === file.sha256) ? 'the file' : 'WRONG'
}

/** Drafts go when the last reader has gone, which may be a moment after the client saw the end. */
async function drafts({ stores }: InProcessServer): Promise<string[]> {
  const folder = join(stores.folder.root, 'drafts')
  // The list is fetched by a thread that goes on after the request that started it.
  const unfinished = async () => (await readdir(folder)).filter((name) => !name.startsWith('names-'))
  let found = await unfinished()
  for (let attempt = 0; attempt < 100 && found.length > 0; attempt++) {
    await delay(50)
    found = await unfinished()
  }
  return found
}

async function addPrivate({ server }: Ground): Promise<void> {
  const send = (method: string, path: string, body: Buffer | string, type: string) =>
    programFetch(`${server.url}${path}`, {
      method,
      body,
      headers: { 'content-type': type, authorization: `Basic ${Buffer.from('alice:x').toString('base64')}` },
    })
  const json = 'application/json'
  assert.equal((await send('PUT', '/alice', '{"password":"x"}', json)).status, 201)
  assert.equal((await send('PUT', '/alice/dev', '{"bases":["root/pypi"]}', json)).status, 200)
  const mine: BuiltFile = wheel({ name: 'mine', version: '1.0' })
  const form = multipart([
    ...fieldParts({ ':action': 'file_upload', name: 'mine', version: '1.0' }),
    { name: 'content', filename: mine.filename, content: mine.bytes },
  ])
  assert.equal((await send('POST', '/alice/dev/', form.body, form.contentType)).status, 200)
}

function table(): string {
  const rows = seen.map(
    ({ fault, target, way, answer, ms, kept }) => `| ${fault} | ${target} | ${way} | ${answer} | ${ms} | ${kept} |`,
  )
  const head = ['| Upstream | Asked for | How | Answer | ms | Kept |', '| --- | --- | --- | --- | ---: | --- |']
  return `${[...head, ...rows].join('\n')}\n`
}
