/** What is acknowledged survives a crash: the syncs that make it so, counted, and their order. */
import assert from 'node:assert/strict'
import { basename, dirname } from 'node:path'
import { after, test } from 'node:test'
import { keepSecretFile } from '../../src/folder/secret-file.ts'
import { ServerFolder } from '../../src/folder/server-folder.ts'
import { type DurableStep, durableSteps } from '../../src/lib/durable.ts'
import { JsonFile } from '../../src/transfer/devpi/json-file.ts'
import { wheel } from '../builders/wheels.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { startWorld } from '../world/world.ts'

/** SQLite's `PRAGMA synchronous = EXTRA`: 1 and 0 return from a COMMIT before it is on the disk. */
const EXTRA = 3

let steps: DurableStep[] = []
const listen = (step: unknown) => steps.push(step as DurableStep)
durableSteps.subscribe(listen)
const upstream = await startFakeUpstream()
/** Nothing happens in the background: every step is that of a request. */
const world = await startWorld()
after(async () => {
  durableSteps.unsubscribe(listen)
  await world[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})
const { alice } = world

/** The steps of what `work` does, once the server has nothing else to do. */
async function stepsOf(work: () => Promise<unknown>): Promise<DurableStep[]> {
  await world.jobsDone()
  steps = []
  await work()
  const taken = steps
  steps = []
  return taken
}

/** Holds the steps of one blob against the order that survives a crash at any moment; gives the place of its last one. */
function checkBlob(taken: readonly DurableStep[], digest: string): number {
  const named = taken.findIndex((step) => step.what === 'name' && basename(step.path) === digest)
  assert.ok(named >= 0, `blob ${digest} gets its name`)
  const { path } = taken[named] as { path: string }
  const synced = taken.findIndex((step) => step.what === 'file' && dirname(step.path).endsWith('drafts'))
  assert.ok(synced >= 0 && synced < named, 'its bytes are synced before it has a name')
  const folder = taken.findIndex((step, at) => at > named && step.what === 'folder' && step.path === dirname(path))
  assert.ok(folder > named, 'the folder is synced after the name was put there')
  return folder
}

function checkCommit(taken: readonly DurableStep[], afterStep: number): void {
  const commits = taken.flatMap((step, at) => (step.what === 'commit' ? [{ at, ...step }] : []))
  assert.ok(commits.length > 0, 'there is a COMMIT')
  assert.ok(commits[0]!.at > afterStep, 'the row that names a blob is committed after the blob is safe')
  for (const { synchronous } of commits) assert.equal(synchronous, EXTRA)
}

const count = (taken: readonly DurableStep[], what: DurableStep['what']) =>
  taken.filter((step) => step.what === what).length

for (const [size, kib] of [
  ['small, kept in memory until it is committed', 1],
  ['large, a file from early on', 400],
] as const) {
  test(`an upload of a ${size}: file, name, folder, COMMIT`, async () => {
    const name = `acme-${kib}`
    const file = wheel({ name, version: '1.0', files: { 'x.txt': randomText(kib * 1024) } })
    const taken = await stepsOf(async () => assert.equal((await alice.uploads(file, 'alice/dev')).status, 200))
    checkCommit(taken, checkBlob(taken, file.sha256))
    // The wheel and the METADATA that was read from it.
    assert.deepEqual([count(taken, 'file'), count(taken, 'name'), count(taken, 'commit')], [2, 2, 1])
  })
}

test('uploads that come together: each file synced for itself, folders and COMMIT shared', async () => {
  const files = Array.from({ length: 8 }, (_, at) => wheel({ name: `many-${at}`, version: '1.0' }))
  const taken = await stepsOf(() => Promise.all(files.map((file) => alice.uploads(file, 'alice/dev'))))
  for (const file of files) checkBlob(taken, file.sha256)
  assert.equal(count(taken, 'file'), 16)
  assert.ok(count(taken, 'commit') < 8)
  for (const step of taken) if (step.what === 'commit') assert.equal(step.synchronous, EXTRA)
})

test('a change without a blob: one COMMIT, synced', async () => {
  const taken = await stepsOf(() => alice.asks('/alice/dev', { method: 'PATCH', json: ['title=Dev'] }))
  assert.equal(count(taken, 'commit'), 1)
  checkCommit(taken, -1)
})

test('files of the server folder and of exports are synced, and so is the folder that has their name', async () => {
  await using folder = await tempFolder()
  const kinds = (taken: readonly DurableStep[]) => taken.map((step) => step.what)
  assert.deepEqual(kinds(await stepsOf(() => new ServerFolder(folder.path).establish(new Date()))).slice(-3), [
    'file',
    'name',
    'folder',
  ])
  assert.deepEqual(kinds(await stepsOf(() => keepSecretFile(`${folder.path}/own/secret`))), ['file', 'folder'])
  const written = await stepsOf(async () => {
    await using json = await JsonFile.create(`${folder.path}/dump.json`)
    await json.begin('{')
    await json.end()
    await json.finish()
  })
  assert.deepEqual(kinds(written), ['file'])
})

test("a mirror's file: whole on the disk, then in the catalog, then its last byte goes to the client", async () => {
  const file = wheel({ name: 'beta', version: '1.0', files: { 'x.txt': randomText(200 * 1024) } })
  upstream.add('beta', file)
  await using mirroring = await startWorld({ upstream })
  await mirroring.alice.asks('/root/pypi/+simple/beta/')
  const address = `/root/pypi/+f/${file.sha256.slice(0, 3)}/${file.sha256.slice(3, 16)}/${file.filename}`
  const taken = await stepsOf(async () => assert.deepEqual((await mirroring.alice.asks(address)).bytes, file.bytes))
  const safe = checkBlob(taken, file.sha256)
  // The list of names is fetched meanwhile, with a COMMIT of its own.
  assert.ok(taken.some((step, at) => step.what === 'commit' && at > safe && step.synchronous === EXTRA))
})

/** Nothing that a zip makes smaller. */
function randomText(length: number): string {
  let seed = 1
  let text = ''
  while (text.length < length) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    text += seed.toString(36)
  }
  return text.slice(0, length)
}
