import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Action, ANONYMOUS, may, type Principal } from './access.ts'
import { createdOptions } from './index-options.ts'
import { userName } from './names.ts'

const PEOPLE = {
  root: { name: userName('root'), groups: [] },
  owner: { name: userName('alice'), groups: [] },
  other: { name: userName('bob'), groups: [] },
  member: { name: userName('carol'), groups: ['devs'] },
  anonymous: ANONYMOUS,
} as const satisfies Record<string, Principal>
type Person = keyof typeof PEOPLE

const alice = userName('alice')
const root = userName('root')
const upload = (...acl_upload: string[]): Action => ({ do: 'upload', options: createdOptions(alice, { acl_upload }) })
const mirror: Action = { do: 'upload', options: createdOptions(alice, { type: 'mirror' }) }

/** devpi's table of permissions, as it is without --restrict-modify. */
for (const [what, action, allowed] of [
  ['create a user', { do: 'create-user' }, ['root', 'owner', 'other', 'member', 'anonymous']],
  ['modify a user', { do: 'modify-user', user: alice }, ['root', 'owner']],
  ['modify root', { do: 'modify-user', user: root }, ['root']],
  ['delete a user', { do: 'delete-user', user: alice }, ['root', 'owner']],
  ['delete root', { do: 'delete-user', user: root }, []],
  ['create an index', { do: 'create-index', user: alice }, ['root', 'owner']],
  ['modify an index', { do: 'modify-index', user: alice }, ['root', 'owner']],
  ['delete an index', { do: 'delete-index', user: alice }, ['root', 'owner']],
  ["upload to an index with its owner's default", { do: 'upload', options: createdOptions(alice, {}) }, ['owner']],
  ['upload where bob may', upload('bob'), ['other']],
  ['upload where root and alice may', upload('root', 'alice'), ['root', 'owner']],
  ['upload where a group may', upload(':devs'), ['member']],
  ['upload where everybody may', upload(':ANONYMOUS:'), ['root', 'owner', 'other', 'member', 'anonymous']],
  ['upload where all who are known may', upload(':authenticated:'), ['root', 'owner', 'other', 'member']],
  ['upload where nobody may', upload(), []],
  ['upload to a mirror', mirror, []],
] as const satisfies readonly (readonly [string, Action, readonly Person[]])[]) {
  test(`may() let ${allowed.length === 0 ? 'nobody' : allowed.join(', ')} ${what}`, () => {
    const found = (Object.keys(PEOPLE) as Person[]).filter((person) => may(PEOPLE[person], action))
    assert.deepEqual(found, allowed)
  })
}

test('may() does not take a group for a user of its name, nor the other way round', () => {
  assert.equal(may({ groups: ['bob'], name: userName('x') }, upload('bob')), false)
  assert.equal(may({ groups: [], name: userName('devs') }, upload(':devs')), false)
  assert.equal(may({ groups: [''] }, upload('bob')), false)
})
