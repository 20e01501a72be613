import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { asProjectName, projectName } from './name.ts'

test('projectName() folds case and runs of separators', () => {
  // PEP 503 "Normalized Names", and the specification's own examples.
  for (const written of [
    'friendly-bard',
    'Friendly-Bard',
    'FRIENDLY-BARD',
    'friendly.bard',
    'friendly_bard',
    'friendly--bard',
    'FrIeNdLy-._.-bArD',
  ]) {
    assert.equal(projectName(written), 'friendly-bard')
  }
})

test('projectName() refuses what no client could ask for', () => {
  for (const wrong of ['', '-a', 'a-', '.a', 'a b', 'a/b', '..', 'é', 'a\n', 'a\u0000', 'x'.repeat(201), '💥']) {
    assert.throws(() => projectName(wrong), SyntaxError, JSON.stringify(wrong))
    assert.equal(asProjectName(wrong), undefined)
  }
})

test('projectName() is idempotent', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?$/), (text) => {
      assert.equal(projectName(projectName(text)), projectName(text))
    }),
  )
})
