import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { JSON_TYPE } from '../../src/pep/simple.ts'
import { wheel } from '../builders/wheels.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { startWorld, type World } from '../world/world.ts'

async function mirrorNames(world: World): Promise<string[]> {
  const { result } = (await world.root.asks('/+status')).json<{ result: { mirrors: { name: string }[] } }>()
  return result.mirrors.map(({ name }) => name)
}

for (const [what, path] of [
  ['its index', '/carol/brief'],
  ['its user', '/carol'],
] as const) {
  test(`a mirror that is removed with ${what} leaves no list behind, and is not known any more`, async () => {
    await using upstream = await startFakeUpstream()
    upstream.add('acme', wheel({ name: 'acme', version: '1.0' }))
    await using world = await startWorld({ upstream, settings: { may_mirror: 'carol' } })
    const carol = await world.person('carol')
    const lists = join(world.folder, 'mirrors')
    for (const round of [1, 2]) {
      const made = await carol.asks('/carol/brief', {
        method: 'PUT',
        json: { type: 'mirror', mirror_url: upstream.url },
      })
      assert.equal(made.status, 200, made.text)
      // With its list, and with a page of its own.
      assert.match((await carol.asks('/carol/brief/+simple/')).text, /acme/, `round ${round}`)
      assert.equal((await carol.asks('/carol/brief/+simple/acme/')).status, 200)
      assert.deepEqual(await mirrorNames(world), ['root/pypi', 'carol/brief'])
      const before = await readdir(lists)
      assert.ok((await carol.asks('/carol/brief', { method: 'DELETE' })).status === 201)
      assert.deepEqual(await mirrorNames(world), ['root/pypi'])
      assert.ok((await readdir(lists)).length < before.length)
    }
    if (path === '/carol') {
      await carol.asks('/carol/brief', { method: 'PUT', json: { type: 'mirror', mirror_url: upstream.url } })
      assert.match((await carol.asks('/carol/brief/+simple/')).text, /acme/)
      assert.equal((await world.root.asks(path, { method: 'DELETE' })).status, 200)
      assert.deepEqual(await mirrorNames(world), ['root/pypi'])
    }
    for (const name of await readdir(lists)) assert.match(name, /^1\.names/)
  })
}

test('a list that a crash left of a removed mirror goes at the next start', async () => {
  await using upstream = await startFakeUpstream()
  await using world = await startWorld({ upstream })
  const left = join(world.folder, 'mirrors', '987654.names')
  await writeFile(left, 'left')
  // What a start does.
  await world.server.start()
  assert.ok(!(await readdir(join(world.folder, 'mirrors'))).includes('987654.names'))
})

test('a file that is on its way when an option of its mirror changes arrives whole, and is kept', async () => {
  await using upstream = await startFakeUpstream()
  const bytes = Buffer.alloc(300_000, 'acme')
  const { path } = upstream.add('acme', { filename: 'acme-1.0-py3-none-any.whl', bytes })
  await using world = await startWorld({ upstream })
  const page = await world.stranger.asks('/root/pypi/+simple/acme/', { accept: JSON_TYPE })
  const [file] = page.json<{ files: { url: string }[] }>().files
  const at = new URL(file!.url, 'http://x/root/pypi/+simple/acme/').pathname
  upstream.misbehave(path, { kind: 'trickle', bytesPerSecond: 600_000 })
  const onItsWay = world.stranger.asks(at)
  await delay(100)
  const changed = await world.root.asks('/root/pypi', { method: 'PATCH', json: ['mirror_cache_expiry=60'] })
  assert.equal(changed.status, 200)
  const meanwhile = await world.stranger.asks('/root/pypi/+simple/acme/')
  assert.equal(meanwhile.status, 200)
  const got = await onItsWay
  assert.equal(got.status, 200)
  assert.ok(Buffer.from(got.text).equals(bytes))
  upstream.misbehave(path, { kind: 'status', status: 500 })
  assert.equal((await world.stranger.asks(at)).status, 200)
})
