import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../lib/digest.ts'
import { indexName } from '../model/names.ts'
import type { File } from '../model/records.ts'
import { projectName } from '../pep/name.ts'
import type { DistributionFile, ProjectDetail } from '../pep/simple.ts'
import { checkDeliverable, listable, type RemovalPolicy } from './removal-policy.ts'
import { restated, upstreamChanges } from './upstream-changes.ts'

const NOW = '2026-01-02T03:04:05.000Z'
const file = (filename: string, yanked?: true | string): DistributionFile => ({
  filename,
  url: `https://files.example.org/${filename}`,
  hashes: {},
  ...(yanked !== undefined && { yanked }),
})
type Status = NonNullable<ProjectDetail['status']>['status']
const page = (files: readonly DistributionFile[], status?: Status): ProjectDetail => ({
  name: projectName('acme'),
  files,
  versions: [],
  ...(status !== undefined && { status: { status } }),
})
const held = (filename: string, more: Partial<File> = {}): File => ({
  id: 1,
  index: indexName('root', 'pypi'),
  project: projectName('acme'),
  version: '1.0',
  filename,
  digest: digestOf(filename),
  sizeBytes: 1,
  uploadTime: NOW,
  addressHash: digestOf(filename),
  log: [],
  ...more,
})

for (const [what, before, after, expected] of [
  ['nothing', page([file('a')]), page([file('a')]), []],
  ['a new file', page([file('a')]), page([file('a'), file('b')]), []],
  ['a first page', undefined, page([file('a')]), []],
  ['a removed file', page([file('a'), file('b')]), page([file('b')]), ['removed a']],
  ['a removed project', page([file('a')]), undefined, ['removed a']],
  ['a yank', page([file('a')]), page([file('a', 'broken')]), ['yanked a']],
  ['a yank taken back', page([file('a', true)]), page([file('a')]), ['unyanked a']],
  ['another reason', page([file('a', true)]), page([file('a', 'worse')]), []],
  ['a status', page([file('a')]), page([file('a')], 'archived'), ['status archived']],
  ['quarantine', page([file('a')]), page([], 'quarantined'), ['removed a', 'status quarantined']],
  ['its end', page([], 'quarantined'), page([file('a')]), ['status active']],
] as const) {
  test(`upstreamChanges() tells of ${what}`, () => {
    const told = upstreamChanges(before, after).map((each) =>
      each.what === 'status' ? `status ${each.status}` : `${each.what} ${each.filename}`,
    )
    assert.deepEqual(told, expected)
  })
}

for (const [what, before, after, row, expected] of [
  ['a file as before', page([file('a')]), page([file('a')]), held('a'), undefined],
  ['a removed file', page([file('a')]), page([]), held('a'), { state: { removed: NOW } }],
  ['a removed project', page([file('a')]), undefined, held('a'), { state: { removed: NOW } }],
  ['one removed long ago', page([]), page([]), held('a', { upstream: { removed: 'then' } }), undefined],
  ['one that came back', page([]), page([file('a')]), held('a', { upstream: { removed: 'then' } }), {}],
  ['one of another upstream', page([file('b')]), page([file('b')]), held('a'), undefined],
  ['one nobody knows before', undefined, page([file('b')]), held('a'), undefined],
  ['a yanked file', page([file('a')]), page([file('a', 'bad')]), held('a'), { yanked: 'bad' }],
  [
    'a yanked one, then removed',
    page([file('a', 'bad')]),
    page([]),
    held('a', { yanked: 'bad' }),
    { yanked: 'bad', state: { removed: NOW } },
  ],
  ['quarantine', page([file('a')]), page([], 'quarantined'), held('a'), { state: 'quarantined' }],
  ['the end of quarantine', page([], 'quarantined'), page([file('a')]), held('a', { upstream: 'quarantined' }), {}],
] as const) {
  test(`restated() for ${what}`, () => {
    const [said, ...more] = restated([row], before, after, NOW)
    assert.deepEqual(more, [])
    assert.deepEqual(said, expected === undefined ? undefined : { file: row, ...expected })
  })
}

const REMOVED = held('a', { upstream: { removed: NOW } })
for (const [policy, row, isListed, isDelivered] of [
  ['keep', held('a'), true, true],
  ['keep', held('a', { yanked: 'bad' }), true, true],
  ['keep', REMOVED, 'removed from upstream, as seen on 2026-01-02', true],
  ['keep', held('a', { upstream: 'quarantined' }), false, false],
  ['follow', held('a', { yanked: true }), true, true],
  ['follow', REMOVED, false, false],
  ['follow', held('a', { upstream: 'quarantined' }), false, false],
  ['block', held('a'), true, true],
  ['block', held('a', { yanked: 'bad' }), true, false],
  ['block', REMOVED, false, false],
] as const satisfies readonly (readonly [RemovalPolicy, File, boolean | string, boolean])[]) {
  const state = JSON.stringify({ upstream: row.upstream, yanked: row.yanked })
  test(`mirror_removals ${policy} of ${state}: listed ${isListed}, delivered ${isDelivered}`, () => {
    const shown = listable(policy, row)
    assert.equal(shown !== undefined, isListed !== false)
    if (typeof isListed === 'string') assert.equal(shown?.yanked, isListed)
    if (isDelivered) checkDeliverable(policy, row)
    else assert.throws(() => checkDeliverable(policy, row), { code: 'file-withheld' })
  })
}
