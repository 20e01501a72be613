/** Airlock beside a recording of a real devpi-server: the same requests, in the same order, and the answers held together. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { CHECKOUT } from '../programs/server-process.ts'
import { answersOf, stampOf } from './answers.ts'
import { type Difference, differencesOf } from './compare.ts'
import { SECTIONS } from './differences.ts'
import { differencesPage } from './differences-page.ts'
import { GROUPS } from './groups.ts'
import { readRecording } from './recording.ts'
import { type Account, account } from './rule.ts'
import { withAirlock } from './servers.ts'

const RECORD =
  'run "bin/with-node scripts/record-devpi.ts", look at what it changed in test/devpi/recorded, and keep it'
/** A person reads so many of them before mending the first. */
const SHOWN = 40

let held: Account

before(async () => {
  const found: Difference[] = []
  const answers = await withAirlock((stage) => answersOf(stage, GROUPS))
  for (const { name } of GROUPS) {
    const recorded = readRecording(name)
    for (const [at, answer] of answers.get(name)!.entries()) {
      if (recorded[at] !== undefined) found.push(...differencesOf(name, recorded[at], answer))
    }
  }
  held = account(found, SECTIONS)
})

test('the recording is of these very requests, over every group of routes', () => {
  for (const { name, steps } of GROUPS) {
    const titles = steps.map((step) => step.title)
    assert.equal(new Set(titles).size, titles.length, `two steps of "${name}" have the same title`)
    assert.deepEqual(
      readRecording(name).map(({ title, stamp }) => ({ title, stamp })),
      steps.map((step) => ({ title: step.title, stamp: stampOf(step) })),
      `the steps of "${name}" are not those that were recorded: ${RECORD}`,
    )
  }
  assert.ok(GROUPS.flatMap((group) => group.steps).length >= 350)
})

test('Airlock answers as devpi-server does, but for what is listed', () => {
  const told = held.unlisted.slice(0, SHOWN).map(sentence)
  assert.equal(
    held.unlisted.length,
    0,
    `${held.unlisted.length} differences are not listed:\n${told.join('\n')}\nmend them, or list them in test/devpi/differences`,
  )
})

test('every difference that is listed still occurs', () => {
  const told = held.stale.map(({ about, steps }) => `"${about}": no step that fits "${steps}" differs so`)
  assert.equal(told.length, 0, `${told.join('\n')}\ntake it out of test/devpi/differences`)
})

test('docs/devpi-differences.md is what the table of differences says', () => {
  const page = readFileSync(join(CHECKOUT, 'docs', 'devpi-differences.md'), 'utf8')
  assert.ok(page === differencesPage(), 'run "npm run docs" and keep what it writes')
})

function sentence({ step, field, devpi, airlock }: Difference): string {
  const shown = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 300))
  return `  ${step}: ${field} is ${shown(devpi)} with devpi, ${shown(airlock)} here`
}
