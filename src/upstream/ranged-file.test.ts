import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { type FakeSettings, type FakeUpstream, startFakeUpstream } from '../../test/upstream/fake-upstream.ts'
import type { Behaviour } from '../../test/world/answer.ts'
import { NEAR } from '../../test/world/near.ts'
import { systemClock } from '../lib/clock.ts'
import { collect } from '../lib/streams.ts'
import { type Limits, withLimits } from '../model/limits.ts'
import { NotInParts } from './ranged-file.ts'
import { Upstream } from './upstream.ts'

const BYTES = randomBytes(20_000)
const TAIL = 1000

interface Ground extends AsyncDisposable {
  readonly fake: FakeUpstream
  readonly upstream: Upstream
  readonly path: string
  readonly url: string
  /** The `Range` of every request for the file. */
  ranges(): (string | undefined)[]
}

async function given(settings: Partial<FakeSettings> = {}, limits: Partial<Limits> = {}): Promise<Ground> {
  const fake = await startFakeUpstream({ projectList: false, ...settings })
  const { path, url } = fake.add('acme', { filename: 'acme-1.0-py3-none-any.whl', bytes: BYTES })
  const upstream = new Upstream({
    url: fake.url,
    ...NEAR,
    limits: withLimits({ rangedTailBytes: TAIL, rangedReads: 4, rangedBytes: 15_000, ...limits }),
    clock: systemClock,
    userAgent: 'test',
    offline: false,
  })
  return {
    fake,
    upstream,
    path,
    url,
    ranges: () => fake.requests.filter((each) => each.path === path).map((each) => each.headers.range),
    [Symbol.asyncDispose]: async () => {
      await upstream[Symbol.asyncDispose]()
      await fake.close()
    },
  }
}

const isNotInParts = (error: unknown) => error instanceof NotInParts

test('RangedFile reads the end first, and then only what is not here', async () => {
  await using ground = await given()
  const file = await ground.upstream.fileInParts(ground.url, BYTES.length)
  assert.equal(file.size, BYTES.length)
  assert.equal(file.tail.start, 19_000)
  assert.ok(file.tail.bytes.equals(BYTES.subarray(19_000)))
  assert.ok((await collect(file.read(19_500, 20_000), 1e6)).equals(BYTES.subarray(19_500)))
  assert.deepEqual(ground.ranges(), ['bytes=19000-19999'])
  assert.ok((await collect(file.read(18_500, 19_500), 1e6)).equals(BYTES.subarray(18_500, 19_500)))
  assert.ok((await collect(file.read(100, 4000), 1e6)).equals(BYTES.subarray(100, 4000)))
  assert.deepEqual(ground.ranges(), ['bytes=19000-19999', 'bytes=18500-18999', 'bytes=100-3999'])
})

test('RangedFile reads the further ahead, the further reading goes on', async () => {
  await using ground = await given()
  const file = await ground.upstream.fileInParts(ground.url, BYTES.length)
  for (let at = 0; at < 6000; at += 100) {
    assert.ok((await collect(file.read(at, at + 100), 1e6)).equals(BYTES.subarray(at, at + 100)))
  }
  assert.deepEqual(ground.ranges().slice(1), ['bytes=0-999', 'bytes=1000-2999', 'bytes=3000-6999'])
})

test('RangedFile asks that all parts be of the file that the first one was of', async () => {
  await using ground = await given()
  const file = await ground.upstream.fileInParts(ground.url, BYTES.length)
  await collect(file.read(0, 10), 1e6)
  const [first, second] = ground.fake.requests.filter((each) => each.path === ground.path)
  assert.equal(first!.headers['if-range'], undefined)
  assert.match(String(second!.headers['if-range']), /^"[0-9a-f]{64}"$/)
})

for (const [about, ranges, wanted] of [
  ['asks for the last bytes', true, [`bytes=-${TAIL}`]],
  [
    'asks for the length first where there are no last bytes',
    'no-suffix',
    [`bytes=-${TAIL}`, 'bytes=0-0', 'bytes=19000-19999'],
  ],
] as const) {
  test(`RangedFile of unknown length ${about}`, async () => {
    await using ground = await given({ ranges })
    const file = await ground.upstream.fileInParts(ground.url, undefined)
    assert.equal(file.size, BYTES.length)
    assert.ok(file.tail.bytes.equals(BYTES.subarray(19_000)))
    assert.deepEqual(ground.ranges(), wanted)
  })
}

test('RangedFile of fewer bytes than an end reads them all at once', async () => {
  await using ground = await given({}, { rangedTailBytes: 1e6, rangedBytes: 1e6 })
  for (const known of [BYTES.length, undefined]) {
    const file = await ground.upstream.fileInParts(ground.url, known)
    assert.ok((await collect(file.read(0, file.size), 1e6)).equals(BYTES))
  }
  assert.equal(ground.ranges().length, 2)
})

const MISBEHAVIOURS: readonly [about: string, behaviour: Behaviour | Partial<FakeSettings>, announced?: number][] = [
  ['knows no ranges', { ranges: false }],
  ['sends another part', { kind: 'headers', headers: { 'content-range': 'bytes 18000-18999/20000' } }],
  ['sends less than the part', { kind: 'headers', headers: { 'content-range': 'bytes 19000-19998/20000' } }],
  ['tells another length', { kind: 'headers', headers: { 'content-range': 'bytes 19000-19999/30000' } }],
  ['says nothing of the part', { kind: 'headers', headers: { 'content-range': 'pages 1-2/3' } }],
  ['packs the part', { kind: 'wrong-encoding', encoding: 'gzip' }],
  ['answers 416', { kind: 'status', status: 416 }],
  ['answers 501', { kind: 'status', status: 501 }],
  ['answers 200 and a page for people', { kind: 'login-page' }],
  ['ends the part early', { kind: 'short', afterBytes: 10 }],
  ['has a shorter file than it announces', { sizes: true }, 30_000],
  ['has a longer file than it announces', { sizes: true }, 19_500],
]

for (const [about, behaviour, announced = BYTES.length] of MISBEHAVIOURS) {
  test(`RangedFile is not to be had where upstream ${about}`, async () => {
    await using ground = await given('kind' in behaviour ? {} : behaviour)
    if ('kind' in behaviour) ground.fake.misbehave(ground.path, behaviour)
    await assert.rejects(ground.upstream.fileInParts(ground.url, announced), isNotInParts)
  })
}

for (const [about, changes] of [
  ['another tag', { etag: 'W/"another"' }],
  ['another date', { etag: '', 'last-modified': new Date(0).toUTCString() }],
] as const) {
  test(`RangedFile is not to be had of a file that has ${about} in the next part`, async () => {
    await using ground = await given({ etags: false })
    const weak = { etag: 'W/"one"' }
    ground.fake.misbehave(ground.path, { kind: 'headers', headers: { ...weak, ...changes } })
    ground.fake.misbehave(ground.path, { kind: 'headers', headers: weak }, { times: 1 })
    const file = await ground.upstream.fileInParts(ground.url, BYTES.length)
    await assert.rejects(collect(file.read(0, 10), 1e6), isNotInParts)
  })
}

test('RangedFile is not to be had of a file that was replaced between two reads', async () => {
  await using ground = await given()
  const file = await ground.upstream.fileInParts(ground.url, BYTES.length)
  ground.fake.misbehave(ground.path, { kind: 'headers', headers: { etag: '"first"' } }, { times: 1 })
  const other = await ground.upstream.fileInParts(ground.url, BYTES.length)
  await assert.rejects(collect(other.read(0, 10), 1e6), isNotInParts)
  await collect(file.read(0, 10), 1e6)
})

test('RangedFile has bounds: so many reads, so many bytes', async () => {
  await using ground = await given()
  const many = await ground.upstream.fileInParts(ground.url, BYTES.length)
  for (const at of [15_000, 10_000, 5000]) await collect(many.read(at, at + 1), 1e6)
  await assert.rejects(collect(many.read(0, 1), 1e6), /more than 4 reads/)
  const large = await ground.upstream.fileInParts(ground.url, BYTES.length)
  await assert.rejects(collect(large.read(0, 15_000), 1e6), /more than 15000 bytes/)
})

for (const [about, behaviour] of [
  ['says that it has no such file', { kind: 'status', status: 404 }],
  ['forbids it', { kind: 'status', status: 403 }],
  ['fails', { kind: 'status', status: 503, retryAfterSeconds: 7 }],
  ['breaks the connection', { kind: 'cut', afterBytes: 5 }],
  ['falls silent', { kind: 'hang-body' }],
] as const satisfies readonly (readonly [string, Behaviour])[]) {
  test(`Upstream.fileInParts() throws upstream-failed where upstream ${about}`, async () => {
    await using ground = await given({}, { upstreamPageMs: 300 })
    ground.fake.misbehave(ground.path, behaviour)
    await assert.rejects(ground.upstream.fileInParts(ground.url, BYTES.length), { code: 'upstream-failed' })
  })
}

test('Upstream.fileIfThere() tells absence from failure', async () => {
  await using ground = await given()
  for (const status of [404, 410]) {
    ground.fake.misbehave(ground.path, { kind: 'status', status }, { times: 1 })
    assert.equal(await ground.upstream.fileIfThere(ground.url), undefined)
  }
  for (const status of [403, 500]) {
    ground.fake.misbehave(ground.path, { kind: 'status', status }, { times: 1 })
    await assert.rejects(ground.upstream.fileIfThere(ground.url), { code: 'upstream-failed' })
  }
  assert.ok((await collect((await ground.upstream.fileIfThere(ground.url))!.bytes, 1e6)).equals(BYTES))
})
