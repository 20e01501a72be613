/** Yanks of a stage's own files (PEP 592): set and undone by hand, kept by whatever else happens to the files, and shown everywhere. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { changesSince } from '../../src/catalog/journal.ts'
import { LIMITS } from '../../src/model/limits.ts'
import { sdist, wheel } from '../builders/wheels.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { type Answer, type Person, startWorld } from '../world/world.ts'

const upstream = await startFakeUpstream()
const world = await startWorld({ upstream })
after(async () => {
  await world[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})
const { alice, root, stranger } = world
const bob = await world.person('bob')
const JSON_PAGE = { accept: 'application/vnd.pypi.simple.v1+json' }
const [one, source, two] = [built('1.0'), sdist({ name: 'acme', version: '1.0' }), built('2.0')]

interface Yanked {
  filename: string
  version: string
  yanked: boolean | string
}

function built(version: string, summary = 'Something') {
  return wheel({ name: 'acme', version, summary })
}

let made = 0
/** A new index of alice with acme 1.0 (wheel, sdist) and 2.0 (wheel). */
async function given(options: Record<string, unknown> = {}): Promise<string> {
  const index = `alice/y${made++}`
  assert.equal((await alice.asks(`/${index}`, { method: 'PUT', json: options })).status, 200)
  for (const file of [one, source, two]) assert.equal((await alice.uploads(file, index)).status, 200)
  return index
}
const ask = (index: string, what: 'yank' | 'unyank', json: unknown, who: Person = alice) =>
  who.asks(`/${index}/+${what}`, { json, accept: 'application/json' })
const tell = (answer: Answer) => [answer.status, answer.json<{ message?: string }>().message]

/** What is yanked, by filename, as the two representations tell it, which must agree. */
async function yanks(index: string, project = 'acme'): Promise<Record<string, boolean | string>> {
  const json = await stranger.asks(`/${index}/+simple/${project}/`, JSON_PAGE)
  const { files } = json.json<{ files: { filename: string; yanked?: boolean | string }[] }>()
  const html = (await stranger.asks(`/${index}/+simple/${project}/`, { accept: 'text/html' })).text
  const found = files.filter((file) => file.yanked !== undefined && file.yanked !== false)
  assert.equal(html.match(/data-yanked/g)?.length ?? 0, found.length)
  for (const { filename, yanked } of found) {
    const [line = ''] = html.split('\n').filter((each) => each.includes(`>${filename}<`))
    assert.match(line, yanked === true ? /data-yanked(="")?[ >]/ : new RegExp(`data-yanked="${yanked}"`))
  }
  return Object.fromEntries(found.map(({ filename, yanked }) => [filename, yanked!]))
}

test('POST +yank marks a release, tells what changed, and +unyank takes the mark away', async () => {
  const index = await given({ volatile: false })
  const serial = await world.server.stores.catalog.latestSerial()
  const answer = await ask(index, 'yank', { project: 'Acme', version: '1.0', reason: ' broken ' })
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.json(), {
    result: [
      { filename: one.filename, version: '1.0', yanked: 'broken' },
      { filename: source.filename, version: '1.0', yanked: 'broken' },
    ],
    type: 'yankedfiles',
    message: 'yanked 2 files of acme',
  })
  assert.deepEqual(await yanks(index), { [one.filename]: 'broken', [source.filename]: 'broken' })
  const [entry] = await world.server.stores.catalog.read((reader) => changesSince(reader, serial, 10))
  assert.deepEqual(
    entry!.changes.map((change) => [change.what, 'how' in change && change.how]),
    [
      ['file', 'yanked'],
      ['file', 'yanked'],
    ],
  )
  const undone = await ask(index, 'unyank', { project: 'acme', version: '1.0' })
  assert.deepEqual(
    undone.json<{ result: Yanked[] }>().result.map((file) => file.yanked),
    [false, false],
  )
  assert.deepEqual(await yanks(index), {})
})

test('POST +yank takes one file, other spellings of a version, and no reason', async () => {
  const index = await given()
  await ask(index, 'yank', { project: 'acme', filename: source.filename })
  assert.deepEqual(await yanks(index), { [source.filename]: true })
  await ask(index, 'yank', { project: 'acme', version: '2', filename: two.filename, reason: '' })
  assert.deepEqual(await yanks(index), { [source.filename]: true, [two.filename]: true })
  await ask(index, 'yank', { project: 'acme', version: '2.0.0', reason: 'why' })
  assert.deepEqual(await yanks(index), { [source.filename]: true, [two.filename]: 'why' })
})

test('POST +yank of what is yanked so already changes nothing, and writes nothing', async () => {
  const index = await given()
  await ask(index, 'yank', { project: 'acme', version: '2.0', reason: 'why' })
  const serial = await world.server.stores.catalog.latestSerial()
  const again = await ask(index, 'yank', { project: 'acme', version: '2.0', reason: 'why' })
  assert.deepEqual(tell(again), [200, 'nothing to yank: it was so already'])
  assert.deepEqual(again.json().result, [])
  assert.deepEqual(tell(await ask(index, 'unyank', { project: 'acme', version: '1.0' })), [
    200,
    'nothing to unyank: it was so already',
  ])
  assert.equal(await world.server.stores.catalog.latestSerial(), serial)
})

for (const [what, json, status, message] of [
  ['no project', { version: '1.0' }, 400, 'Cannot yank: name a "project"'],
  ['nothing of it', { project: 'acme' }, 400, 'Cannot yank: name a "version", a "filename", or both'],
  [
    'an unknown key',
    { project: 'acme', version: '1.0', raeson: 'x' },
    400,
    'Cannot yank: "raeson" is not known, send "project", "version", "filename" and "reason"',
  ],
  ['a version that is no text', { project: 'acme', version: 1 }, 400, 'Cannot yank: write "version" as text'],
  ['a reason that is no text', { project: 'acme', version: '1.0', reason: ['x'] }, 400, /write it as text/],
  ['a reason of two lines', { project: 'acme', version: '1.0', reason: 'a\nb' }, 400, /control character/],
  [
    'a long reason',
    { project: 'acme', version: '1.0', reason: 'x'.repeat(LIMITS.reasonCharacters + 1) },
    400,
    /it has 501 characters, 500 at most/,
  ],
  ['a list', [], 400, /could not decode json/],
  ['an unknown project', { project: 'other', version: '1.0' }, 404, /The project other is not on/],
  ['a name that is none', { project: '../x', version: '1.0' }, 404, /does not exist/],
  ['an unknown version', { project: 'acme', version: '3.0' }, 404, /The version 3\.0 of project acme is not on/],
  ['an unknown file', { project: 'acme', filename: 'x.whl' }, 404, /no such file: x\.whl of acme on/],
  ['a file of another version', { project: 'acme', version: '2.0', filename: source.filename }, 404, /no such file/],
] as const) {
  test(`POST +yank refuses ${what} with ${status}, and changes nothing`, async () => {
    const index = 'alice/refusing'
    if ((await stranger.asks(`/${index}`)).status === 404) {
      await alice.asks(`/${index}`, { method: 'PUT', json: {} })
      for (const file of [one, source, two]) await alice.uploads(file, index)
    }
    const serial = await world.server.stores.catalog.latestSerial()
    const answer = await ask(index, 'yank', json)
    const [code, said] = tell(answer)
    assert.equal(code, status)
    if (typeof message === 'string') assert.equal(said, message)
    else assert.match(String(said), message)
    assert.equal(await world.server.stores.catalog.latestSerial(), serial)
  })
}

test('POST +unyank takes no reason, and a release without files has nothing to yank', async () => {
  const index = await given()
  assert.match(
    String(tell(await ask(index, 'unyank', { project: 'acme', version: '1.0', reason: 'x' }))[1]),
    /"reason"/,
  )
  await alice.registers('acme', '9.0', index)
  assert.deepEqual(tell(await ask(index, 'yank', { project: 'acme', version: '9.0' })), [
    404,
    `The version 9.0 of project acme has no files on ${index}`,
  ])
})

test('POST +yank is for who may upload or delete, on a stage', async () => {
  const index = await given({ acl_upload: ['alice'] })
  const order = { project: 'acme', version: '1.0' }
  const anonymous = await ask(index, 'yank', order, stranger)
  assert.equal(anonymous.status, 401)
  assert.match(anonymous.headers['www-authenticate'] ?? '', /^Basic/)
  assert.deepEqual(tell(await ask(index, 'yank', order, bob)), [403, `no permission to yank on ${index}`])
  assert.deepEqual(await yanks(index), {})
  await alice.asks(`/${index}`, { method: 'PATCH', json: ['acl_upload=bob'] })
  for (const who of [bob, root, alice]) {
    assert.equal((await ask(index, 'yank', order, who)).status, 200, String(who.name))
    assert.equal((await ask(index, 'unyank', order, who)).status, 200, String(who.name))
  }
  assert.match(String(tell(await ask('root/pypi', 'yank', order, root))), /^404,.*it is a mirror/)
  assert.deepEqual(tell(await ask('alice/none', 'yank', order)), [404, 'The stage alice/none could not be found.'])
})

test('a yank stays with the same content uploaded again, and goes with other content', async () => {
  const index = await given()
  await ask(index, 'yank', { project: 'acme', version: '2.0', reason: 'bad' })
  assert.equal((await alice.uploads(two, index)).status, 200)
  assert.deepEqual(await yanks(index), { [two.filename]: 'bad' })
  assert.equal((await alice.uploads(built('2.0', 'Mended'), index)).status, 200)
  assert.deepEqual(await yanks(index), {})
})

test('a yank goes along with a push, and stays where an index has the same file yanked', async () => {
  const [index, target] = [await given(), await given()]
  const push = () =>
    alice.asks(`/${index}`, { json: { name: 'acme', version: '2.0', targetindex: target }, accept: 'application/json' })
  await ask(index, 'yank', { project: 'acme', version: '2.0', reason: 'bad' })
  assert.equal((await push()).status, 200)
  assert.deepEqual(await yanks(target), { [two.filename]: 'bad' })
  await ask(index, 'unyank', { project: 'acme', version: '2.0' })
  assert.equal((await push()).status, 200)
  assert.deepEqual(await yanks(target), { [two.filename]: 'bad' })
})

test('pages for people and the JSON API say what is yanked, and a chain says it of its bases', async () => {
  const index = await given()
  await alice.asks('/alice/above', { method: 'PUT', json: { bases: [index] } })
  await ask(index, 'yank', { project: 'acme', version: '1.0', reason: 'eats <data>' })
  assert.deepEqual(Object.keys(await stranger.asks(`/alice/above/+simple/acme/`, JSON_PAGE).then(yankedIn)), [
    one.filename,
    source.filename,
  ])
  const page = async (path: string) => (await stranger.asks(path, { accept: 'text/html' })).text
  const release = await page(`/${index}/acme/1.0`)
  assert.match(release, /This release is yanked\.<\/strong>.*Reason: eats &lt;data&gt;/)
  assert.equal(release.match(/badge warn">yanked<\/span> <span class="reason">eats &lt;data&gt;/g)?.length, 2)
  assert.match(await page(`/${index}/acme`), /1\.0<\/a> <span class="badge warn">yanked/)
  const data = await stranger.asks(`/${index}/acme`, { accept: 'application/json' })
  const versions = data.json<{ result: Record<string, { yanked?: string }> }>().result
  assert.deepEqual([versions['1.0']!.yanked, versions['2.0']!.yanked], ['eats <data>', undefined])
})

test('what a mirror’s upstream yanks, for a reason, and takes again comes through both representations', async () => {
  const file = 'public-1.0-py3-none-any.whl'
  upstream.add('public', { filename: file, bytes: 'public' })
  await alice.asks('/alice/over', { method: 'PUT', json: { bases: ['root/pypi'] } })
  for (const reason of ['first', 'second', undefined, 'third']) {
    upstream.yank('public', file, reason)
    world.passes(3_600_000)
    for (const index of ['root/pypi', 'alice/over']) {
      assert.deepEqual(await yanks(index, 'public'), reason === undefined ? {} : { [file]: reason })
    }
  }
})

function yankedIn(answer: Answer): Record<string, unknown> {
  const { files } = answer.json<{ files: { filename: string; yanked?: unknown }[] }>()
  return Object.fromEntries(files.flatMap((file) => (file.yanked ? [[file.filename, file.yanked]] : [])).toSorted())
}
