import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contradicts, isSamePublisher, publisherOf, publisherText, publisherUrl } from './attestation-publisher.ts'

/** A UTF8String in DER. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  const length = bytes.length < 0x80 ? [bytes.length] : [0x82, bytes.length >> 8, bytes.length & 0xff]
  return Buffer.concat([Buffer.of(0x0c, ...length), bytes])
}
const extensions = (values: Readonly<Record<number, string | Buffer>>) =>
  new Map(
    Object.entries(values).map(([id, value]) => [
      `1.3.6.1.4.1.57264.1.${id}`,
      typeof value === 'string' ? text(value) : value,
    ]),
  )

const GITHUB = 'https://token.actions.githubusercontent.com'
const long = 'w'.repeat(200)
for (const [what, issuer, subject, values, expected] of [
  [
    'a workflow of GitHub',
    GITHUB,
    'https://github.com/acme/shared/.github/workflows/reused.yml@refs/heads/main',
    {
      12: 'https://github.com/acme/widget',
      18: 'https://github.com/acme/widget/.github/workflows/release.yml@refs/tags/v1',
    },
    { kind: 'GitHub', repository: 'acme/widget', workflow: 'release.yml', environment: null },
  ],
  [
    'a long name',
    GITHUB,
    undefined,
    { 12: 'https://github.com/acme/widget', 18: `https://github.com/acme/widget/.github/workflows/${long}.yml@main` },
    { kind: 'GitHub', repository: 'acme/widget', workflow: `${long}.yml`, environment: null },
  ],
  [
    "another repository's workflow",
    GITHUB,
    'https://github.com/evil/widget/.github/workflows/release.yml@main',
    { 12: 'https://github.com/acme/widget', 18: 'https://github.com/evil/widget/.github/workflows/release.yml@main' },
    {
      kind: GITHUB,
      identity: 'https://github.com/evil/widget/.github/workflows/release.yml@main',
      repository: 'https://github.com/acme/widget',
    },
  ],
  [
    "GitHub's address from another issuer",
    'https://issuer.example',
    'https://github.com/acme/widget/.github/workflows/release.yml@main',
    {},
    { kind: 'https://issuer.example', identity: 'https://github.com/acme/widget/.github/workflows/release.yml@main' },
  ],
  [
    'a pipeline of GitLab',
    'https://gitlab.com',
    'https://gitlab.com/acme/tools/widget//ci/release.yml@refs/heads/main',
    { 12: 'https://gitlab.com/acme/tools/widget' },
    { kind: 'GitLab', repository: 'acme/tools/widget', workflow_filepath: 'ci/release.yml', environment: null },
  ],
  [
    'an account of Google',
    'https://accounts.google.com',
    'r@acme.example',
    {},
    { kind: 'Google', email: 'r@acme.example' },
  ],
  [
    'nobody',
    undefined,
    undefined,
    { 12: Buffer.of(0x0c, 0x05, 0x41), 18: Buffer.of(0x02, 0x01, 0x41) },
    { kind: 'unknown' },
  ],
] as const) {
  test(`publisherOf() knows ${what}`, () => {
    assert.deepEqual(publisherOf({ issuer, subject, extensions: extensions(values) }), expected)
  })
}

test('isSamePublisher() and contradicts() compare what both tell, without the environment', () => {
  const own = { kind: 'GitHub', repository: 'acme/widget', workflow: 'release.yml', environment: null }
  for (const [other, isSame, isDenied] of [
    [own, true, false],
    [{ ...own, environment: 'release' }, true, false],
    [{ ...own, repository: 'Acme/Widget', claims: { sub: 'x' } }, true, false],
    [{ ...own, workflow: 'Release.yml' }, false, true],
    [{ ...own, repository: 'acme/gadget' }, false, true],
    [{ kind: 'GitLab', repository: 'acme/widget' }, false, true],
    [{ kind: 'GitHub' }, false, true],
    [{ kind: 'ActiveState', organization: 'acme' }, false, true],
  ] as const) {
    assert.equal(isSamePublisher(own, other), isSame, JSON.stringify(other))
    assert.equal(contradicts(other as typeof own, own), isDenied, JSON.stringify(other))
  }
  assert.equal(contradicts({ kind: 'ActiveState' }, { kind: 'https://platform.example', identity: 'x' }), false)
})

test('publisherText() and publisherUrl() show people who it is, and lead nowhere else', () => {
  assert.equal(publisherText({ kind: 'GitHub', repository: 'a/b', workflow: 'c.yml' }), 'GitHub a/b (c.yml)')
  assert.equal(publisherText({ kind: 'Google', email: 'r@a.example' }), 'Google r@a.example')
  assert.equal(publisherText({ kind: 'x' }), 'x')
  assert.equal(publisherUrl({ kind: 'GitHub', repository: 'a/b' }), 'https://github.com/a/b')
  assert.equal(publisherUrl({ kind: 'GitLab', repository: 'a/b/c' }), 'https://gitlab.com/a/b/c')
  for (const repository of ['a', 'a/../b?x', '//evil.example/a', 'a/b#c', '']) {
    assert.equal(publisherUrl({ kind: 'GitHub', repository }), undefined, repository)
  }
  assert.equal(publisherUrl({ kind: 'x', repository: 'a/b' }), undefined)
})
