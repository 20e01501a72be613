/**
 * The list of all projects at the public index's size: memory and time of the first and of the hundredth request, in every
 * form, and while the list is fetched anew. Memory is held to what is promised; times are told only.
 */
import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { cpuMs, forgetPeak, JSON_TYPE, listGround, read, setExpiry, WISHES, type Wish } from './list-figures.ts'

const MIB = 1024 * 1024
/** The product's promise for the default set-up. */
const MOST_BYTES = 256 * MIB
const NAMES = 900_000
const ADDED = 1000

const ground = await listGround(NAMES)
after(() => ground[Symbol.asyncDispose]())
const { server, upstream } = ground

const of = (wish: Wish) => NAMES + (wish.path.includes('/dev/') ? 1 : 0)

test('the first request waits for the list', async (t) => {
  const [html] = WISHES
  const { status, names, ms } = await read(server.url, html!, true)
  assert.deepEqual([status, names], [200, NAMES])
  await stayedSmall(t, `first request, nothing here before: ${ms.toFixed(0)} ms`)
})

for (const wish of WISHES) {
  // Who cannot read gzip is rare, and each answer 50 MB.
  const times = wish.isPlain === true ? 10 : 100
  test(`${wish.title}: request ${times} is answered as the first, and memory does not grow`, async (t) => {
    await forgetPeak(server.pid)
    const first = await read(server.url, wish, true)
    assert.deepEqual([first.status, first.names], [200, of(wish)])
    const cpuBefore = await cpuMs(server.pid)
    let last = first
    for (let request = 2; request <= times; request++) last = await read(server.url, wish)
    const cpu = (await cpuMs(server.pid)) - cpuBefore
    assert.deepEqual([last.status, last.sha256], [200, first.sha256])
    const figures = `${last.bytes} bytes; ${last.ms.toFixed(0)} ms, ${(cpu / (times - 1)).toFixed(1)} ms of CPU each`
    await stayedSmall(t, `${wish.title}: ${figures}`)
  })
}

test('four at once, in every form', async (t) => {
  await forgetPeak(server.pid)
  const replies = await Promise.all(WISHES.flatMap((wish) => Array.from({ length: 4 }, () => read(server.url, wish))))
  for (const { status } of replies) assert.equal(status, 200)
  await stayedSmall(t, `${replies.length} requests at once`)
})

// The worst order: everything else was asked for before, and now clients that do not wait between their requests.
test('while the list is fetched anew the old one is served, and then the new one', async (t) => {
  await forgetPeak(server.pid)
  await setExpiry(ground, 1)
  upstream.settings.generatedNames += ADDED
  const wish: Wish = { title: 'JSON', path: '/root/pypi/+simple/', accept: JSON_TYPE }
  const asked = upstream.count('/simple/')
  const before = await read(server.url, wish, true)
  assert.equal(before.names, NAMES)
  let answers = 0
  let slowest = 0
  let seen = before
  for (const started = performance.now(); seen.etag === before.etag; answers++) {
    assert.ok(performance.now() - started < 120_000, 'the new list did not come')
    seen = await read(server.url, wish)
    assert.equal(seen.status, 200)
    slowest = Math.max(slowest, seen.ms)
  }
  assert.ok(upstream.count('/simple/') > asked)
  assert.equal((await read(server.url, wish, true)).names, of(wish) + ADDED)
  // From here on the list stays as it is.
  await setExpiry(ground, 3600)
  await stayedSmall(t, `${answers} requests during a refresh, the slowest ${slowest.toFixed(0)} ms`)
})

async function stayedSmall(t: TestContext, what: string): Promise<void> {
  const peak = await server.peakMemoryBytes()
  t.diagnostic(`${(peak / MIB).toFixed(0).padStart(5)} MiB  ${what}`)
  assert.ok(peak < MOST_BYTES, `${(peak / MIB).toFixed(0)} MiB for ${what}; ${MOST_BYTES / MIB} are promised`)
}
