import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProjectStatus } from '../pep/simple.ts'
import { chainStatus } from './chain-status.ts'

type Said = ProjectStatus['status'] | undefined
const layer = (isStage: boolean) => (status: Said) => ({ isStage, status: status && { status } })
const [stage, mirror] = [layer(true), layer(false)]

for (const [what, layers, expected] of [
  ['nobody has the project', [], undefined],
  ['nobody says anything', [stage(undefined), mirror(undefined)], undefined],
  ['a stage says something', [stage('archived'), mirror('deprecated')], 'archived'],
  ['a later stage says something', [stage(undefined), stage('quarantined')], 'quarantined'],
  ['two stages say something', [stage('active'), stage('quarantined')], 'active'],
  ['a stage says active', [stage('active'), mirror('archived')], 'active'],
  ['only a mirror says something', [stage(undefined), mirror('archived')], 'archived'],
  ['two mirrors say something', [mirror('deprecated'), mirror('archived')], 'deprecated'],
  ['the only upstream quarantines it', [mirror('quarantined')], 'quarantined'],
  ['all upstreams quarantine it', [mirror('quarantined'), mirror('quarantined')], 'quarantined'],
  ['upstream quarantines what a stage has', [stage(undefined), mirror('quarantined')], undefined],
  ['upstream quarantines what another has', [mirror('quarantined'), mirror('archived')], 'archived'],
] as const) {
  test(`chainStatus() where ${what} is ${expected}`, () => {
    assert.equal(chainStatus(layers)?.status, expected)
  })
}
