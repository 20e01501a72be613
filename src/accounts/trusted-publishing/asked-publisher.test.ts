import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from '../../model/errors.ts'
import { LIMITS } from '../../model/limits.ts'
import { readAskedPublisher } from './asked-publisher.ts'

const GITHUB = { kind: 'github', owner: 'octo', repository: 'acme', workflow: 'release.yml', projects: ['Acme'] }
const GITLAB = { kind: 'gitlab', namespace: 'group/sub', project: 'acme', all_projects: true }
const OIDC = { kind: 'oidc', issuer: 'https://ci.example/oidc', claims: { sub: 'x' }, projects: ['acme'] }

test('readAskedPublisher() reads the three kinds, with their usual issuers', () => {
  assert.deepEqual(readAskedPublisher(GITHUB, LIMITS), {
    issuer: 'https://token.actions.githubusercontent.com',
    spec: { kind: 'github', owner: 'octo', repository: 'acme', workflow: 'release.yml' },
    projects: ['acme'],
  })
  assert.deepEqual(readAskedPublisher({ ...GITLAB, issuer: 'https://git.example' }, LIMITS), {
    issuer: 'https://git.example',
    spec: { kind: 'gitlab', namespace: 'group/sub', project: 'acme', ci_config_path: '.gitlab-ci.yml' },
  })
  assert.deepEqual(readAskedPublisher(OIDC, LIMITS), {
    issuer: 'https://ci.example/oidc',
    spec: { kind: 'oidc', claims: { sub: 'x' } },
    projects: ['acme'],
  })
})

for (const [what, fields, why] of [
  ['no kind', { ...GITHUB, kind: 'jenkins' }, /kind must be/],
  ['a key of another kind', { ...GITHUB, namespace: 'x' }, /"namespace" is not known for github/],
  ['a repository with its owner', { ...GITHUB, repository: 'octo/acme' }, /repository must be/],
  ['a path as workflow', { ...GITHUB, workflow: '../release.yml' }, /workflow must be/],
  ['a workflow with a revision', { ...GITHUB, workflow: 'a@b.yml' }, /workflow must be/],
  ['no projects', { ...GITHUB, projects: undefined }, /say for which projects/],
  ['no project in the list', { ...GITHUB, projects: [] }, /say for which projects/],
  ['projects twice', { ...GITHUB, all_projects: true }, /say for which projects/],
  ['a bad project', { ...GITHUB, projects: ['-'] }, /not a valid project name/],
  ['an issuer over plain HTTP', { ...OIDC, issuer: 'http://ci.example' }, /issuer must be/],
  ['an issuer that only looks like this machine', { ...OIDC, issuer: 'http://127.0.0.1.example' }, /issuer must be/],
  ['an issuer with a secret', { ...OIDC, issuer: 'https://a:b@ci.example' }, /issuer must be/],
  ['an issuer with a query', { ...OIDC, issuer: 'https://ci.example/?x' }, /issuer must be/],
  ['no issuer', { ...OIDC, issuer: undefined }, /issuer must be/],
  [
    'everybody on GitHub',
    { ...OIDC, issuer: 'https://token.actions.githubusercontent.com/', claims: { ref: 'main' } },
    /are of kind github/,
  ],
  ['no claims', { ...OIDC, claims: {} }, /at least one/],
  ['a claim that tells nobody apart', { ...OIDC, claims: { aud: 'airlock' } }, /tells nobody apart/],
  ['a claim that is no text', { ...OIDC, claims: { sub: 7 } }, /must be text/],
] as const) {
  test(`readAskedPublisher() refuses ${what}`, () => {
    assert.throws(
      () => readAskedPublisher(fields, LIMITS),
      (error: Problem) => error.code === 'bad-request' && why.test(error.message),
    )
  })
}

test('readAskedPublisher() takes an issuer over plain HTTP on this machine', () => {
  for (const issuer of ['http://127.0.0.1:8080', 'http://localhost:8080/oidc', 'http://[::1]:1']) {
    assert.equal(readAskedPublisher({ ...OIDC, issuer }, LIMITS).issuer, issuer)
  }
})
