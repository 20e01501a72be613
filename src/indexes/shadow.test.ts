import assert from 'node:assert/strict'
import { test } from 'node:test'
import { projectName } from '../pep/name.ts'
import { isShadowed, type StageSays } from './shadow.ts'

const ACME = projectName('acme')
const OTHER = projectName('other')

/** A stage that knows the name or not, with a whitelist. */
const knows = (...whitelist: string[]): StageSays => ({ knows: true, whitelist: whitelist as StageSays['whitelist'] })
const lacks = (...whitelist: string[]): StageSays => ({ knows: false, whitelist: whitelist as StageSays['whitelist'] })

/** devpi's walk over the stage resolution order, case by case; the requested index stands first. */
for (const [what, inheritance, stages, expected] of [
  ['no stage at all: a mirror asked by itself', 'intersection', [], false],
  ['no stage knows the name', 'intersection', [lacks()], false],
  ['no stage of several knows it', 'union', [lacks(), lacks(), lacks()], false],
  ['the requested stage knows it', 'intersection', [knows()], true],
  ['the requested stage knows it and allows it', 'intersection', [knows('acme')], false],
  ['the requested stage knows it and allows all', 'intersection', [knows('*')], false],
  ['the requested stage allows another name', 'intersection', [knows('other')], true],
  ['a base knows it', 'intersection', [lacks(), knows()], true],
  ['a base of a base knows it', 'intersection', [lacks(), lacks(), knows()], true],
  [
    'intersection: a base that knows it allows it, the requested one does not',
    'intersection',
    [lacks(), knows('acme')],
    true,
  ],
  [
    'intersection: a base that knows it allows all, the requested one does not',
    'intersection',
    [lacks(), knows('*')],
    true,
  ],
  [
    'intersection: the requested one allows it, the base that knows it does not',
    'intersection',
    [lacks('acme'), knows()],
    false,
  ],
  [
    'intersection: the requested one allows all, the base that knows it does not',
    'intersection',
    [lacks('*'), knows()],
    false,
  ],
  ['intersection: both allow it', 'intersection', [lacks('acme'), knows('acme')], false],
  [
    'intersection: all here, the name there: neither is in both',
    'intersection',
    [knows(), lacks('*'), knows('acme')],
    true,
  ],
  ['union: a base that knows it allows it', 'union', [lacks(), knows('acme')], false],
  ['union: a base that knows it allows all', 'union', [lacks(), knows('*')], false],
  ['union: the requested one allows it', 'union', [lacks('acme'), knows()], false],
  [
    'union: the requested one knows it, a later base allows it: opened for the rest of the walk',
    'union',
    [knows(), lacks('acme')],
    false,
  ],
  ['union: a stage between allows it', 'union', [knows(), lacks('acme'), knows()], false],
  ['union: only other names are allowed', 'union', [knows('other'), knows('more')], true],
  ['union: known twice, allowed never', 'union', [knows(), knows()], true],
  ['the star is no pattern', 'union', [knows('ac*')], true],
] as const satisfies readonly (readonly [string, 'union' | 'intersection', readonly StageSays[], boolean])[]) {
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
