import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type BuiltFile, wheel } from '../../test/builders/wheels.ts'
import { type FakeUpstream, startFakeUpstream } from '../../test/upstream/fake-upstream.ts'
import { ALL_NAMED } from '../../test/world/near.ts'
import { sourceIn } from '../../test/world/source-in.ts'
import { openTempStores, type TempStores } from '../../test/world/temp-stores.ts'
import { changeIndex, indexAsWritten } from '../catalog/accounts.ts'
import { packageIndexContract } from '../indexes/package-index.contract.ts'
import { collect } from '../lib/streams.ts'
import type { Problem } from '../model/errors.ts'
import { type Limits, withLimits } from '../model/limits.ts'
import type { MirrorRecord } from '../model/records.ts'
import { projectName } from '../pep/name.ts'
import type { Mirror } from './mirror.ts'
import { Mirrors } from './mirrors.ts'

const ACME = projectName('acme')
const EXPIRY_MS = 100_000

interface Ground extends AsyncDisposable {
  readonly stores: TempStores
  readonly upstream: FakeUpstream
  readonly record: MirrorRecord
  readonly mirrors: Mirrors
  readonly warnings: readonly string[]
  mirror(): Promise<Mirror>
}

async function given(
  options: {
    list?: boolean
    limits?: Partial<Limits>
    offline?: boolean
    upstream?: FakeUpstream
    stores?: TempStores
  } = {},
): Promise<Ground> {
  const upstream = options.upstream ?? (await startFakeUpstream({ projectList: options.list === true }))
  const stores = options.stores ?? (await openTempStores())
  const record =
    (await findMirror(stores)) ??
    (await stores.addMirror('root/pypi', {
      mirror_url: upstream.url,
      mirror_cache_expiry: EXPIRY_MS / 1000,
      mirror_no_project_list: options.list !== true,
    }))
  const warnings: string[] = []
  const mirrors = new Mirrors({
    ...ALL_NAMED,
    catalog: stores.catalog,
    blobs: stores.blobs,
    folder: join(stores.folder, 'mirrors'),
    temp: stores.folder,
    offline: options.offline === true,
    expirySeconds: 60,
    limits: withLimits({ staleWaitMs: 150, upstreamAnswerMs: 3000, backoffMostMs: 1000, ...options.limits }),
    clock: stores.clock,
    userAgent: 'test',
    warn: (message) => warnings.push(message),
    info: () => {},
  })
  return {
    stores,
    upstream,
    record,
    mirrors,
    warnings,
    mirror: () => mirrors.get(record),
    [Symbol.asyncDispose]: async () => {
      await mirrors[Symbol.asyncDispose]()
      if (options.stores === undefined) await stores[Symbol.asyncDispose]()
      if (options.upstream === undefined) await upstream.close()
    },
  }
}

async function findMirror(stores: TempStores): Promise<MirrorRecord | undefined> {
  return (await stores.catalog.read((reader) => indexAsWritten(reader, 'root/pypi'))) as MirrorRecord | undefined
}

/** Waits until upstream's list of names is here. */
async function listed(ground: Ground): Promise<void> {
  const mirror = await ground.mirror()
  for await (const _ of mirror.listed());
}

packageIndexContract({
  name: 'Mirror',
  open: async (projects: Readonly<Record<string, readonly BuiltFile[]>>) => {
    const ground = await given({ list: true })
    for (const [project, files] of Object.entries(projects)) {
      ground.upstream.addProject(project)
      for (const file of files) ground.upstream.add(project, file)
    }
    return {
      index: await ground.mirror(),
      read: async (source) => {
        if (source.from === 'blob') return await collect(await ground.stores.blobs.open(source.digest), 1e7)
        if (source.from === 'memory') return Buffer.from(source.bytes)
        return await collect(source.fetch().read(), 1e7)
      },
      [Symbol.asyncDispose]: () => ground[Symbol.asyncDispose](),
    }
  },
})

test('Mirror asks upstream once while a page is fresh, and conditionally when it is not', async () => {
  await using ground = await given()
  ground.upstream.add('acme', wheel({ name: 'acme', version: '1.0' }))
  const mirror = await ground.mirror()
  for (let each = 0; each < 3; each++) assert.equal((await mirror.project(ACME))!.files.length, 1)
  assert.equal(ground.upstream.count('/simple/acme/'), 1)
  ground.stores.clock.ms += EXPIRY_MS
  assert.equal((await mirror.project(ACME))!.files.length, 1)
  assert.equal(ground.upstream.count('/simple/acme/'), 2)
  assert.equal(ground.upstream.requests.at(-1)!.status, 304)
  await mirror.project(ACME)
  assert.equal(ground.upstream.count('/simple/acme/'), 2)
  ground.upstream.add('acme', wheel({ name: 'acme', version: '2.0' }))
  ground.stores.clock.ms += EXPIRY_MS
  assert.equal((await mirror.project(ACME))!.files.length, 2)
})

test('Mirror has a page that is used refreshed in the background before it is old', async () => {
  await using ground = await given()
  const { upstream } = ground
  upstream.add('acme', { filename: 'acme-1.0-py3-none-any.whl', bytes: 'one' })
  const mirror = await ground.mirror()
  await mirror.project(ACME)
  ground.stores.clock.ms += EXPIRY_MS * 0.7
  await mirror.project(ACME)
  assert.equal(upstream.count('/simple/acme/'), 1)
  ground.stores.clock.ms += EXPIRY_MS * 0.1
  upstream.add('acme', { filename: 'acme-2.0-py3-none-any.whl', bytes: 'two' })
  assert.equal((await mirror.project(ACME))?.files.length, 1)
  for (let wait = 0; wait < 100 && (await mirror.project(ACME))?.files.length !== 2; wait++) await delay(20)
  assert.equal((await mirror.project(ACME))?.files.length, 2)
  assert.equal(upstream.count('/simple/acme/'), 2)
})

test('Mirror serves the older page while upstream is slow, and the new one to the next request', async () => {
  await using ground = await given()
  ground.upstream.add('acme', wheel({ name: 'acme', version: '1.0' }))
  const mirror = await ground.mirror()
  await mirror.project(ACME)
  ground.upstream.add('acme', wheel({ name: 'acme', version: '2.0' }))
  ground.stores.clock.ms += EXPIRY_MS
  ground.upstream.misbehave('/simple/acme/', { kind: 'slow', ms: 700 }, { times: 1 })
  const old = (await mirror.project(ACME))!
  assert.equal(old.files.length, 1)
  assert.equal(old.stale, 'upstream has not answered yet')
  for (let wait = 0; wait < 300 && (await mirror.project(ACME))!.files.length < 2; wait++) await delay(20)
  const fresh = (await mirror.project(ACME))!
  assert.equal(fresh.files.length, 2)
  assert.equal(fresh.stale, undefined)
})

for (const status of [500, 503, 429, 403]) {
  test(`Mirror serves the older page as stale when upstream answers ${status}, and never takes that for absence`, async () => {
    await using ground = await given()
    ground.upstream.add('acme', wheel({ name: 'acme', version: '1.0' }))
    const mirror = await ground.mirror()
    await mirror.project(ACME)
    ground.stores.clock.ms += EXPIRY_MS
    ground.upstream.misbehave('*', { kind: 'status', status })
    const page = (await mirror.project(ACME))!
    assert.equal(page.files.length, 1)
    assert.match(page.stale!, new RegExp(`error ${status} getting`))
    await assert.rejects(mirror.project(projectName('other')), (error: Problem) => error.code === 'upstream-failed')
    ground.upstream.behave()
    assert.equal((await mirror.project(ACME))!.stale, undefined)
  })
}

test('Mirror believes "no such project" for a short while only', async () => {
  await using ground = await given({ limits: { negativeMs: 5000 } })
  const mirror = await ground.mirror()
  assert.equal(await mirror.project(ACME), undefined)
  ground.upstream.add('acme', wheel({ name: 'acme', version: '1.0' }))
  assert.equal(await mirror.project(ACME), undefined)
  assert.equal(ground.upstream.count('/simple/acme/'), 1)
  ground.stores.clock.ms += 5000
  assert.ok(await mirror.project(ACME))
})

test('Mirror does not ask for a name that a fresh list lacks', async () => {
  await using ground = await given({ list: true })
  ground.upstream.add('acme', wheel({ name: 'acme', version: '1.0' }))
  await listed(ground)
  const mirror = await ground.mirror()
  assert.equal(await mirror.project(projectName('secret-plan')), undefined)
  assert.equal(ground.upstream.count('/simple/secret-plan*'), 0)
  assert.ok(await mirror.project(ACME))
})

test('Mirror asks for a name that an old list lacks: it may be new', async () => {
  await using ground = await given({ list: true })
  ground.upstream.add('acme', wheel({ name: 'acme', version: '1.0' }))
  await listed(ground)
  ground.upstream.add('newer', wheel({ name: 'newer', version: '1.0' }))
  ground.stores.clock.ms += EXPIRY_MS
  const mirror = await ground.mirror()
  assert.ok(await mirror.project(projectName('newer')))
})

test('Mirror asks for a name while there is no list yet', async () => {
  await using ground = await given({ list: true })
  ground.upstream.add('acme', wheel({ name: 'acme', version: '1.0' }))
  ground.upstream.misbehave('/simple/', { kind: 'hang' })
  assert.ok(await (await ground.mirror()).project(ACME))
})

test('Mirror asks upstream once for a page, however many ask', async () => {
  await using ground = await given()
  ground.upstream.add('acme', wheel({ name: 'acme', version: '1.0' }))
  ground.upstream.misbehave('/simple/acme/', { kind: 'slow', ms: 50 })
  const mirror = await ground.mirror()
  const pages = await Promise.all(Array.from({ length: 20 }, () => mirror.project(ACME)))
  for (const page of pages) assert.equal(page!.files.length, 1)
  assert.equal(ground.upstream.count('/simple/acme/'), 1)
})

test('Mirror asks upstream once for a file, however many ask, and then never again', async () => {
  await using ground = await given()
  const file = wheel({ name: 'acme', version: '1.0' })
  const { path } = ground.upstream.add('acme', file)
  const mirror = await ground.mirror()
  const fetchOne = async () => {
    const source = (await sourceIn(mirror, ACME, file.filename))!
    assert.equal(source.from, 'upstream')
    return source.from === 'upstream' ? await collect(source.fetch().read(), 1e6) : assert.fail()
  }
  for (const bytes of await Promise.all(Array.from({ length: 10 }, fetchOne))) assert.ok(bytes.equals(file.bytes))
  assert.equal(ground.upstream.count(path), 1)
  assert.equal((await sourceIn(mirror, ACME, file.filename))!.from, 'blob')
  const [listedFile] = (await mirror.project(ACME))!.files
  assert.equal(listedFile!.held, true)
})

test('Mirror keeps nothing of a file that is not what its page says', async () => {
  await using ground = await given()
  const file = wheel({ name: 'acme', version: '1.0' })
  const { path } = ground.upstream.add('acme', file)
  ground.upstream.misbehave(path, { kind: 'wrong-bytes' }, { times: 1 })
  const mirror = await ground.mirror()
  const source = (await sourceIn(mirror, ACME, file.filename))!
  assert.ok(source.from === 'upstream')
  await assert.rejects(collect(source.fetch().read(), 1e6), (error: Problem) => error.code === 'upstream-failed')
  assert.deepEqual(await Array.fromAsync(ground.stores.blobs.list()), [])
  const again = (await sourceIn(mirror, ACME, file.filename))!
  assert.ok(again.from === 'upstream')
  assert.ok((await collect(again.fetch().read(), 1e6)).equals(file.bytes))
})

test('Mirror without upstream lists what can be delivered, and only that', async () => {
  await using ground = await given()
  const [held, other] = [wheel({ name: 'acme', version: '1.0' }), wheel({ name: 'acme', version: '2.0' })]
  ground.upstream.add('acme', held)
  ground.upstream.add('acme', other)
  const first = (await sourceIn(await ground.mirror(), ACME, held.filename))!
  assert.ok(first.from === 'upstream')
  await collect(first.fetch().read(), 1e6)
  await using offline = await given({ offline: true, stores: ground.stores, upstream: ground.upstream })
  ground.upstream.forgetRequests()
  const mirror = await offline.mirror()
  const page = (await mirror.project(ACME))!
  assert.deepEqual(
    page.files.map((file) => file.filename),
    [held.filename],
  )
  assert.deepEqual(page.versions, ['1.0'])
  const names: string[] = []
  for await (const batch of mirror.listed()) names.push(...batch.map((each) => each.name))
  assert.deepEqual(names, ['acme'])
  await assert.rejects(mirror.project(projectName('unheard')), (error: Problem) => error.code === 'upstream-offline')
  assert.equal(ground.upstream.requests.length, 0)
})

test('Mirror serves what it holds while upstream is gone, and says that it is stale', async () => {
  await using ground = await given()
  const file = wheel({ name: 'acme', version: '1.0' })
  ground.upstream.add('acme', file)
  ground.upstream.add('acme', wheel({ name: 'acme', version: '2.0' }))
  const mirror = await ground.mirror()
  const source = (await sourceIn(mirror, ACME, file.filename))!
  assert.ok(source.from === 'upstream')
  await collect(source.fetch().read(), 1e6)
  await ground.upstream.pause()
  ground.stores.clock.ms += EXPIRY_MS
  const page = (await mirror.project(ACME))!
  assert.deepEqual(
    page.files.map((each) => each.filename),
    [file.filename],
  )
  assert.ok(page.stale)
  assert.equal((await sourceIn(mirror, ACME, file.filename))!.from, 'blob')
  await assert.rejects(mirror.project(projectName('unheard')), (error: Problem) => error.code === 'upstream-failed')
  await ground.upstream.resume()
  ground.stores.clock.ms += 60_000
  const again = (await mirror.project(ACME))!
  assert.equal(again.files.length, 2)
  assert.equal(again.stale, undefined)
})

test('Mirror forgets what it knew of another upstream when its mirror_url changes, but not its files', async () => {
  await using ground = await given()
  await using other = await startFakeUpstream({ projectList: false })
  const file = wheel({ name: 'acme', version: '1.0' })
  ground.upstream.add('acme', file)
  ground.upstream.add('onlyold', wheel({ name: 'onlyold', version: '1.0' }))
  other.add('acme', wheel({ name: 'acme', version: '3.0' }))
  const mirror = await ground.mirror()
  const source = (await sourceIn(mirror, ACME, file.filename))!
  assert.ok(source.from === 'upstream')
  await collect(source.fetch().read(), 1e6)
  await mirror.project(projectName('onlyold'))
  const options = { ...ground.record.options, mirror_url: other.url }
  await ground.stores.catalog.write((writer) => changeIndex(writer, ground.record, options))
  const changed = await ground.mirrors.get({ ...ground.record, options })
  assert.equal(await changed.project(projectName('onlyold')), undefined)
  assert.deepEqual(
    (await changed.project(ACME))!.files.map((each) => each.version),
    ['3.0'],
  )
  assert.equal((await sourceIn(changed, ACME, file.filename))!.from, 'blob')
})

test('Mirror remembers its pages across a restart', async () => {
  await using ground = await given()
  ground.upstream.add('acme', wheel({ name: 'acme', version: '1.0' }))
  await (await ground.mirror()).project(ACME)
  ground.upstream.forgetRequests()
  await using again = await given({ stores: ground.stores, upstream: ground.upstream })
  assert.equal((await (await again.mirror()).project(ACME))!.files.length, 1)
  assert.equal(ground.upstream.requests.length, 0)
})

test('Mirror sends its user and password to upstream alone', async () => {
  await using ground = await given()
  const { upstream, stores } = ground
  upstream.settings.credentials = { user: 'me', password: 'p@ss' }
  upstream.settings.links = 'separate'
  const file = wheel({ name: 'acme', version: '1.0' })
  upstream.add('acme', file)
  const options = { ...ground.record.options, mirror_url: upstream.url.replace('http://', 'http://me:p%40ss@') }
  await stores.catalog.write((writer) => changeIndex(writer, ground.record, options))
  const mirror = await ground.mirrors.get({ ...ground.record, options })
  const source = (await sourceIn(mirror, ACME, file.filename))!
  assert.ok(source.from === 'upstream')
  await collect(source.fetch().read(), 1e6)
  for (const request of upstream.requests) {
    assert.equal(request.headers.authorization !== undefined, request.host === 'index', request.path)
  }
  assert.ok(upstream.requests.some((request) => request.host === 'files'))
  assert.doesNotMatch(JSON.stringify(ground.mirrors.status()), /p@ss|p%40ss/)
})
