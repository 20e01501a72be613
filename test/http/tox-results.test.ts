import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { startWorld, type World } from '../world/world.ts'

const FILE = wheel({ name: 'acme', version: '1.0' })
const ADDRESS = `/alice/dev/+f/${FILE.sha256.slice(0, 3)}/${FILE.sha256.slice(3, 16)}/${FILE.filename}`
const PAGES = `/alice/dev/acme/1.0/+toxresults/${FILE.filename}`
const LIMITS = { toxShownBytes: 100_000, toxPageBytes: 150_000, toxPageResults: 6 }
const EVIL = `"'><script>alert(1)</script>`

let world: World

before(async () => {
  world = await startWorld({ limits: LIMITS })
  assert.equal((await world.alice.uploads(FILE, 'alice/dev')).status, 200)
})
after(async () => {
  await world[Symbol.asyncDispose]()
})

interface Run {
  readonly retcode?: unknown
  readonly output?: string
  readonly host?: string
  readonly name?: string
}

function report({ retcode = 0, output = 'ran', host = 'builder', name = 'py312' }: Run = {}) {
  const command = { command: ['pytest', '-x'], output, retcode }
  const environment = { python: { version: '3.12.1 (main)' }, setup: [{ ...command, retcode: 0 }], test: [command] }
  return { host, platform: 'linux', testenvs: { [name]: environment } }
}

/** Gives the result's own name. */
async function sends(result: unknown): Promise<string> {
  const answer = await world.alice.asks(ADDRESS, { json: result })
  assert.equal(answer.status, 200, answer.text)
  return answer.json<{ result: string }>().result.replace(/^.*\/|#.*$/g, '')
}

async function page(path: string): Promise<string> {
  const answer = await world.stranger.asks(path, { accept: 'text/html' })
  assert.equal(answer.status, 200, `${path}: ${answer.text}`)
  assert.match(answer.headers['content-security-policy'] ?? '', /^default-src 'none'/)
  assert.doesNotMatch(answer.text, /<script/)
  return answer.text
}

async function status(path: string): Promise<number> {
  return (await world.stranger.asks(path, { accept: 'text/html' })).status
}

test('a release without test results has no page of them, and does not speak of them', async () => {
  assert.equal(await status(PAGES), 404)
  assert.doesNotMatch(await page('/alice/dev/acme/1.0'), /Test results/)
})

test('the newest result of each environment is on the page of the release, all of them on their own', async () => {
  await sends(report({ retcode: 1, output: 'first run' }))
  const second = await sends(report({ output: 'second run' }))
  const release = await page('/alice/dev/acme/1.0')
  assert.match(release, />Test results</)
  const links = release.match(/\+toxresults\/[^"]*toxresult-[^"]*py312"/g)
  assert.deepEqual(links, [`+toxresults/${FILE.filename}/${second}#builder-linux-py312"`])
  assert.match(release, /<span class="badge stage">passed<\/span>/)
  assert.match(release, /All test results of this file/)
  const all = await page(PAGES)
  assert.equal(all.match(/#builder-linux-py312"/g)?.length, 2)
  assert.match(all, /badge warn">failed</)
  for (const path of ['/alice/dev', '/alice/dev/acme']) {
    assert.match(await page(path), /#tests">tests<\/a> <span class="badge stage">passed</, path)
  }
  const one = await page(`${PAGES}/${second}`)
  assert.match(one, /id="builder-linux-py312-test"/)
  assert.match(one, /<code>pytest -x<\/code>/)
  assert.match(one, /<pre tabindex="0">second run<\/pre>/)
  assert.doesNotMatch(one, /first run/)
})

test('one failed environment makes the release fail in lists', async () => {
  await sends(report({ retcode: 1, name: 'py313' }))
  assert.match(await page('/alice/dev'), /#tests">tests<\/a> <span class="badge warn">failed</)
})

test('a result is shown as text, whatever it holds', async () => {
  const name = await sends(report({ host: EVIL, name: EVIL, output: EVIL }))
  for (const path of [`${PAGES}/${name}`, PAGES, '/alice/dev/acme/1.0']) {
    const text = await page(path)
    assert.match(text, /&lt;script&gt;alert\(1\)/)
    assert.doesNotMatch(text, /onclick|"'>/)
  }
})

test('JSON that is no report of tox is there, and said to be unreadable', async () => {
  const name = await sends(['anything'])
  assert.match(await page(PAGES), /This result cannot be read\./)
  assert.match(await page(`${PAGES}/${name}`), /This result cannot be read: .* It can be downloaded/)
  assert.match(await page(`${PAGES}/${name}`), new RegExp(`href="[./]*alice/dev/\\+f/[^"]*/${name}">Download as JSON`))
})

test('a page reads only so much, and names what it did not read', async () => {
  const large = await sends(report({ output: 'x'.repeat(LIMITS.toxShownBytes) }))
  assert.match(await page(`${PAGES}/${large}`), /too large to be shown/)
  await using another = await startWorld({ limits: LIMITS })
  const mine = world
  world = another
  try {
    await world.alice.uploads(FILE, 'alice/dev')
    for (let run = 0; run < 9; run++) await sends(report({ name: `env${run}` }))
    const first = await page(PAGES)
    assert.equal(first.match(/Not read for this page/g)?.length, 3)
    assert.match(first, /env8</, 'the newest are read')
    // What was read is remembered, so the next page comes further.
    assert.doesNotMatch(await page(PAGES), /Not read for this page/)
  } finally {
    world = mine
  }
})

test('addresses of what is not there are answered with 404', async () => {
  for (const path of [
    `${PAGES}/nothing`,
    `${PAGES}/..%2f..%2f`,
    '/alice/dev/acme/1.0/+toxresults/other.whl',
    `/alice/dev/acme/2.0/+toxresults/${FILE.filename}`,
    `/alice/dev/other/1.0/+toxresults/${FILE.filename}`,
    `/alice/nothing/acme/1.0/+toxresults/${FILE.filename}`,
  ]) {
    assert.equal(await status(path), 404, path)
  }
})

test('the page of a release tells the history of its files', async () => {
  const again = wheel({ name: 'acme', version: '1.0', summary: 'again' })
  assert.equal((await world.alice.uploads(again, 'alice/dev')).status, 200)
  const text = await page('/alice/dev/acme/1.0')
  assert.match(text, />History</)
  assert.match(text, /Uploaded to <a href="[./]*alice\/dev">alice\/dev<\/a> by alice <time /)
  assert.match(text, /Replaced to <a [^>]*>alice\/dev<\/a> by alice 1 time/)
})
