import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MirrorStatus } from '../../mirrors/mirror-status.ts'
import { addedCounts, addedMirrors } from './all-workers.ts'

const mirror = (more: Partial<MirrorStatus>): MirrorStatus => ({
  ...{ name: 'root/pypi', upstream: 'http://upstream/', state: 'closed' },
  ...{ requests: 1, failures: 2, bytes: 3, pageHits: 4, pageMisses: 5, fileHits: 6, fileMisses: 7 },
  ...more,
})
const figures = (requests: [string, number][], uploads: number, mirrors: MirrorStatus[]) => ({
  requests: new Map(requests),
  uploads,
  ready: uploads * 2,
  mirrors,
})

test('addedCounts() adds up what all workers have answered', () => {
  const sum = addedCounts([
    figures(
      [
        ['a', 1],
        ['b', 2],
      ],
      3,
      [],
    ),
    figures([['b', 10]], 4, []),
  ])
  assert.deepEqual(
    [...sum.all],
    [
      ['a', 1],
      ['b', 12],
    ],
  )
  assert.deepEqual([sum.uploads, sum.ready], [7, 14])
})

test('addedMirrors() has each mirror once: figures added up, the worst state, the list that is known best', () => {
  const lastChange = { added: 1, removed: 0 }
  const [one, other, ...none] = addedMirrors([
    figures([], 0, [mirror({ list: { fetchedMs: 5, projects: 2, lastChange } })]),
    figures([], 0, [
      mirror({ state: 'open', failure: 'gone', list: { fetchedMs: 6, projects: 3 } }),
      mirror({ name: 'root/other' }),
    ]),
  ])
  assert.deepEqual(one, {
    ...mirror({ state: 'open', failure: 'gone', list: { fetchedMs: 6, projects: 3, lastChange } }),
    ...{ requests: 2, failures: 4, bytes: 6, pageHits: 8, pageMisses: 10, fileHits: 12, fileMisses: 14 },
  })
  assert.deepEqual(other, mirror({ name: 'root/other' }))
  assert.deepEqual(none, [])
})
