import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { wheel } from '../../test/builders/wheels.ts'
import { asking } from '../../test/upstream/asking.ts'
import { startFakeUpstream } from '../../test/upstream/fake-upstream.ts'
import { type Listener, listen } from '../../test/world/listener.ts'
import { ALL_NAMED, NEAR } from '../../test/world/near.ts'
import { upstreamSettings } from '../config/upstream-settings.ts'
import { systemClock } from '../lib/clock.ts'
import { collect } from '../lib/streams.ts'
import type { Problem } from '../model/errors.ts'
import { createdOptions, shownOptions, updatedOptions } from '../model/index-options.ts'
import { withLimits } from '../model/limits.ts'
import { indexName, userName } from '../model/names.ts'
import type { MirrorRecord } from '../model/records.ts'
import { projectName } from '../pep/name.ts'
import { UpstreamHosts } from './hosts.ts'
import { OutgoingPolicy } from './outgoing-policy.ts'
import { placeOf } from './place.ts'
import { retryAfterMs } from './request.ts'

const ACME = projectName('acme')
const OTHER = projectName('other')
const PAGE = '<html><body><a href="acme-1.0.tar.gz">acme</a></body></html>'
const isFailure = (error: Problem) => error.code === 'upstream-failed'

/** Answers by path with a status, which may be changed. */
async function answering(statuses: Record<string, number>): Promise<Listener & { readonly asked: string[] }> {
  const asked: string[] = []
  const server = await listen((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const status = statuses[request.url!] ?? statuses['*'] ?? 404
    response.writeHead(status, { 'content-type': 'text/html', ...(status === 304 && { etag: '"1"' }) })
    response.end(status === 200 ? PAGE : '')
  })
  return Object.assign(server, { asked })
}

test('Upstream takes "forbidden" for a failure, unless the mirror says that it means absent', async () => {
  await using server = await answering({ '/': 200, '/acme/': 200, '*': 403 })
  await using strict = asking(server.url)
  await assert.rejects(strict.page(OTHER, {}), (error: Problem) => isFailure(error) && /credentials/.test(error.hint!))
  await using upstream = asking(server.url, { forbiddenIsAbsent: true })
  assert.deepEqual(await upstream.page(OTHER, {}), { kind: 'absent' })
  assert.deepEqual(server.asked.slice(-2), ['GET /other/', 'GET /'])
  await upstream.page(ACME, {})
  assert.deepEqual(await upstream.page(OTHER, {}), { kind: 'absent' })
  assert.deepEqual(server.asked.slice(-2), ['GET /other/', 'GET /acme/'])
})

test('Upstream never takes "forbidden" for absent while it is shown nothing else', async () => {
  const statuses: Record<string, number> = { '/acme/': 200, '*': 403 }
  await using server = await answering(statuses)
  await using upstream = asking(server.url, { forbiddenIsAbsent: true })
  await assert.rejects(upstream.page(OTHER, {}), isFailure)
  await upstream.page(ACME, {})
  assert.equal((await upstream.page(OTHER, {})).kind, 'absent')
  // The password has run out.
  statuses['/acme/'] = 403
  await assert.rejects(upstream.page(ACME, {}), isFailure)
  await assert.rejects(upstream.page(OTHER, {}), isFailure)
  statuses['*'] = 401
  await assert.rejects(upstream.page(OTHER, {}), isFailure)
})

for (const [value, expected] of [
  ['120', 120_000],
  [' 0 ', 0],
  ['1.5', 2000],
  ['Fri, 02 Jan 2026 00:01:00 GMT', 60_000],
  ['Thu, 01 Jan 2026 00:00:00 GMT', 0],
  ['soon', undefined],
  ['-5', undefined],
  ['', undefined],
  [undefined, undefined],
] as const) {
  test(`retryAfterMs() of ${JSON.stringify(value)}`, () => {
    assert.equal(retryAfterMs(value, { now: () => new Date('2026-01-02T00:00:00Z') }), expected)
  })
}

for (const status of [429, 503] as const) {
  test(`Upstream waits as long as ${status} asks, within the limit, and is not gone meanwhile`, async () => {
    await using server = await startFakeUpstream()
    server.add('acme', wheel({ name: 'acme', version: '1.0' }))
    const clock = { ms: Date.now(), now: () => new Date(clock.ms) }
    await using upstream = asking(server.url, { clock, limits: withLimits({ retryAfterMostMs: 90_000 }) })
    for (const [retryAfterSeconds, waits] of [
      [30, 30],
      [3600, 90],
    ] as const) {
      server.misbehave('/simple/acme/', { kind: 'status', status, retryAfterSeconds }, { times: 1 })
      await assert.rejects(upstream.page(ACME, {}), (error: Problem) => error.retrySeconds === waits)
      const asked = server.requests.length
      assert.equal(upstream.reachability.state, 'waiting')
      assert.equal(upstream.reachability.failure, undefined)
      for (const name of [ACME, OTHER]) {
        await assert.rejects(upstream.page(name, {}), (error: Problem) => error.retrySeconds === waits)
      }
      assert.equal(server.requests.length, asked)
      clock.ms += waits * 1000
      assert.equal((await upstream.page(ACME, {})).kind, 'page')
      assert.equal(upstream.reachability.state, 'closed')
    }
    assert.equal(upstream.figures.failures, 2)
  })
}

test('Upstream that answers 500 again and again is taken to be gone, and found again by itself', async () => {
  const statuses: Record<string, number> = { '*': 500 }
  await using server = await answering(statuses)
  const limits = withLimits({ upstreamErrors: 3, backoffFirstMs: 50, backoffMostMs: 100 })
  await using upstream = asking(server.url, { limits })
  for (let each = 0; each < 3; each++) {
    assert.equal(upstream.reachability.failure, undefined)
    await assert.rejects(upstream.page(ACME, {}), /error 500/)
  }
  assert.match(upstream.reachability.failure!, /error 500, 3 times in a row/)
  statuses['*'] = 200
  for (let wait = 0; wait < 500 && upstream.reachability.failure !== undefined; wait++) await delay(10)
  assert.equal(upstream.reachability.state, 'half-open')
  assert.ok(server.asked.includes('HEAD /'), 'nothing else was answered yet')
  assert.equal((await upstream.page(ACME, {})).kind, 'page')
  assert.equal(upstream.reachability.state, 'closed')
})

test('Upstream that is gone is asked by a probe alone, and no request pays for that', async () => {
  await using server = await answering({ '*': 200 })
  const limits = withLimits({ backoffFirstMs: 300, backoffMostMs: 600 })
  await using upstream = asking(server.url, { limits })
  await server.pause()
  await assert.rejects(upstream.page(ACME, {}), isFailure)
  assert.equal(upstream.reachability.state, 'open')
  await assert.rejects(upstream.page(ACME, {}), isFailure)
  assert.equal(upstream.figures.requests, 1)
  await server.resume()
  for (let wait = 0; wait < 500 && upstream.reachability.failure !== undefined; wait++) await delay(10)
  assert.equal(upstream.reachability.state, 'half-open')
  assert.deepEqual([upstream.figures.requests, server.asked.at(-1)], [1, 'HEAD /'])
})

test('Upstream opens no more connections to a host than the limit, however many mirrors ask it', async () => {
  let [now, most] = [0, 0]
  await using server = await listen(async (_request, response) => {
    most = Math.max(most, ++now)
    await delay(30)
    now--
    response.setHeader('content-type', 'text/html').end(PAGE)
  })
  const limits = withLimits({ upstreamPageConnections: 3, upstreamConnections: 2 })
  await using hosts = new UpstreamHosts({
    limits,
    clock: systemClock,
    userAgent: 'test',
    policy: new OutgoingPolicy(NEAR.outgoing),
  })
  const mirrors = ['/one/', '/two/', '/three/'].map((path) => asking(`${server.url}${path}`, { limits, hosts }))
  await Promise.all(
    mirrors.flatMap((each) => Array.from({ length: 5 }, (_, at) => each.page(projectName(`p${at}`), {}))),
  )
  assert.equal(most, 3)
  most = 0
  await Promise.all(
    mirrors.flatMap((each) =>
      Array.from({ length: 3 }, async (_, at) => collect((await each.file(`${server.url}/f${at}`)).bytes, 1000)),
    ),
  )
  assert.equal(most, 2)
})

test('placeOf() gives what the environment has to mirrors of root, and of others only where owners were named', () => {
  const environment = upstreamSettings(
    {
      HOME: '/tilde',
      AIRLOCK_MIRROR_ROOT_COMPANY_PYPI_USERNAME: 'aws',
      AIRLOCK_MIRROR_ROOT_COMPANY_PYPI_PASSWORD_FILE: 'secrets/token',
      AIRLOCK_MIRROR_ALICE_X_TOKEN: 'hush',
      AIRLOCK_MIRROR_CACHE_EXPIRY: '5',
      CURL_CA_BUNDLE: '/etc/ca.pem',
      REQUESTS_CA_BUNDLE: '',
    },
    '/srv',
  )
  assert.deepEqual(environment, {
    mirrors: {
      ROOT_COMPANY_PYPI: { username: 'aws', passwordFile: '/srv/secrets/token' },
      ALICE_X: { token: 'hush' },
    },
    netrc: '/tilde/.netrc',
    authorities: '/etc/ca.pem',
  })
  const record = (user: string, index: string): MirrorRecord => ({
    id: 1,
    name: indexName(userName(user), index),
    user: userName(user),
    options: { type: 'mirror', volatile: true, mirror_url: 'https://a.example/' },
  })
  const given = { ...ALL_NAMED, limits: withLimits({}), userAgent: 'test', environment }
  const ours = placeOf(record('root', 'company-pypi'), given)
  assert.deepEqual([ours.access?.username, ours.netrc], ['aws', '/tilde/.netrc'])
  // Of the same label, and somebody else's.
  for (const other of [record('root_company', 'pypi'), record('alice', 'x')]) {
    const { access, netrc, authorities } = placeOf(other, given)
    assert.deepEqual([access, netrc, authorities], [undefined, undefined, '/etc/ca.pem'])
  }
  assert.equal(placeOf(record('alice', 'x'), { ...given, hasNamedOwners: true }).access?.token, 'hush')
})

test('shownOptions() leaves out user and password, and what it gave may come back', () => {
  for (const [url, shown] of [
    ['https://me:pw@a.example/s/', 'https://a.example/s/'],
    ['https://token@a.example', 'https://a.example'],
    ['HTTP://a:b@c@a.example/s/@x', 'HTTP://a.example/s/@x'],
    ['https://a.example/s/@x', 'https://a.example/s/@x'],
  ] as const) {
    const options = createdOptions(userName('root'), { type: 'mirror', mirror_url: url })
    assert.ok(options.type === 'mirror')
    assert.deepEqual(shownOptions(options), { ...options, mirror_url: shown })
    assert.deepEqual(updatedOptions(options, { mirror_url: shown }), options)
    const moved = updatedOptions(options, { mirror_url: 'https://b.example/s/' })
    assert.deepEqual(moved, { ...options, mirror_url: 'https://b.example/s/' })
  }
})

test('Upstream is probed by the page that was answered last, not by its list', async () => {
  await using server = await answering({ '*': 200 })
  const limits = withLimits({ backoffFirstMs: 50, backoffMostMs: 100 })
  await using upstream = asking(server.url, { limits })
  await upstream.page(ACME, {})
  assert.equal(upstream.reachability.hasAnsweredWithin(60_000), true)
  await server.pause()
  await assert.rejects(upstream.page(OTHER, {}), isFailure)
  await server.resume()
  for (let wait = 0; wait < 500 && upstream.reachability.failure !== undefined; wait++) await delay(10)
  assert.equal(server.asked.at(-1), 'HEAD /acme/')
})
