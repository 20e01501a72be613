/** Every row of the whitelist table over HTTP, with an upstream that counts: a private name is never asked for. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { WHITELIST_CASES, type WhitelistCase } from '../builders/whitelist-cases.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { type Ask, startWorld } from '../world/world.ts'

const upstream = await startFakeUpstream()
const names = WHITELIST_CASES.map((_case, row) => [`acme-${row}-files`, `acme-${row}-metadata`] as const)
for (const name of names.flat()) {
  upstream.add(name, { filename: `${name.replaceAll('-', '_')}-99.0-py3-none-any.whl`, bytes: `outside ${name}` })
}
const world = await startWorld({ upstream })
after(async () => {
  await world[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})
const { alice, stranger } = world

const json: Ask = { accept: 'application/json' }
const simple: Ask = { accept: 'application/vnd.pypi.simple.v1+json' }
const WAYS: readonly ((index: string, name: string) => readonly [path: string, ask: Ask])[] = [
  (index, name) => [`/${index}/+simple/${name}/`, {}],
  (index, name) => [`/${index}/+simple/${name}/`, simple],
  (index, name) => [`/${index}/${name}/`, { headers: { 'user-agent': 'pip/26.0' } }],
  (index, name) => [`/${index}/${name}`, json],
  (index, name) => [`/${index}/${name}/99.0`, json],
  (index, name) => [`/${index}/${name}`, { accept: 'text/html' }],
  (index, name) => [`/${index}/${name}/99.0`, { accept: 'text/html' }],
  (index, name) => [`/${index}/+simple/${name}/refresh`, { method: 'POST' }],
  (index, name) => [`/${index}/${name}/refresh`, { method: 'POST' }],
]

/** The stages of the case, each once, and the mirror behind them; the first is the one to ask. */
async function chain({ inheritance, stages }: WhitelistCase, row: number, name: string, hasFiles: boolean) {
  const indexes = stages.map((_stage, place) => `alice/${name}-${place}`)
  for (const [place, stage] of [...stages.entries()].reverse()) {
    const options = {
      bases: place === 0 ? [...indexes.slice(1), 'root/pypi'] : [],
      mirror_whitelist: stage.whitelist.map((each) => (each === 'acme' ? name : each)).filter((each) => each !== 'ac*'),
      mirror_whitelist_inheritance: inheritance,
    }
    const made = await alice.asks(`/${indexes[place]}`, { method: 'PUT', json: options })
    assert.equal(made.status, 200, made.text)
    if (!stage.knows) continue
    const file = wheel({ name, version: `1.${row}.${place}` })
    const kept = hasFiles
      ? await alice.uploads(file, indexes[place]!)
      : await alice.registers(name, `1.${row}.${place}`, indexes[place]!)
    assert.equal(kept.status, 200, kept.text)
  }
  return indexes[0] ?? 'root/pypi'
}

for (const [row, each] of WHITELIST_CASES.entries()) {
  for (const [place, name] of names[row]!.entries()) {
    const hasFiles = place === 0
    const known = hasFiles ? 'with files' : 'registered without files'
    test(`${each.what}, ${known}: upstream is ${each.isShadowed ? 'never asked' : 'asked'}`, async () => {
      const index = await chain(each, row, name, hasFiles)
      upstream.forgetRequests()
      for (const way of WAYS) {
        const [path, ask] = way(index, name)
        const answer = await stranger.asks(path, ask)
        assert.ok(answer.status < 500, `${path}: ${answer.status} ${answer.text}`)
        if (each.isShadowed) assert.ok(!answer.text.includes(`${name.replaceAll('-', '_')}-99.0`), path)
      }
      const page = (await stranger.asks(`/${index}/+simple/${name}/`, simple)).text
      assert.equal(page.includes('-99.0-'), !each.isShadowed)
      const asked = upstream.requests.filter((request) => request.path.includes(name))
      assert.equal(asked.length > 0, !each.isShadowed, asked.map((request) => request.path).join(' '))
    })
  }
}
