import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ProjectName } from '../pep/name.ts'
import { difference } from './name-batches.ts'

async function* batches(names: readonly string[]): AsyncGenerator<readonly ProjectName[]> {
  for (let at = 0; at < names.length; at += 3) yield names.slice(at, at + 3) as ProjectName[]
}

test('difference() counts what came and what went, as sets do', async () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-c]{1,3}$/), { maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(names, names, async (before, now) => {
      const found = await difference(batches(before.toSorted()), batches(now.toSorted()))
      const [old, young] = [new Set(before), new Set(now)]
      assert.deepEqual(found, { added: young.difference(old).size, removed: old.difference(young).size })
    }),
  )
})
