import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulateDay } from '../soak/day.ts'
import { writeDayPage } from '../soak/day-page.ts'
import { growth, type Reading } from '../soak/readings.ts'

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

const CALM: Omit<Reading, 'hour'> = {
  life: 1,
  requests: 0,
  rssBytes: 100 * MIB,
  heapBytes: 20 * MIB,
  externalBytes: 5 * MIB,
  descriptors: ['pipe:[1]', 'socket:[2]'],
  handles: { Timeout: 1 },
  drafts: [],
  jobs: 0,
  mirrorFiles: 1,
  mirrorBytes: 1000,
  catalogBytes: 1000,
  blobs: 10,
  locked: '',
}

for (const [what, leak, found] of [
  ['nothing', () => ({}), []],
  ['memory that goes up and down', (hour) => ({ rssBytes: (100 + (hour % 2) * 5) * MIB }), []],
  [
    'resident memory',
    (hour) => ({ rssBytes: (100 + hour * 3) * MIB }),
    [/resident memory .* grew from 109\.0 to 127\.0/],
  ],
  ['the heap', (hour) => ({ heapBytes: (20 + hour) * MIB }), [/the heap .* grew/]],
  ['timers', (hour) => ({ handles: { Timeout: hour } }), [/handles grew from 3 to 9/]],
  ['lists', (hour) => ({ mirrorFiles: hour }), [/mirrors\/ grew/]],
  [
    'an open file',
    (hour) => ({ descriptors: [...CALM.descriptors, ...(hour > 8 ? ['/left'] : [])] }),
    [/9: .*\/left/, /10/],
  ],
  ['another socket in place of one', (hour) => ({ descriptors: ['pipe:[1]', `socket:[${hour}]`] }), []],
  ['a draft', (hour) => ({ drafts: hour === 5 ? ['half'] : [] }), [/after hour 5: drafts\/ holds half/]],
  ['a lock', (hour) => ({ locked: hour === 7 ? 'a reader' : '' }), [/after hour 7: .* a reader/]],
  ['a job', (hour) => ({ jobs: hour === 10 ? 1 : 0 }), [/after hour 10: 1 jobs wait/]],
] as const satisfies readonly [string, (hour: number) => Partial<Reading>, readonly RegExp[]][]) {
  test(`growth() finds ${what}`, () => {
    const readings = Array.from({ length: 10 }, (_, at) => ({ ...CALM, hour: at + 1, ...leak(at + 1) }))
    const complaints = growth(readings, { rssBytes: 10 * MIB, heapBytes: 2 * MIB })
    assert.equal(complaints.length, found.length, complaints.join('; '))
    for (const [at, pattern] of found.entries()) assert.match(complaints[at]!, pattern)
  })
}
