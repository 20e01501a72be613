import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PublisherIdentity } from '../model/access.ts'
import { AttestationError } from '../pep/attestation.ts'
import type { Signature } from '../pep/attestation-verifier.ts'
import { agree, withEnvironment } from './attested-publisher.ts'

const GITHUB = 'https://token.actions.githubusercontent.com'
const GITLAB = 'https://gitlab.com'
const GOOGLE = 'https://accounts.google.com'

const byGithub: Signature = {
  publisher: { kind: 'GitHub', repository: 'acme/widget', workflow: 'release.yml', environment: null },
  issuer: GITHUB,
  subject: 'https://github.com/acme/widget/.github/workflows/release.yml@refs/tags/v1',
}
const byGitlab: Signature = {
  publisher: { kind: 'GitLab', repository: 'acme/tools/widget', workflow_filepath: '.gitlab-ci.yml' },
  issuer: GITLAB,
  subject: 'https://gitlab.com/acme/tools/widget//.gitlab-ci.yml@refs/heads/main',
}
const byGoogle: Signature = {
  publisher: { kind: 'Google', email: 'robot@acme.example' },
  issuer: GOOGLE,
  subject: 'robot@acme.example',
}
const byOther: Signature = {
  publisher: { kind: 'https://issuer.example', identity: 'https://builds.example/acme' },
  issuer: 'https://issuer.example',
  subject: 'https://builds.example/acme',
}

function uploader(kind: PublisherIdentity['kind'], issuer: string, claims: Record<string, string>): PublisherIdentity {
  return { kind, issuer, claims }
}
const workflow = (path: string) => ({ workflow_ref: `${path}@refs/heads/main` })
const pipeline = (path: string) => ({ ci_config_ref_uri: `${path}@refs/tags/v1` })
const OWN = 'acme/widget/.github/workflows/release.yml'
const LAB = 'gitlab.com/acme/tools/widget//.gitlab-ci.yml'

for (const [what, from, signature, differs] of [
  [
    'the same workflow at another commit',
    uploader('github', GITHUB, { repository: 'acme/widget', ...workflow(OWN) }),
    byGithub,
    undefined,
  ],
  [
    'capitals in a repository',
    uploader('github', GITHUB, { repository: 'ACME/Widget', ...workflow(OWN) }),
    byGithub,
    undefined,
  ],
  [
    'another repository',
    uploader('github', GITHUB, { repository: 'acme/gadget', ...workflow('acme/gadget/.github/workflows/release.yml') }),
    byGithub,
    /another repository \(acme\/gadget, not acme\/widget\)/,
  ],
  [
    'another workflow',
    uploader('github', GITHUB, { repository: 'acme/widget', ...workflow('acme/widget/.github/workflows/test.yml') }),
    byGithub,
    /another workflow \(test\.yml, not release\.yml\)/,
  ],
  [
    'no workflow',
    uploader('github', GITHUB, { repository: 'acme/widget' }),
    byGithub,
    /another workflow \(none, not release\.yml\)/,
  ],
  [
    'another issuer',
    uploader('gitlab', GITLAB, { project_path: 'acme/widget', ...pipeline('gitlab.com/acme/widget//.gitlab-ci.yml') }),
    byGithub,
    /GitHub acme\/widget \(release\.yml\) signed it, and the uploader has another issuer/,
  ],
  [
    'the same pipeline',
    uploader('gitlab', GITLAB, { project_path: 'acme/tools/widget', ...pipeline(LAB) }),
    byGitlab,
    undefined,
  ],
  [
    'another pipeline',
    uploader('gitlab', GITLAB, { project_path: 'acme/tools/widget', ...pipeline(LAB.replace('.gitlab', 'other')) }),
    byGitlab,
    /another workflow/,
  ],
  ['the same account', uploader('oidc', GOOGLE, { email: 'robot@acme.example' }), byGoogle, undefined],
  ['another account', uploader('oidc', GOOGLE, { email: 'human@acme.example' }), byGoogle, /another identity/],
  [
    'a final slash',
    uploader('oidc', 'https://issuer.example/', { sub: 'https://builds.example/acme' }),
    byOther,
    undefined,
  ],
  [
    'another subject',
    uploader('oidc', 'https://issuer.example', { sub: 'https://builds.example/other' }),
    byOther,
    /another identity/,
  ],
] as const) {
  test(`agree() ${differs === undefined ? 'takes' : 'refuses'} ${what}`, () => {
    if (differs === undefined) return agree(from, signature)
    return assert.throws(
      () => agree(from, signature),
      (error) => error instanceof AttestationError && differs.test(error.message),
    )
  })
}

test("withEnvironment() adds the environment that the uploader's token tells", () => {
  const from = uploader('github', GITHUB, { environment: 'release' })
  assert.equal(withEnvironment(byGithub.publisher, from).environment, 'release')
  assert.equal(withEnvironment(byGithub.publisher, uploader('github', GITHUB, {})).environment, null)
  assert.deepEqual(withEnvironment(byGoogle.publisher, from), byGoogle.publisher)
})
