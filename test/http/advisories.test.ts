/** OSV's API over what was imported. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { saveUser } from '../../src/catalog/accounts.ts'
import { completeImport, removeAllAdvisories, saveAdvisories } from '../../src/catalog/advisories.ts'
import { openStores } from '../../src/compose/stores.ts'
import { loadConfig } from '../../src/config/load.ts'
import { userName } from '../../src/model/names.ts'
import { readAdvisory } from '../../src/pep/osv-record.ts'
import { type AdvisoryParts, advisory } from '../builders/advisories.ts'
import { wheel } from '../builders/wheels.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { type Answer, startWorld, type World, type WorldOptions } from '../world/world.ts'

const MODIFIED = '2026-01-02T03:04:05.678901Z'
const RECORDS: readonly AdvisoryParts[] = [
  {
    id: 'PYSEC-2026-1',
    events: [{ introduced: '0' }, { fixed: '2.0' }, { introduced: '3.0' }, { fixed: '3.0.1' }],
    more: { aliases: ['CVE-2026-1'] },
  },
  { id: 'GHSA-aaaa', versions: ['1.0'] },
  { id: 'PYSEC-2026-2', versions: ['1.0'], more: { withdrawn: '2026-02-01T00:00:00Z', details: undefined } },
  { id: 'MAL-2026-7', name: 'evil', events: [{ introduced: '0' }] },
]

interface Summary {
  readonly vulns?: readonly { readonly id: string; readonly modified: string }[]
  readonly next_page_token?: string
}

async function holds(world: World, parts: readonly AdvisoryParts[]): Promise<void> {
  const stored = parts.map(advisory).map((record) => ({ ...readAdvisory(record), record: JSON.stringify(record) }))
  await world.server.stores.catalog.write(async (writer) => {
    await saveAdvisories(writer, stored)
    await completeImport(writer, '2026-03-01T00:00:00.000Z')
  })
}

async function startHolding(parts = RECORDS, options: WorldOptions = {}) {
  const world = await startWorld(options)
  await holds(world, parts)
  const asks = (path: string, json: unknown) => world.stranger.asks(path, { method: 'POST', json })
  return { world, asks, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

const acme = (version?: string, more = {}) => ({ package: { name: 'acme', ecosystem: 'PyPI' }, version, ...more })
const idsOf = (answer: Answer) => (answer.json<Summary>().vulns ?? []).map(({ id }) => id)

function isRefused(answer: Answer, status: number, code: number, why: RegExp): void {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.headers['content-type'], 'application/json')
  const { message, ...rest } = answer.json<{ code: number; message: string }>()
  assert.deepEqual(rest, { code })
  assert.match(message, why)
}

test('POST /v1/query answers with the whole records of what a version is affected by, withdrawn ones left out', async () => {
  await using given = await startHolding()
  const answer = await given.asks('/v1/query', acme('1.0.0'))
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.deepEqual(answer.json(), { vulns: [advisory(RECORDS[1]!), advisory(RECORDS[0]!)] })
  assert.deepEqual((await given.asks('/v1/query', acme('2.0'))).json(), {})
  assert.deepEqual((await given.asks('/v1/query', { package: { name: 'unknown', ecosystem: 'PyPI' } })).json(), {})
  assert.deepEqual(idsOf(await given.asks('/v1/query', acme())), ['GHSA-aaaa', 'PYSEC-2026-1'])
  assert.deepEqual(idsOf(await given.asks('/v1/query', { package: { purl: 'pkg:pypi/Acme@3.0' } })), ['PYSEC-2026-1'])
  // As pip-audit sends it, without saying what it is.
  const body = JSON.stringify(acme('3.0'))
  assert.deepEqual(idsOf(await given.world.stranger.asks('/v1/query', { method: 'POST', body })), ['PYSEC-2026-1'])
})

test('POST /v1/querybatch answers each question in its place, by id and time of change', async () => {
  await using given = await startHolding()
  const evil = { package: { name: 'Evil', ecosystem: 'PyPI' }, version: 'whatever' }
  const answer = await given.asks('/v1/querybatch', { queries: [acme('2.0'), evil, acme('1.9'), acme('1.0')] })
  const summary = (id: string) => ({ id, modified: MODIFIED })
  assert.deepEqual(answer.json(), {
    results: [
      {},
      { vulns: [summary('MAL-2026-7')] },
      { vulns: [summary('PYSEC-2026-1')] },
      { vulns: [summary('GHSA-aaaa'), summary('PYSEC-2026-1')] },
    ],
  })
  assert.deepEqual((await given.asks('/v1/querybatch', { queries: [] })).json(), { results: [] })
})

test('long answers come in pages, and a batch is bounded as a whole', async () => {
  const parts = Array.from({ length: 5 }, (_, at) => ({ id: `X-${at}`, versions: ['1.0'] }))
  const limits = { advisoriesPerPage: 2, advisoriesPerBatch: 3, advisoryQueries: 3 }
  await using given = await startHolding(parts, { limits })
  const all: string[] = []
  for (let token: string | undefined, pages = 0; pages < 5; pages++) {
    const answer = await given.asks('/v1/query', acme('1.0', { page_token: token }))
    all.push(...idsOf(answer))
    token = answer.json<Summary>().next_page_token
    if (token === undefined) break
  }
  assert.deepEqual(all, ['X-0', 'X-1', 'X-2', 'X-3', 'X-4'])

  // As uv does it: what is not finished is asked for again, together.
  const found: string[][] = [[], [], []]
  let asked = found.map((_, place) => ({ place, query: acme('1.0') }))
  for (let rounds = 0; asked.length > 0; rounds++) {
    assert.ok(rounds < 10)
    const answer = await given.asks('/v1/querybatch', { queries: asked.map(({ query }) => query) })
    const { results } = answer.json<{ results: Summary[] }>()
    assert.ok(results.flatMap(({ vulns = [] }) => vulns).length <= 3)
    for (const [at, { vulns = [] }] of results.entries()) found[asked[at]!.place]!.push(...vulns.map(({ id }) => id))
    asked = asked.flatMap(({ place }, at) => {
      const token = results[at]!.next_page_token
      return token === undefined ? [] : [{ place, query: acme('1.0', { page_token: token }) }]
    })
  }
  assert.deepEqual(found, [all, all, all])
  const tooMany = await given.asks('/v1/querybatch', { queries: [acme(), acme(), acme(), acme()] })
  isRefused(tooMany, 400, 3, /Too many queries/)
})

test('GET /v1/vulns/{id} gives a record as it was imported, also a withdrawn one', async () => {
  await using given = await startHolding()
  const { stranger } = given.world
  assert.deepEqual((await stranger.asks('/v1/vulns/MAL-2026-7')).json(), advisory(RECORDS[3]!))
  assert.equal((await stranger.asks('/v1/vulns/PYSEC-2026-2')).json().withdrawn, '2026-02-01T00:00:00Z')
  isRefused(await stranger.asks('/v1/vulns/PYSEC-1999-1'), 404, 5, /not found/)
})

test('what cannot be answered is refused in the shape of OSV, and never answered with nothing', async () => {
  await using given = await startHolding()
  const npm = { package: { name: 'acme', ecosystem: 'npm' }, version: '1.0' }
  isRefused(await given.asks('/v1/query', npm), 400, 3, /ecosystem/)
  isRefused(await given.asks('/v1/querybatch', { queries: [acme('1.0'), npm] }), 400, 3, /ecosystem/)
  isRefused(await given.asks('/v1/query', { commit: 'abc' }), 400, 3, /commit/)
  isRefused(await given.asks('/v1/querybatch', []), 400, 3, /"queries"/)
  isRefused(await given.asks('/v1/querybatch', { queries: [null] }), 400, 3, /query/)
  const { stranger } = given.world
  isRefused(await stranger.asks('/v1/query', { method: 'POST', body: '{' }), 400, 3, /json/)
  isRefused(await stranger.asks('/v1/query', { method: 'POST' }), 400, 3, /query/)
  const large = { queries: [acme('x'.repeat(5 * 1024 * 1024))] }
  isRefused(await given.asks('/v1/querybatch', large), 413, 8, /large/i)
})

test('without an import that came to its end nobody is told that all is well', async () => {
  await using world = await startWorld()
  const asks = (path: string, json: unknown) => world.stranger.asks(path, { method: 'POST', json })
  const all = async () => [
    await asks('/v1/query', acme('1.0')),
    await asks('/v1/querybatch', { queries: [acme('1.0')] }),
    await asks('/v1/querybatch', { queries: [] }),
    await world.stranger.asks('/v1/vulns/PYSEC-2026-1'),
  ]
  for (const answer of await all()) isRefused(answer, 503, 14, /airlock advisories import/)
  await holds(world, RECORDS)
  for (const answer of await all()) assert.equal(answer.status, 200)
  await world.server.stores.catalog.write((writer) => removeAllAdvisories(writer))
  for (const answer of await all()) assert.equal(answer.status, 503)
})

test('the older JSON API tells what a release is affected by, withdrawn advisories with their time', async () => {
  await using given = await startHolding()
  const { alice } = given.world
  for (const version of ['1.0', '2.0']) await alice.uploads(await wheel({ name: 'acme', version }), 'alice/dev')
  await given.world.jobsDone()
  const told = async (path: string) =>
    (await alice.asks(`/alice/dev/pypi/acme/${path}json`)).json<{ vulnerabilities: { id: string }[] }>().vulnerabilities
  assert.deepEqual(
    (await told('1.0/')).map(({ id }) => id),
    ['GHSA-aaaa', 'PYSEC-2026-1', 'PYSEC-2026-2'],
  )
  assert.deepEqual((await told('1.0/'))[1], {
    aliases: ['CVE-2026-1'],
    details: 'PYSEC-2026-1 at length',
    fixed_in: ['2.0', '3.0.1'],
    id: 'PYSEC-2026-1',
    link: 'https://osv.dev/vulnerability/PYSEC-2026-1',
    source: 'osv',
    summary: 'What is wrong by PYSEC-2026-1',
    withdrawn: null,
  })
  assert.deepEqual(
    (await told('1.0/')).map((each) => (each as { withdrawn?: unknown }).withdrawn)[2],
    '2026-02-01T00:00:00Z',
  )
  assert.deepEqual([await told('2.0/'), await told('')], [[], []])
})

test('nobody new is called v1, and who is keeps all addresses', async () => {
  await using folder = await tempFolder()
  const config = loadConfig({ flags: { serverdir: folder.path, no_root_pypi: true }, env: {}, cwd: folder.path })
  {
    await using stores = await openStores(config, { initialise: true, alone: true })
    const user = { name: userName('v1'), created: '2026-01-01T00:00:00Z' }
    await stores!.catalog.write((writer) => saveUser(writer, user, 'created'))
  }
  await using old = await startWorld({ settings: { serverdir: folder.path } })
  assert.equal((await old.root.asks('/v1/query', { method: 'PUT', json: { acl_upload: ['root'] } })).status, 200)
  await holds(old, RECORDS)
  const asked = await old.stranger.asks('/v1/query', { method: 'POST', json: acme('1.0') })
  assert.equal(asked.text.includes('PYSEC'), false, asked.text)
  assert.equal((await old.root.uploads(await wheel({ name: 'acme', version: '1.0' }), 'v1/query')).status, 200)

  await using fresh = await startWorld()
  const refused = await fresh.root.asks('/v1', { method: 'PUT', json: { password: 'secret words' } })
  assert.equal(refused.status, 400)
  assert.match(refused.text, /kept for the address/)
})
