import assert from 'node:assert/strict'
import { test } from 'node:test'
import { githubClaims } from '../../../test/upstream/fake-issuer.ts'
import type { PublisherSpec } from '../../model/tokens.ts'
import { isMatching, textClaims, toldClaims } from './publisher-claims.ts'

const GITHUB: PublisherSpec = { kind: 'github', owner: 'Octo', repository: 'acme', workflow: 'release.yml' }
const BUILD = githubClaims('octo/acme', 'release.yml')
const GITLAB: PublisherSpec = {
  kind: 'gitlab',
  namespace: 'group/sub',
  project: 'acme',
  ci_config_path: '.gitlab-ci.yml',
}
const JOB = {
  sub: 'project_path:group/sub/acme:ref_type:branch:ref:main',
  project_path: 'group/sub/acme',
  ref_path: 'refs/heads/main',
  sha: 'abc',
  ci_config_ref_uri: 'gitlab.example/group/sub/acme//.gitlab-ci.yml@refs/heads/main',
}
const OIDC: PublisherSpec = { kind: 'oidc', claims: { sub: 'system:builder', team: '7' } }
const WORKLOAD = { sub: 'system:builder', team: '7' }

const ROWS: readonly (readonly [what: string, PublisherSpec, Readonly<Record<string, string>>, boolean])[] = [
  ['a build of the workflow', GITHUB, BUILD, true],
  ['names in another case', GITHUB, { ...BUILD, repository_owner: 'OCTO' }, true],
  ['the workflow at its commit', GITHUB, { ...BUILD, job_workflow_ref: workflowAt(BUILD.sha!) }, true],
  ['another repository', GITHUB, githubClaims('octo/other', 'release.yml'), false],
  ['a repository whose name goes on', GITHUB, githubClaims('octo/acme-evil', 'release.yml'), false],
  ['another owner', GITHUB, githubClaims('evil/acme', 'release.yml'), false],
  ['another workflow', GITHUB, githubClaims('octo/acme', 'ci.yml'), false],
  ['a workflow whose name goes on', GITHUB, githubClaims('octo/acme', 'release.yml.yml'), false],
  ['the workflow at another revision', GITHUB, { ...BUILD, job_workflow_ref: workflowAt('refs/heads/evil') }, false],
  ['the workflow at no revision', GITHUB, { ...BUILD, job_workflow_ref: workflowAt(''), ref: '', sha: '' }, false],
  [
    'a workflow of another repository that this one calls',
    GITHUB,
    { ...BUILD, job_workflow_ref: 'evil/acme/.github/workflows/release.yml@refs/heads/main' },
    false,
  ],
  ['a pull request with the rights of the repository', GITHUB, { ...BUILD, event_name: 'pull_request_target' }, false],
  ['no claims at all', GITHUB, {}, false],
  ['the environment', { ...GITHUB, environment: 'pypi' }, { ...BUILD, environment: 'PyPI' }, true],
  ['another environment', { ...GITHUB, environment: 'pypi' }, { ...BUILD, environment: 'test' }, false],
  ['no environment', { ...GITHUB, environment: 'pypi' }, BUILD, false],
  ['the owner’s number', { ...GITHUB, owner_id: '4242' }, BUILD, true],
  ['a new owner of an old name', { ...GITHUB, owner_id: '1' }, BUILD, false],
  ['a job of the project', GITLAB, JOB, true],
  ['a job at its commit', GITLAB, { ...JOB, ci_config_ref_uri: 'h/group/sub/acme//.gitlab-ci.yml@abc' }, true],
  ['a job of another project', GITLAB, { ...JOB, project_path: 'group/acme' }, false],
  ['another configuration', GITLAB, { ...JOB, ci_config_ref_uri: 'h/group/sub/acme//evil.yml@refs/heads/main' }, false],
  [
    'a configuration of another project',
    GITLAB,
    { ...JOB, ci_config_ref_uri: 'h/evil/group/sub/acme//.gitlab-ci.yml@refs/heads/main' },
    false,
  ],
  ['a GitLab environment in another case', { ...GITLAB, environment: 'a' }, { ...JOB, environment: 'A' }, false],
  ['every claim', OIDC, { ...WORKLOAD, more: 'x' }, true],
  ['a claim that differs', OIDC, { ...WORKLOAD, team: '70' }, false],
  ['a claim that is missing', OIDC, { sub: 'system:builder' }, false],
]
for (const [what, spec, claims, expected] of ROWS) {
  test(`isMatching() ${expected ? 'takes' : 'refuses'} ${what} (${spec.kind})`, () => {
    assert.equal(isMatching({ spec }, claims), expected)
  })
}

test('textClaims() leaves out what is no text, and what identifies the token', () => {
  assert.deepEqual(textClaims({ sub: 'x', n: 7, is: true, aud: ['a'], deep: { a: 1 }, none: null, jti: 'once' }), {
    sub: 'x',
    n: '7',
    is: 'true',
  })
})

test('toldClaims() names what publishers are configured by', () => {
  assert.match(toldClaims(BUILD), /^repository=octo\/acme, job_workflow_ref=octo\/acme\/.+, sub=repo:octo\/acme/)
})

function workflowAt(revision: string): string {
  return `octo/acme/.github/workflows/release.yml@${revision}`
}
