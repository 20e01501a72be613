import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wheel } from '../../test/builders/wheels.ts'
import { type Attesting, github, throwawaySigstore } from '../../test/sigstore/throwaway.ts'
import { PUBLISH_PREDICATE } from '../config/settings.ts'
import { ANONYMOUS, type Principal } from '../model/access.ts'
import { Problem, type ProblemCode } from '../model/errors.ts'
import { LIMITS, withLimits } from '../model/limits.ts'
import type { Attestation } from '../pep/attestation.ts'
import { AttestationVerifier } from '../pep/attestation-verifier.ts'
import { verifyAttestations } from './attestations.ts'

const sigstore = throwawaySigstore()
const verifier = new AttestationVerifier(sigstore.trustedRoot, [PUBLISH_PREDICATE])
const file = wheel({ name: 'acme', version: '1.0' })
const WORKFLOW: Principal = {
  ...ANONYMOUS,
  publisher: {
    kind: 'github',
    issuer: 'https://token.actions.githubusercontent.com',
    claims: {
      repository: 'acme/widget',
      workflow_ref: 'acme/widget/.github/workflows/release.yml@refs/heads/main',
      environment: 'release',
    },
  },
}

function verified(who: Principal, values: readonly string[], limits = LIMITS) {
  const provenances = {
    read: async () => undefined,
    verify: async (attestations: readonly Attestation[]) =>
      attestations.map((each) => verifier.verify(each, { filename: file.filename, sha256: file.sha256 })),
  }
  const upload = { filename: file.filename, digest: file.sha256, fields: new Map([['attestations', values]]) }
  return verifyAttestations({ provenances, limits }, who, upload)
}
const field = (how?: Attesting) => JSON.stringify([sigstore.attest(file, how)])

test('verifyAttestations() takes a workflow’s own attestations, and knows the environment from its token', async () => {
  const [signed] = await verified(WORKFLOW, [field()])
  assert.deepEqual(signed?.publisher, {
    kind: 'GitHub',
    repository: 'acme/widget',
    workflow: 'release.yml',
    environment: 'release',
  })
  const [other] = await verified(ANONYMOUS, [field({ who: github('acme/gadget') })])
  assert.equal(other?.publisher.repository, 'acme/gadget')
  assert.deepEqual(await verified(WORKFLOW, ['', ' ']), [])
  assert.deepEqual(await verified(WORKFLOW, ['[]']), [])
})

for (const [what, who, values, limits, code, sentence] of [
  [
    'of another repository',
    WORKFLOW,
    [field({ who: github('acme/gadget') })],
    LIMITS,
    'attestation-invalid',
    /another repository/,
  ],
  [
    'of another workflow',
    WORKFLOW,
    [field({ who: github('acme/widget', 'test.yml') })],
    LIMITS,
    'attestation-invalid',
    /another workflow/,
  ],
  ['in two fields', ANONYMOUS, [field(), field()], LIMITS, 'attestation-invalid', /more than once/],
  ['past the limit', ANONYMOUS, [field()], withLimits({ attestationBytes: 1000 }), 'too-large', /1000 are the most/],
] as const satisfies readonly (readonly [string, Principal, string[], typeof LIMITS, ProblemCode, RegExp])[]) {
  test(`verifyAttestations() refuses attestations ${what}`, async () => {
    await assert.rejects(
      verified(who, values, limits),
      (error) => error instanceof Problem && error.code === code && sentence.test(error.message),
    )
  })
}
