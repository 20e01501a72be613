import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzDoor } from '../trouble/door-fuzz.ts'

test('a million mutated requests are answered through the front door as without it', async () => {
  const { sequences, ready } = await fuzzDoor(1_000_000, 1_128_2026)
  assert.ok(ready > sequences / 4, `only ${ready} of them met answers that stood ready`)
})
