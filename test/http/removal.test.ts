import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { sdist, wheel } from '../builders/wheels.ts'
import { type Answer, startWorld } from '../world/world.ts'

const world = await startWorld()
after(() => world[Symbol.asyncDispose]())
const { alice, root, stranger } = world
const bob = await world.person('bob')
const built = (version: string) => wheel({ name: 'acme', version })
const pathOf = (file: ReturnType<typeof built>, index: string) =>
  `/${index}/+f/${file.sha256.slice(0, 3)}/${file.sha256.slice(3, 16)}/${file.filename}`
const remove = (path: string, who = alice) => who.asks(path, { method: 'DELETE', accept: 'application/json' })
const tell = (answer: Answer) => [answer.status, answer.json<{ message?: string }>().message]

let made = 0
/** A new index of alice with acme 1.0 (wheel, sdist) and 2.0 (wheel). */
async function given(options: Record<string, unknown> = {}): Promise<string> {
  const index = `alice/r${made++}`
  assert.equal((await alice.asks(`/${index}`, { method: 'PUT', json: options })).status, 200)
  for (const file of [built('1.0'), sdist({ name: 'acme', version: '1.0' }), built('2.0')]) {
    assert.equal((await alice.uploads(file, index)).status, 200)
  }
  return index
}
const versions = async (index: string) => {
  const answer = await stranger.asks(`/${index}/acme`, { accept: 'application/json' })
  return answer.status === 200 ? Object.keys(answer.json<{ result: object }>().result) : answer.status
}

test('DELETE of a file takes it from every page, and its address answers 410', async () => {
  const index = await given()
  const path = pathOf(built('1.0'), index)
  assert.deepEqual(tell(await remove(path)), [200, `package '${path.slice(1)}' deleted`])
  assert.deepEqual(tell(await stranger.asks(path, { accept: 'application/json' })), [
    410,
    'file existed, deleted in later serial',
  ])
  assert.equal((await stranger.asks(path)).status, 410)
  assert.deepEqual(tell(await remove(path)), [410, `file '${path.slice(1)}' existed, deleted in later serial`])
  const page = (await stranger.asks(`/${index}/+simple/acme/`)).text
  assert.ok(!page.includes(built('1.0').filename) && page.includes(built('2.0').filename))
  assert.deepEqual(await versions(index), ['2.0', '1.0'])
  const again = await alice.uploads(built('1.0'), index)
  assert.equal(again.status, 200)
  assert.equal((await stranger.asks(path)).status, 200)
})

test('DELETE of the last file of a version takes the version, and of the last version the project', async () => {
  const index = await given()
  assert.equal((await remove(pathOf(built('2.0'), index))).status, 200)
  assert.deepEqual(await versions(index), ['1.0'])
  assert.deepEqual(tell(await remove(`/${index}/acme/1.0`)), [200, "project 'acme' version '1.0' deleted"])
  assert.equal(await versions(index), 404)
  assert.equal((await stranger.asks(`/${index}/+simple/acme/`)).status, 404)
})

test('DELETE of a project takes all of it', async () => {
  const index = await given()
  assert.deepEqual(tell(await remove(`/${index}/acme/`)), [200, `project acme deleted from stage ${index}`])
  assert.equal(await versions(index), 404)
  assert.equal((await stranger.asks(pathOf(built('1.0'), index))).status, 410)
  assert.deepEqual(tell(await remove(`/${index}/acme`)), [404, 'project not found'])
})

test('DELETE on an index that is not volatile wants ?force', async () => {
  const index = await given({ volatile: false })
  const file = pathOf(built('1.0'), index)
  assert.deepEqual(tell(await remove(`/${index}/acme`)), [403, `project 'acme' is on non-volatile index ${index}`])
  for (const path of [`/${index}/acme/1.0`, file]) {
    assert.deepEqual(tell(await remove(path)), [403, 'cannot delete version on non-volatile index'])
  }
  assert.deepEqual(await versions(index), ['2.0', '1.0'])
  assert.equal((await remove(`${file}?force=`)).status, 200)
  assert.equal((await remove(`/${index}/acme/1.0?force`)).status, 200)
  assert.equal((await remove(`/${index}/acme?force=`)).status, 200)
})

test('DELETE is for the owner, root and who may upload, and for nobody else', async () => {
  const index = await given({ acl_upload: ['bob', 'alice'] })
  const paths = [`/${index}/acme/2.0`, `/${index}/acme`, pathOf(built('1.0'), index)]
  await alice.asks(`/${index}`, { method: 'PATCH', json: ['acl_upload=alice'] })
  for (const path of paths) {
    for (const who of [stranger, bob]) assert.equal((await remove(path, who)).status, 403, path)
  }
  assert.deepEqual(await versions(index), ['2.0', '1.0'])
  await alice.asks(`/${index}`, { method: 'PATCH', json: ['acl_upload=bob'] })
  assert.equal((await remove(paths[0]!, bob)).status, 200)
  assert.equal((await remove(paths[2]!, root)).status, 200)
  assert.equal((await remove(paths[1]!, alice)).status, 200)
})

for (const [path, expected] of [
  ['/alice/none/acme', 'The stage alice/none could not be found.'],
  ['/alice/dev/none', 'project not found'],
  ['/alice/dev/none/1.0', "version '1.0' of project 'none' not found on stage alice/dev"],
  ['/alice/dev/+f/abc/0123456789abc/x.whl', "package 'alice/dev/+f/abc/0123456789abc/x.whl' doesn't exist"],
] as const) {
  test(`DELETE of ${path}, which is not there, is 404 and changes nothing`, async () => {
    const before = (await stranger.asks('/+api')).headers['x-devpi-serial']
    assert.deepEqual(tell(await remove(path)), [404, expected])
    assert.equal((await stranger.asks('/+api')).headers['x-devpi-serial'], before)
  })
}

test('a replaced file’s old address answers 410, and a deleted index’s addresses too', async () => {
  const index = await given()
  const [old, other] = [built('1.0'), wheel({ name: 'acme', version: '1.0', summary: 'other' })]
  assert.equal((await alice.uploads(other, index)).status, 200)
  assert.equal((await stranger.asks(pathOf(old, index))).status, 410)
  assert.equal((await stranger.asks(pathOf(other, index))).status, 200)
  assert.equal((await remove(`/${index}`)).status, 201)
  await alice.asks(`/${index}`, { method: 'PUT', json: {} })
  assert.equal((await stranger.asks(pathOf(other, index))).status, 410)
})

test('GET of a file with Accept JSON tells its hashes, project and version', async () => {
  const index = await given()
  const answer = await stranger.asks(pathOf(built('1.0'), index), { accept: 'application/json' })
  const { result, type } = answer.json<{ result: Record<string, unknown>; type: string }>()
  const { last_modified, ...rest } = result
  assert.equal(type, 'releasefilemeta')
  assert.ok(Date.parse(String(last_modified)) > 0)
  const sha256 = built('1.0').sha256
  assert.deepEqual(rest, { hash_spec: `sha256=${sha256}`, hashes: { sha256 }, project: 'acme', version: '1.0' })
})
