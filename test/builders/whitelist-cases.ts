/** devpi's protection against dependency confusion, case by case: for the rule itself and for the server as a whole. */
import type { StageSays } from '../../src/indexes/shadow.ts'

export interface WhitelistCase {
  readonly what: string
  readonly inheritance: 'union' | 'intersection'
  /** The chain's stages in resolution order, the requested index first; what they say of the project `acme`. */
  readonly stages: readonly StageSays[]
  /** The chain's mirrors are not asked. */
  readonly isShadowed: boolean
}

/** A stage that knows the name or not, with a whitelist. */
export const knows = (...whitelist: string[]): StageSays => ({
  knows: true,
  whitelist: whitelist as StageSays['whitelist'],
})
export const lacks = (...whitelist: string[]): StageSays => ({
  knows: false,
  whitelist: whitelist as StageSays['whitelist'],
})

/** devpi's walk over the stage resolution order, case by case; the requested index stands first. */

const ROWS: readonly (readonly [string, 'union' | 'intersection', readonly StageSays[], boolean])[] = [
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
]

export const WHITELIST_CASES: readonly WhitelistCase[] = ROWS.map(([what, inheritance, stages, isShadowed]) => ({
  what,
  inheritance,
  stages,
  isShadowed,
}))
