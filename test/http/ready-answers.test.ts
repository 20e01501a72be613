import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { type Answer, startWorld, type World } from '../world/world.ts'

const PAGE = '/alice/dev/+simple/acme/'
const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'

/** The server's port, and requests to it on one connection. */
async function onPort(world: World) {
  await world.server.app.ready()
  const listener = world.server.createListener()
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    get: (path: string, headers: Readonly<Record<string, string>> = {}) =>
      new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }>((resolve, reject) => {
        request({ port, host: '127.0.0.1', path, headers, agent }, (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk
          })
          response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
        })
          .on('error', reject)
          .end()
      }),
    [Symbol.asyncDispose]: async () => {
      agent.destroy()
      listener.closeAllConnections()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

async function readyCount(world: World): Promise<number> {
  const { text } = await world.stranger.asks('/+metrics')
  return Number(/^airlock_ready_answers_total (\d+)$/m.exec(text)?.[1])
}

async function uploaded(answer: Promise<Answer>): Promise<void> {
  assert.equal((await answer).status, 200)
}

test('a page that was asked for stands ready, is counted and logged as any other, and is the same', async () => {
  await using world = await startWorld()
  await using port = await onPort(world)
  await uploaded(world.alice.uploads(wheel({ name: 'acme', version: '1.0' }), 'alice/dev'))
  const first = await port.get(PAGE, { accept: JSON_TYPE })
  const again = await port.get(PAGE, { accept: JSON_TYPE })
  assert.deepEqual({ ...again.headers, date: '' }, { ...first.headers, date: '' })
  assert.equal(again.text, first.text)
  assert.equal(await readyCount(world), 1)
  const logged = world.logged.filter((line) => line['request.path'] === PAGE)
  assert.equal(logged.length, 2)
  const { duration_ms: _first, time: _one, ...one } = logged[0]!
  const { duration_ms: _again, time: _other, ...other } = logged[1]!
  assert.deepEqual(other, one)
})

test('an upload shows on the very next request, every time', async () => {
  await using world = await startWorld()
  await using port = await onPort(world)
  for (let at = 0; at < 50; at++) {
    await uploaded(world.alice.uploads(wheel({ name: 'acme', version: `1.${at}` }), 'alice/dev'))
    for (const time of [1, 2, 3]) {
      const { text } = await port.get(PAGE)
      assert.ok(text.includes(`acme-1.${at}-`), `request ${time} after upload ${at}`)
    }
  }
  assert.ok((await readyCount(world)) >= 50)
})

test('what is no more is not answered any more: deleted, yanked, quarantined, closed to readers', async () => {
  await using world = await startWorld()
  await using port = await onPort(world)
  await uploaded(world.alice.uploads(wheel({ name: 'acme', version: '1.0' }), 'alice/dev'))
  const ready = async (path: string) => {
    const before = await readyCount(world)
    await port.get(path, { accept: JSON_TYPE })
    await port.get(path, { accept: JSON_TYPE })
    assert.equal(await readyCount(world), before + 1)
    return await port.get(path, { accept: JSON_TYPE })
  }
  const page = JSON.parse((await ready(PAGE)).text) as { files: { url: string }[] }
  const file = new URL(page.files[0]!.url, `http://x${PAGE}`).pathname
  assert.equal((await ready(file)).status, 200)
  const statusUrl = '/alice/dev/+status/acme'
  const change = async (json: object) => {
    const { status, text } = await world.alice.asks(statusUrl, { method: 'PUT', json })
    assert.ok(status < 300, text)
  }
  await change({ status: 'quarantined' })
  assert.notEqual((await port.get(file)).status, 200)
  assert.doesNotMatch((await port.get(PAGE)).text, /whl/)
  await change({ status: 'active' })
  assert.equal((await ready(file)).status, 200)
  await world.alice.asks('/alice/dev/acme/1.0', { method: 'DELETE' })
  assert.notEqual((await port.get(file)).status, 200)
  await uploaded(world.alice.uploads(wheel({ name: 'acme', version: '2.0' }), 'alice/dev'))
  assert.match((await ready(PAGE)).text, /acme-2\.0-/)
  await world.alice.asks('/alice/dev', { method: 'PATCH', json: ['acl_pkg_read=alice'] })
  assert.equal((await port.get(PAGE)).status, 401)
  const before = await readyCount(world)
  const closed = { ...world.alice.credentials, accept: JSON_TYPE }
  for (const time of [1, 2]) assert.equal((await port.get(PAGE, closed)).status, 200, `time ${time}`)
  assert.equal(await readyCount(world), before, 'what only some may read stands nowhere')
})

test('of many who ask for a page at the same time one has it made, and all get the same', async () => {
  await using world = await startWorld()
  await uploaded(world.alice.uploads(wheel({ name: 'acme', version: '1.0' }), 'alice/dev'))
  const { catalog } = world.server.stores
  const read = catalog.read.bind(catalog)
  let reads = 0
  catalog.read = async (fn) => {
    reads++
    return await read(fn)
  }
  const ask = () => world.stranger.asks(PAGE, { accept: JSON_TYPE })
  const one = await ask()
  const readsOfOne = reads
  await uploaded(world.alice.uploads(wheel({ name: 'acme', version: '1.1' }), 'alice/dev'))
  await world.jobsDone()
  reads = 0
  const many = await Promise.all(Array.from({ length: 16 }, ask))
  const readsOfMany = reads
  const { date: _date, ...wanted } = many[0]!.headers
  for (const each of many) {
    assert.equal(each.text, many[0]!.text)
    assert.deepEqual({ ...each.headers, date: undefined }, { ...wanted, date: undefined })
  }
  assert.match(many[0]!.text, /acme-1\.1-/)
  assert.notEqual(many[0]!.headers.etag, one.headers.etag)
  // Each looks the index up; the page is read once.
  assert.ok(readsOfMany < 16 + 2 * readsOfOne, `${readsOfMany} reads for 16, ${readsOfOne} for one`)
})
