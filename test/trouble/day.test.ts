import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulateDay } from '../soak/day.ts'
import { writeDayPage } from '../soak/day-page.ts'

const MIB = 1024 * 1024

test('4 hours of use, restarts and faults upstream leak nothing and answer nothing wrong', async (t) => {
  const seed = Number(process.env.AIRLOCK_TEST_SEED ?? Date.now() % 2 ** 32)
  t.diagnostic(`seed ${seed} (AIRLOCK_TEST_SEED repeats it)`)
  const report = await simulateDay({
    seed,
    hours: 4,
    restartsUntilHour: 2,
    stepsPerHour: 16,
    actionsPerStep: 24,
    // Too short to tell what fills up from what leaks: only what is far too much is found here, the rest by the long one.
    bounds: { rssBytes: 64 * MIB, heapBytes: 16 * MIB },
    say: () => {},
  })
  t.diagnostic(await writeDayPage('soak-short.md', seed, report))
  assert.deepEqual(report.complaints, [])
})
