/** What upstream takes back, as clients of a mirror see it. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { changesSince } from '../../src/catalog/journal.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { startWorld } from '../world/world.ts'

const upstream = await startFakeUpstream()
const world = await startWorld({ upstream })
after(async () => {
  await world[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})
const { root, stranger } = world
const wheelOf = (name: string, version: string) => `${name}-${version}-py3-none-any.whl`
const simple = { accept: 'application/vnd.pypi.simple.v1+json' }

interface Listed {
  filename: string
  url: string
  yanked?: boolean | string
}
const listed = async (name: string) => {
  const answer = await stranger.asks(`/root/pypi/+simple/${name}/`, simple)
  return answer.status === 200 ? answer.json<{ files: Listed[] }>().files : []
}

for (const [policy, isListed, status] of [
  ['keep', true, 200],
  ['follow', false, 403],
  ['block', false, 403],
] as const) {
  test(`mirror_removals=${policy}: a removed file is ${isListed ? 'listed as yanked' : 'not listed'}, its address ${status}`, async () => {
    const name = `gone${policy}`
    for (const version of ['1.0', '2.0'])
      upstream.add(name, { filename: wheelOf(name, version), bytes: name + version })
    await root.asks('/root/pypi', { method: 'PATCH', json: [`mirror_removals=${policy}`] })
    world.passes(3_600_000)
    const address = (await listed(name)).find((file) => file.filename === wheelOf(name, '1.0'))!.url
    const path = `/root/pypi/+simple/${name}/${address}`
    const at = new URL(path, 'http://x').pathname
    assert.equal((await stranger.asks(at)).status, 200)
    const serial = await world.server.stores.catalog.latestSerial()
    upstream.remove(name, wheelOf(name, '1.0'))
    world.passes(3_600_000)
    const files = await listed(name)
    const gone = files.find((file) => file.filename === wheelOf(name, '1.0'))
    assert.ok(files.some((file) => file.filename === wheelOf(name, '2.0') && !file.yanked))
    assert.equal(gone !== undefined, isListed)
    if (gone !== undefined) assert.match(String(gone.yanked), /^removed from upstream, as seen on \d{4}-\d\d-\d\d$/)
    assert.equal((await stranger.asks(at)).status, status)
    const journal = await world.server.stores.catalog.read((reader) => changesSince(reader, serial, 10))
    assert.match(JSON.stringify(journal), new RegExp(`removed ${wheelOf(name, '1.0')}`))

    upstream.add(name, { filename: wheelOf(name, '1.0'), bytes: `${name}1.0` })
    world.passes(3_600_000)
    assert.ok((await listed(name)).some((file) => file.filename === wheelOf(name, '1.0') && !file.yanked))
    assert.equal((await stranger.asks(at)).status, 200)
  })
}

test('a quarantined project is not delivered, held or not, until it is free again', async () => {
  const name = 'suspect'
  upstream.add(name, { filename: wheelOf(name, '1.0'), bytes: name })
  await root.asks('/root/pypi', { method: 'PATCH', json: ['mirror_removals=keep'] })
  world.passes(3_600_000)
  const [file] = await listed(name)
  const at = new URL(`/root/pypi/+simple/${name}/${file!.url}`, 'http://x').pathname
  assert.equal((await stranger.asks(at)).status, 200)
  upstream.setStatus(name, 'quarantined', 'malware')
  world.passes(3_600_000)
  assert.deepEqual(await listed(name), [])
  const refused = await stranger.asks(at)
  assert.equal(refused.status, 403)
  assert.match(refused.text, /quarantined/)
  upstream.setStatus(name, 'active')
  world.passes(3_600_000)
  assert.equal((await listed(name)).length, 1)
  assert.equal((await stranger.asks(at)).status, 200)
})

test('a yank upstream is shown at the next revalidation, with its reason', async () => {
  const name = 'regretted'
  upstream.add(name, { filename: wheelOf(name, '1.0'), bytes: name })
  world.passes(3_600_000)
  assert.equal((await listed(name))[0]?.yanked, undefined)
  upstream.yank(name, wheelOf(name, '1.0'), 'oh no')
  world.passes(3_600_000)
  assert.equal((await listed(name))[0]?.yanked, 'oh no')
})

test('a file that is on its way when its project is quarantined is not delivered afterwards', async () => {
  const name = 'overtaken'
  const filename = wheelOf(name, '1.0')
  const { path } = upstream.add(name, { filename, bytes: Buffer.alloc(200_000, name) })
  world.passes(3_600_000)
  const [file] = await listed(name)
  const at = new URL(`/root/pypi/+simple/${name}/${file!.url}`, 'http://x').pathname
  upstream.misbehave(path, { kind: 'trickle', bytesPerSecond: 400_000 })
  const onItsWay = stranger.asks(at)
  await delay(100)
  upstream.setStatus(name, 'quarantined', 'malware')
  world.passes(3_600_000)
  assert.deepEqual(await listed(name), [])
  await onItsWay
  assert.equal((await stranger.asks(at)).status, 403)
})
