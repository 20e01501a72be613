import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AttestationError, isSameDistribution, parseAttestations, readStatement } from './attestation.ts'

for (const [one, other, isSame] of [
  ['acme-1.0.tar.gz', 'acme-1.0.tar.gz', true],
  ['acme-1.0.tar.gz', 'Acme-1.tar.gz', true],
  ['acme-1.0.tar.gz', 'acme-1.0.zip', false],
  ['acme-1.0.tar.gz', 'acme-1.1.tar.gz', false],
  ['acme-1.0.tar.gz', 'acne-1.0.tar.gz', false],
  ['a_b-1.0-py3-none-any.whl', 'A.b-1.0.0-py3-none-any.whl', true],
  ['a-1.0-py2.py3-none-any.whl', 'a-1.0-py3.py2-none-any.whl', true],
  ['a-1.0-py2.py3-none-any.whl', 'a-1.0-py3-none-any.whl', false],
  ['a-1.0-1-py3-none-any.whl', 'a-1.0-py3-none-any.whl', false],
  ['a-1.0-py3-none-any.whl', 'a-1.0-py3-abi3-any.whl', false],
  ['a-1.0-py3-none-any.whl', 'a-1.0.tar.gz', false],
  ['a-1.0-py3.9.egg', 'a-1.0-py3.9.egg', false],
  ['', '', false],
] as const) {
  test(`isSameDistribution() says ${isSame} of "${one}" and "${other}"`, () => {
    assert.equal(isSameDistribution(one, other), isSame)
    assert.equal(isSameDistribution(other, one), isSame)
  })
}

test('parseAttestations() and readStatement() throw nothing but AttestationError for any text', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map((value) => JSON.stringify([value])),
      ),
      (text) => {
        try {
          parseAttestations(text, 3)
        } catch (error) {
          assert.ok(error instanceof AttestationError)
        }
        const attestation = {
          version: 1,
          verification_material: { certificate: '', transparency_entries: [] },
          envelope: { statement: Buffer.from(text).toString('base64'), signature: '' },
        } as const
        assert.throws(() => readStatement(attestation), AttestationError)
      },
    ),
  )
})
