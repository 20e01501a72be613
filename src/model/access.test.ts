import assert from 'node:assert/strict'
import { test } from 'node:test'
import { projectName } from '../pep/name.ts'
import { type Action, ANONYMOUS, may, type Principal, publisherLabel } from './access.ts'
import { createdOptions } from './index-options.ts'
import { indexName, userName } from './names.ts'

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
const dev = { index: indexName('alice', 'dev'), project: undefined }
const upload = (...acl_upload: string[]) => ({
  do: 'upload' as const,
  options: createdOptions(alice, { acl_upload }),
  ...dev,
})
const mirror: Action = { do: 'upload', options: createdOptions(alice, { type: 'mirror' }), ...dev }

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
  [
    "upload to an index with its owner's default",
    { do: 'upload', options: createdOptions(alice, {}), ...dev },
    ['owner'],
  ],
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

const SCOPED: Principal = {
  ...PEOPLE.owner,
  scope: {
    actions: ['upload', 'read'],
    places: [
      { index: indexName('alice', 'dev'), projects: [projectName('acme')] },
      { index: indexName('alice', 'all') },
    ],
  },
}
const reading = (index: string, ...acl_pkg_read: string[]): Action => ({
  do: 'read',
  index: indexName('alice', index),
  options: createdOptions(alice, acl_pkg_read.length === 0 ? {} : { acl_pkg_read }),
})

for (const [what, action, expected] of [
  ['upload the project', { ...upload('alice'), project: projectName('acme') }, true],
  ['upload what is not known yet', upload('alice'), true],
  ['upload another project', { ...upload('alice'), project: projectName('tools') }, false],
  ['upload anything where no project is named', { ...on('all'), project: projectName('tools') }, true],
  ['upload to another index', { ...on('other'), project: projectName('acme') }, false],
  ['upload where its owner may not', { ...upload('bob'), project: projectName('acme') }, false],
  ['delete', { ...upload('alice'), do: 'delete-content', user: alice, project: projectName('acme') }, false],
  ['read what its owner may', reading('dev', 'alice'), true],
  ['read what its owner may not', reading('dev', 'bob'), false],
  ['read another index', reading('other', 'alice'), false],
  ['read another index that everybody may', reading('other'), true],
  ['change the password', { do: 'change-password', user: alice }, false],
  ['make tokens', { do: 'manage-tokens', user: alice }, false],
  ['change the index', { do: 'modify-index', user: alice }, false],
  ['create a user', { do: 'create-user' }, false],
  ['see groups', { do: 'list-groups' }, false],
] as const satisfies readonly (readonly [string, Action, boolean])[]) {
  test(`may() does ${expected ? '' : 'not '}let a token within its scopes ${what}`, () => {
    assert.equal(may(SCOPED, action), expected)
  })
}

test('may() lets a trusted publisher upload what its scope names, whatever acl_upload says, and nothing else', () => {
  const { name: _name, scope, ...nobody } = SCOPED
  const publisher = { kind: 'github', issuer: 'https://ci.example', claims: { repository: 'octo/acme' } } as const
  const build: Principal = { ...nobody, scope: { ...scope!, actions: ['upload'] }, publisher }
  const project = projectName('acme')
  assert.equal(may(build, { ...upload(), project }), true)
  assert.equal(may(build, { ...mirror, project }), false)
  assert.equal(may(build, { ...upload('alice'), do: 'upload-toxresult', project }), false)
  assert.equal(may(build, { ...upload('alice'), project: projectName('tools') }), false)
  assert.equal(may(build, { ...upload('alice'), do: 'delete-content', user: alice, project }), false)
  assert.equal(may(build, reading('dev', 'alice')), false)
  assert.equal(publisherLabel(publisher), 'github:octo/acme')
})

function on(index: string) {
  return { ...upload('alice'), index: indexName('alice', index) } as const
}
