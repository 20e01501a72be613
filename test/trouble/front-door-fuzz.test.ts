import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzDoor } from './door-fuzz.ts'

// A million: test/soak/front-door.test.ts.
test('5,000 mutated requests are answered through the front door as without it', async (t) => {
  const { sequences, ready, doubtful } = await fuzzDoor(5_000, 20_261_128)
  t.diagnostic(`${ready} ready answers, ${doubtful} asked twice`)
  assert.ok(ready > sequences / 4, `only ${ready} of them met answers that stood ready`)
})
