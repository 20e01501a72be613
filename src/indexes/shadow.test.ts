import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knows, lacks, WHITELIST_CASES } from '../../test/builders/whitelist-cases.ts'
import { projectName } from '../pep/name.ts'
import { isShadowed, type StageSays } from './shadow.ts'

const ACME = projectName('acme')
const OTHER = projectName('other')

for (const { what, inheritance, stages, isShadowed: expected } of WHITELIST_CASES) {
  test(`isShadowed() is ${expected}: ${what}`, () => {
    assert.equal(isShadowed(ACME, inheritance, stages), expected)
  })
}

test('isShadowed() of a name that no stage knows does not depend on whitelists', () => {
  for (const inheritance of ['union', 'intersection'] as const) {
    assert.equal(isShadowed(OTHER, inheritance, [lacks(), lacks('acme'), lacks('*')]), false)
  }
})

test('isShadowed() with intersection depends on the requested index alone: its running set never gains a name', () => {
  const others: StageSays[][] = [[], [lacks('*')], [knows('*')], [knows('acme'), lacks('acme', '*')]]
  for (const bases of others) {
    assert.equal(isShadowed(ACME, 'intersection', [knows(), ...bases]), true)
    assert.equal(isShadowed(ACME, 'intersection', [knows('acme'), ...bases]), false)
  }
})
