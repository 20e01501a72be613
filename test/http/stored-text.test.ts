/** What users write about themselves and their indexes is bounded, and stops nobody's pages. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startWorld } from '../world/world.ts'

const world = await startWorld()
after(async () => await world[Symbol.asyncDispose]())
const { alice, stranger } = world
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])

for (const [what, fields] of [
  ['a value nested too deep', { custom_data: nested(33) }],
  ['a value nested deeper than JSON is read', { custom_data: nested(5500) }],
  ['a long title', { title: 'x'.repeat(70_000) }],
  ['texts that are long together', { title: 'x'.repeat(40_000), description: 'x'.repeat(40_000) }],
] as const) {
  test(`${what} is refused for users and indexes, and nothing is kept of it`, async () => {
    const before = (await stranger.asks('/', { headers: { accept: 'application/json' } })).text
    for (const [path, method] of [
      ['/new', 'PUT'],
      ['/alice', 'PATCH'],
      ['/alice/new', 'PUT'],
    ] as const) {
      const json = path === '/new' ? { password: 'secret-1', ...fields } : fields
      const answer = await (path === '/new' ? stranger : alice).asks(path, { method, json })
      assert.equal(answer.status, 400, `${method} ${path}: ${answer.text.slice(0, 300)}`)
    }
    assert.equal((await stranger.asks('/', { headers: { accept: 'application/json' } })).text, before)
  })
}

test('many users who keep as much as they may leave the list of users as it was', async () => {
  for (let user = 0; user < 12; user++) {
    const json = { password: 'secret-1', custom_data: [nested(31), 'x'.repeat(11_000)] }
    assert.equal((await stranger.asks(`/stranger${user}`, { method: 'PUT', json })).status, 201)
  }
  for (const accept of ['application/json', 'text/html']) {
    const answer = await stranger.asks('/', { headers: { accept } })
    assert.equal(answer.status, 200)
    assert.ok(answer.text.length < 13 * 16_000, `${accept}: ${answer.text.length}`)
  }
})
