import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sdist, wheel } from '../../../test/builders/wheels.ts'
import { openTempStores, type TempStores } from '../../../test/world/temp-stores.ts'
import { unattested } from '../../../test/world/unattested.ts'
import { writeBlob } from '../../blob/blob-store.ts'
import { listAttachments, saveAttachment } from '../../catalog/attachments.ts'
import { listFiles } from '../../catalog/files.ts'
import { listReleases } from '../../catalog/projects.ts'
import { stage } from '../../indexes/stage.ts'
import { ANONYMOUS, may, type Principal } from '../../model/access.ts'
import type { Problem } from '../../model/errors.ts'
import { LIMITS } from '../../model/limits.ts'
import { userName } from '../../model/names.ts'
import type { Attachment, File, LogEntry, StageRecord } from '../../model/records.ts'
import { projectName } from '../../pep/name.ts'
import { pushRelease } from './push.ts'
import { readPushOrder } from './push-order.ts'
import type { ActionRow, Pusher } from './pushed-release.ts'

const ALICE: Principal = { name: userName('alice'), groups: [] }
const BOB: Principal = { name: userName('bob'), groups: [] }
const ACME = projectName('acme')
const WHEEL = wheel({ name: 'acme', version: '1.0' })
const SDIST = sdist({ name: 'acme', version: '1.0' })
const WHEN = [2025, 6, 5, 4, 3, 2]
const NOW = [2026, 1, 2, 3, 4, 5]
const UPLOADED: LogEntry = { what: 'upload', who: 'alice', when: WHEN, dst: 'alice/dev' }
const PUSHED: LogEntry = { what: 'push', who: 'alice', when: NOW, src: 'alice/dev', dst: 'alice/prod' }

interface Stages extends TempStores {
  readonly dev: StageRecord
  readonly prod: StageRecord
}

/** alice/dev with a release of two archives, one of them tested, and documentation; alice/prod, empty and not volatile. */
async function openStages(): Promise<Stages> {
  const stores = await openTempStores()
  const dev = await stores.addStage('alice/dev', { bases: ['alice/base'] })
  const prod = await stores.addStage('alice/prod', { volatile: false })
  const facts = { requiresPython: '>=3.9', yanked: 'broken', coreMetadata: { digest: WHEEL.sha256, sizeBytes: 9 } }
  await stores.addFile(dev, WHEEL, { ...facts, log: [{ what: 'overwrite', when: WHEN, count: 3 }, UPLOADED] })
  await stores.addFile(dev, SDIST, { log: [UPLOADED] })
  await stores.addRelease(dev, 'acme', '1.0', { name: 'Acme', version: '1.0', summary: 'Anvils' })
  await stores.addFile(dev, wheel({ name: 'acme', version: '2.0' }))
  await attach(stores, dev, 'toxresult', `${WHEEL.filename}.toxresult-20250605040302-0`)
  await attach(stores, dev, 'doczip', 'acme-1.0.doc.zip')
  return { ...stores, dev, prod }
}

async function attach(stores: TempStores, index: StageRecord, kind: Attachment['kind'], filename: string) {
  const blob = await writeBlob(stores.blobs, [Buffer.from(filename)], { limitBytes: 1000 })
  await stores.catalog.write(async (writer) => {
    const ofFile = (await listFiles(writer, index, ACME)).find((file) => filename.startsWith(file.filename))
    await saveAttachment(writer, index, {
      kind,
      project: ACME,
      version: '1.0',
      filename,
      ...blob,
      created: '2025-06-05T04:03:02Z',
      addressHash: ofFile?.addressHash ?? blob.digest,
      ...(ofFile !== undefined && { ofFile }),
      log: [UPLOADED],
    })
  })
}

const pusherOf = (stores: TempStores): Pusher => ({
  ...stores,
  limits: LIMITS,
  may,
  provenances: unattested,
  indexes: { layer: async (record) => stage(stores.catalog, record as StageRecord) },
})

async function pushed(stores: TempStores, sent: object = {}, who = ALICE, from = 'alice/dev'): Promise<ActionRow[]> {
  const order = readPushOrder({ name: 'acme', version: '1.0', targetindex: 'alice/prod', ...sent })
  return await pushRelease(pusherOf(stores), who, from, order)
}

const heldBy = (stores: TempStores, index: StageRecord) =>
  stores.catalog.read(async (reader) => ({
    files: (await listFiles(reader, index, ACME)).sort((a, b) => (a.filename < b.filename ? -1 : 1)),
    attachments: await listAttachments(reader, index, ACME),
    releases: await listReleases(reader, index, ACME),
  }))
const addressOf = (digest: string, filename: string) =>
  `alice/prod/+f/${digest.slice(0, 3)}/${digest.slice(3, 16)}/${filename}`
const refusal = (code: Problem['code'], message: string) => (error: unknown) => {
  assert.deepEqual([(error as Problem).code, (error as Problem).message], [code, message])
  return true
}

test('push() tells of each thing that it stored, in order of name', async () => {
  await using stores = await openStages()
  assert.deepEqual(await pushed(stores), [
    [200, 'register', 'acme', '1.0', '->', 'alice/prod'],
    [200, 'store_releasefile', addressOf(WHEEL.sha256, WHEEL.filename)],
    [200, 'store_toxresult', addressOf(WHEEL.sha256, `${WHEEL.filename}.toxresult-20250605040302-0`)],
    [200, 'store_releasefile', addressOf(SDIST.sha256, SDIST.filename)],
    [200, 'store_doczip', 'acme', '1.0', '->', 'alice/prod'],
  ])
})

test('push() copies rows with their times and facts, and no bytes', async () => {
  await using stores = await openStages()
  const before = await heldBy(stores, stores.dev)
  const blobs = (await Array.fromAsync(stores.blobs.list())).length
  const serial = stores.catalog.serial
  await pushed(stores)
  assert.equal(stores.catalog.serial, serial + 1)
  assert.equal((await Array.fromAsync(stores.blobs.list())).length, blobs)
  const { files, attachments, releases } = await heldBy(stores, stores.prod)
  const same = ({ id: _id, index: _index, log: _log, ...facts }: File) => facts
  const own = before.files.filter((file) => file.version === '1.0')
  assert.deepEqual(files.map(same), own.map(same))
  assert.deepEqual(
    files.map((file) => file.log),
    [
      [UPLOADED, PUSHED],
      [UPLOADED, PUSHED],
    ],
  )
  assert.deepEqual(
    attachments.map(({ kind, filename, digest, created, log, ofFile }) => [
      kind,
      filename,
      digest,
      created,
      log,
      ofFile?.id,
    ]),
    before.attachments.map(({ kind, filename, digest, created }) => [
      kind,
      filename,
      digest,
      created,
      [UPLOADED, PUSHED],
      kind === 'toxresult' ? files[0]!.id : undefined,
    ]),
  )
  assert.deepEqual(releases, [
    { project: 'acme', version: '1.0', metadata: { name: 'Acme', version: '1.0', summary: 'Anvils' } },
  ])
  assert.deepEqual(await heldBy(stores, stores.dev), before)
})

test('push() to an index that keeps its files refuses even the same ones, and changes nothing', async () => {
  await using stores = await openStages()
  await stores.addFile(stores.prod, SDIST)
  const before = await heldBy(stores, stores.prod)
  const serial = stores.catalog.serial
  await assert.rejects(pushed(stores), refusal('file-exists', 'acme-1.0.tar.gz already exists in non-volatile index'))
  assert.deepEqual(await heldBy(stores, stores.prod), before)
  assert.equal(stores.catalog.serial, serial)
})

test('push() to a volatile index replaces, and counts how often', async () => {
  await using stores = await openStages()
  const test = await stores.addStage('alice/test')
  for (let times = 0; times < 3; times++) await pushed(stores, { targetindex: 'alice/test' })
  const { files, attachments } = await heldBy(stores, test)
  const to = { ...PUSHED, dst: 'alice/test' }
  assert.deepEqual(files[0]!.log, [{ what: 'overwrite', when: NOW, count: 2 }, UPLOADED, to])
  const docs = attachments.find((each) => each.kind === 'doczip')!
  assert.deepEqual(docs.log, [{ what: 'overwrite', when: NOW, count: 2 }, UPLOADED, to])
  assert.equal(attachments.length, 2)
})

test('push() replaces other content together with the results of its tests', async () => {
  await using stores = await openStages()
  const test = await stores.addStage('alice/test')
  await stores.addFile(test, wheel({ name: 'acme', version: '1.0', files: { other: 'content' } }))
  await attach(stores, test, 'toxresult', `${WHEEL.filename}.toxresult-20240101000000-0`)
  await pushed(stores, { targetindex: 'alice/test', no_docs: true })
  const { files, attachments } = await heldBy(stores, test)
  assert.equal(files[0]!.digest, WHEEL.sha256)
  assert.deepEqual(
    attachments.map((each) => each.filename),
    [`${WHEEL.filename}.toxresult-20250605040302-0`],
  )
})

test('push() keeps what is registered at the target where the release does not say otherwise', async () => {
  await using stores = await openStages()
  await stores.addRelease(stores.prod, 'acme', '1.0', { summary: 'Old', author: 'Wile E.' })
  await pushed(stores)
  const { releases } = await heldBy(stores, stores.prod)
  assert.deepEqual(releases[0]!.metadata, { name: 'Acme', version: '1.0', summary: 'Anvils', author: 'Wile E.' })
})

for (const [choice, kinds] of [
  [{}, ['store_releasefile', 'store_toxresult', 'store_releasefile', 'store_doczip']],
  [{ no_docs: true }, ['store_releasefile', 'store_toxresult', 'store_releasefile']],
  [{ only_docs: true }, ['store_doczip']],
] as const) {
  test(`push() with ${JSON.stringify(choice)} takes ${kinds.join(', ')}`, async () => {
    await using stores = await openStages()
    assert.deepEqual(
      (await pushed(stores, choice)).map((row) => row[1]),
      ['register', ...kinds],
    )
  })
}

for (const [what, sent, who, from, code, message] of [
  ['no such source', {}, ALICE, 'alice/none', 'no-such-index', 'The stage alice/none could not be found.'],
  [
    'another spelling of the version',
    { version: '1.0.0' },
    ALICE,
    'alice/dev',
    'bad-request',
    'there are no files for acme 1.0.0 on stage alice/dev',
  ],
  [
    'no name of a project',
    { name: 'a b/../c' },
    ALICE,
    'alice/dev',
    'bad-request',
    'there are no files for a b/../c 1.0 on stage alice/dev',
  ],
  ['what a base has', {}, ALICE, 'alice/above', 'bad-request', 'there are no files for acme 1.0 on stage alice/above'],
  [
    'a contradiction',
    { no_docs: 1, only_docs: 1 },
    ALICE,
    'alice/dev',
    'bad-request',
    "can't use 'no_docs' and 'only_docs' together",
  ],
  [
    'a release without files',
    { name: 'empty' },
    ALICE,
    'alice/dev',
    'no-such-file',
    'no release/files found for empty 1.0',
  ],
  [
    'documentation where there is none',
    { version: '2.0', only_docs: true },
    ALICE,
    'alice/dev',
    'no-such-file',
    'no release/files found for acme 2.0',
  ],
  ['a source that may not be read', {}, BOB, 'alice/secret', 'not-allowed', 'package read forbidden'],
  [
    'unknown options',
    { colour: 1, age: 2 },
    ALICE,
    'alice/dev',
    'bad-request',
    'unknown additional options: age, colour',
  ],
  [
    'half a target',
    { targetindex: 'alice' },
    ALICE,
    'alice/dev',
    'bad-request',
    'targetindex not in format user/index',
  ],
  ['an empty target', { targetindex: '' }, ALICE, 'alice/dev', 'bad-request', 'targetindex not in format user/index'],
  [
    'no such target',
    { targetindex: 'alice/none' },
    ALICE,
    'alice/dev',
    'no-such-index',
    'The stage alice/none could not be found.',
  ],
  ['a target of another', {}, BOB, 'alice/dev', 'push-refused', "user 'bob' cannot upload to 'alice/prod'"],
  ['nobody in particular', {}, ANONYMOUS, 'alice/dev', 'login-required', "user None cannot upload to 'alice/prod'"],
  [
    'a mirror as target',
    { targetindex: 'alice/far' },
    ALICE,
    'alice/dev',
    'push-refused',
    "user 'alice' cannot upload to 'alice/far'",
  ],
] as const) {
  test(`push() refuses ${what}`, async () => {
    await using stores = await openStages()
    await stores.addStage('alice/above', { bases: ['alice/dev'] })
    await stores.addStage('alice/secret', { acl_pkg_read: ['alice'] })
    await stores.addMirror('alice/far')
    await stores.addRelease(stores.dev, 'empty', '1.0')
    await assert.rejects(pushed(stores, sent, who, from), refusal(code, message))
  })
}

for (const sent of [
  {},
  { name: 'acme' },
  { version: '1.0' },
  { name: 3, version: '1.0' },
  { name: 'acme', version: 1 },
]) {
  test(`readPushOrder() refuses ${JSON.stringify(sent)}`, () => {
    assert.throws(() => readPushOrder(sent), refusal('bad-request', 'Bad request: no name/version specified'))
  })
}
