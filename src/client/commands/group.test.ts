import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loggedIn } from '../../../test/world/client-bench.ts'

test('group shows all groups, one, or says how to make it', async () => {
  await using bench = await loggedIn()
  bench.answers['GET /+groups'] = { json: { type: 'list:group', result: { devs: ['ann', 'bob'], ops: [] } } }
  assert.deepEqual(await bench.lines('group'), ['devs: ann, bob', 'ops: '])
  assert.deepEqual(await bench.lines('group', 'devs'), ['devs: ann, bob'])
  assert.deepEqual(JSON.parse((await bench.run(['group', '--json'])).out.join('')), { devs: ['ann', 'bob'], ops: [] })
  const missing = await bench.run(['group', 'none'])
  assert.equal(missing.code, 1)
  assert.match([...missing.out, ...missing.err].join(), /airlock group none --add USER/)
})

test('group adds and removes members of what is there, and deletes', async () => {
  await using bench = await loggedIn()
  bench.answers['GET /+groups'] = { json: { type: 'list:group', result: { devs: ['ann', 'bob'] } } }
  bench.answers['PUT /+groups/devs'] = { json: { type: 'group', result: {} } }
  bench.answers['DELETE /+groups/devs'] = { json: { message: 'done' } }
  assert.deepEqual(await bench.lines('group', 'devs', '--add', 'eve', '--add', 'ann', '--remove', 'bob'), [
    'devs: ann, eve',
  ])
  assert.deepEqual(JSON.parse(String(bench.seen.at(-1)?.body)), { members: ['ann', 'eve'] })
  assert.deepEqual(await bench.lines('group', 'devs', '--delete'), ['group deleted: devs'])
})
