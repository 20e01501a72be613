import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulateDay } from './day.ts'
import { writeDayPage } from './day-page.ts'

const MIB = 1024 * 1024

test('24 hours of use leak nothing and answer nothing wrong', async (t) => {
  const seed = Number(process.env.AIRLOCK_TEST_SEED ?? Date.now() % 2 ** 32)
  t.diagnostic(`seed ${seed} (AIRLOCK_TEST_SEED repeats it)`)
  const report = await simulateDay({
    seed,
    hours: Number(process.env.AIRLOCK_SOAK_HOURS ?? 24),
    restartsUntilHour: 8,
    stepsPerHour: 20,
    actionsPerStep: 24,
    bounds: { rssBytes: 24 * MIB, heapBytes: 4 * MIB },
    say: (line) => process.stderr.write(`${line}\n`),
  })
  t.diagnostic(await writeDayPage('soak.md', seed, report))
  assert.deepEqual(report.complaints, [])
})
