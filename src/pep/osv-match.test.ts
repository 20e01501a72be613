import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matcherOf } from './osv-match.ts'
import { readAdvisory } from './osv-record.ts'

type Event = Readonly<Record<string, string>>
interface Case {
  readonly what: string
  readonly versions?: readonly string[]
  /** One list a range. */
  readonly ranges?: readonly (readonly Event[])[]
  readonly type?: string
  readonly yes: readonly string[]
  readonly no: readonly string[]
}

const from = (introduced: string): Event => ({ introduced })
const fixed = (version: string): Event => ({ fixed: version })
const last = (version: string): Event => ({ last_affected: version })
const limit = (version: string): Event => ({ limit: version })

const CASES: readonly Case[] = [
  { what: 'nothing', yes: [], no: ['1.0', '0', 'anything'] },
  {
    what: 'a list, by equality of PEP 440 and by text',
    versions: ['1.0', '2.0rc1', '1!3', 'not-a-version'],
    yes: ['1.0', '1.0.0', 'v1', '2.0-c1', '1!3.0.0', 'not-a-version'],
    no: ['1.0.1', '2.0', '3', 'Not-A-Version', '1.0.post1', ''],
  },
  {
    what: 'a local label of the version asked for, where the list has none',
    versions: ['2.0'],
    yes: ['2.0+cu118'],
    no: ['2.0.1+cu118'],
  },
  {
    what: 'local labels that the advisory names itself',
    versions: ['2.0+evil.1'],
    yes: ['2.0+evil.1', '2.0+evil-1'],
    no: ['2.0', '2.0+evil.2'],
  },
  {
    what: 'everything before a fix',
    ranges: [[from('0'), fixed('2.0')]],
    yes: ['0', '0.dev1', '1.9', '2.0rc1', '2.0.dev3'],
    no: ['2.0', '2', '2.0.0', '2.0+local', '2.0.post1', '1!0', 'legacy'],
  },
  { what: 'a start alone', ranges: [[from('1.5')]], yes: ['1.5', '99', '1.5+x'], no: ['1.4', '1.5rc1'] },
  {
    what: 'a last version, which is affected itself',
    ranges: [[from('1.0'), last('1.2')]],
    yes: ['1.0', '1.2', '1.2.0', '1.2+local'],
    no: ['1.2.1', '1.2.post1', '0.9'],
  },
  {
    what: 'several events of one range, in any order',
    ranges: [[fixed('3.1'), from('3.0'), fixed('1.5'), from('0')]],
    yes: ['0.1', '1.4', '3.0', '3.0.9'],
    no: ['1.5', '2.9', '3.1'],
  },
  {
    what: 'a range that begins again where it was mended',
    ranges: [[from('0'), fixed('1.0'), from('1.0'), fixed('2.0')]],
    yes: ['0.9', '1.0', '1.9'],
    no: ['2.0'],
  },
  {
    what: 'a range that ends where it begins',
    ranges: [[from('1.0'), fixed('1.0')]],
    yes: [],
    no: ['0.9', '1.0', '2.0'],
  },
  {
    what: 'several ranges',
    ranges: [
      [from('1.0'), fixed('1.1')],
      [from('2.0'), last('2.1')],
    ],
    yes: ['1.0', '2.1'],
    no: ['1.1', '2.2'],
  },
  {
    what: 'limits: below one of them',
    ranges: [[from('0'), limit('1.0'), limit('2.0')]],
    yes: ['0.5', '1.0', '1.9'],
    no: ['2.0', '3'],
  },
  { what: 'the limit that is none', ranges: [[from('0'), limit('*')]], yes: ['1', '99'], no: [] },
  { what: 'everything, whatever it is called', ranges: [[from('0')]], yes: ['1.0', 'legacy-2', ''], no: [] },
  {
    what: 'bounds that cannot be read: they bound nothing',
    ranges: [[from('a while ago'), fixed('one day'), fixed('3.0')]],
    yes: ['0.1', '2.9'],
    no: ['3.0'],
  },
  {
    what: 'an older event with start and end in one',
    ranges: [[{ introduced: '1', fixed: '2' }]],
    yes: ['1'],
    no: ['2'],
  },
  { what: 'ranges of commits: not at all', type: 'GIT', ranges: [[from('0')]], yes: [], no: ['1.0', 'abc'] },
  {
    what: 'ranges of another kind',
    type: 'SEMVER',
    ranges: [[from('1.0.0'), fixed('2.0.0')]],
    yes: ['1.5'],
    no: ['2'],
  },
  {
    what: 'numbers of any size, and epochs',
    ranges: [[from('2026.1'), fixed('20261122093000000000')], [from('1!0')]],
    yes: ['20261122092959999999', '1!0.1'],
    no: ['20261122093000000000', '2026.0'],
  },
  { what: 'a list and a range', versions: ['5'], ranges: [[from('0'), fixed('1')]], yes: ['5', '0.5'], no: ['1', '4'] },
]

for (const { what, versions, ranges = [], type = 'ECOSYSTEM', yes, no } of CASES) {
  test(`matcherOf() holds versions against ${what}`, () => {
    const affected = {
      package: { ecosystem: 'PyPI', name: 'acme' },
      versions,
      ranges: ranges.map((events) => ({ type, events })),
    }
    const { packages } = readAdvisory({ id: 'X-1', modified: '2026-01-01T00:00:00Z', affected: [affected] })
    const matches = matcherOf(packages[0]!.affected)
    for (const version of yes) assert.equal(matches(version), true, `${version} is affected`)
    for (const version of no) assert.equal(matches(version), false, `${version} is not affected`)
  })
}
