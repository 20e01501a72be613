import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { apiPage } from '../../scripts/api-page.ts'
import { allCommands, commandsPage } from '../../scripts/commands-page.ts'
import { configurationPage } from '../../scripts/docs.ts'
import { indexOptionsPage } from '../../scripts/index-options-page.ts'
import { uploadsPage } from '../../scripts/uploads-page.ts'
import { SETTINGS } from '../../src/config/settings.ts'
import { STATUS } from '../../src/http/problems.ts'
import { PROBLEM_CODES } from '../../src/model/errors.ts'
import { INDEX_OPTIONS } from '../../src/model/index-option-table.ts'

const CHECKOUT = join(import.meta.dirname, '..', '..')
const read = (path: string) => readFileSync(join(CHECKOUT, path), 'utf8')

test('docs/errors.md explains every problem code once, in order, and none that is not there', () => {
  const found = read('docs/errors.md').matchAll(/^\| `([^`]+)` \| (\d+) \| (.+?) \| (.+?) \|$/gm)
  const rows = [...found].map(([, code = '', status = '', meaning = '', remedy = '']) => ({
    code,
    status,
    meaning,
    remedy,
  }))
  assert.deepEqual(
    rows.map((row) => row.code),
    [...PROBLEM_CODES].sort(),
  )
  for (const { code, status, meaning, remedy } of rows) {
    assert.equal(Number(status), STATUS[code as keyof typeof STATUS], code)
    assert.ok(meaning.length > 20 && remedy.length > 10, code)
  }
})

test('every problem code is used by the program', () => {
  const files = globSync('src/**/*.ts', { cwd: CHECKOUT }).filter(
    (path) => !/\.(test|contract)\.ts$|errors\.ts$|problems\.ts$/.test(path),
  )
  // The codes that model/errors.ts itself throws stand behind the table there.
  const text = files.map(read).join('\n') + read('src/model/errors.ts').split('ProblemCode =')[1]
  const unused = PROBLEM_CODES.filter((code) => !text.includes(`'${code}'`))
  assert.deepEqual(unused, [])
})

test('docs/api.md is what scripts/docs.ts makes of the table of routes', () => {
  assert.ok(read('docs/api.md') === apiPage(), 'run "npm run docs" and keep what it writes')
})

test('docs/commands.md is what scripts/docs.ts makes of the programs', async () => {
  assert.ok(read('docs/commands.md') === (await commandsPage()), 'run "npm run docs" and keep what it writes')
  for (const { words, command } of await allCommands()) assert.ok(command.description().length > 10, words)
})

test('docs/configuration.md is what scripts/docs.ts makes of the settings', () => {
  assert.ok(read('docs/configuration.md') === configurationPage(), 'run "npm run docs" and keep what it writes')
  for (const { key } of SETTINGS) assert.match(configurationPage(), new RegExp(`^## ${key}$`, 'm'))
})

test('docs/index-options.md is what scripts/docs.ts makes of the options of an index', () => {
  assert.ok(read('docs/index-options.md') === indexOptionsPage(), 'run "npm run docs" and keep what it writes')
  for (const key of Object.keys(INDEX_OPTIONS)) {
    assert.equal(indexOptionsPage().split(`\n### ${key}\n`).length, 2, key)
  }
})

test('docs/uploads.md is what scripts/docs.ts makes of the rules for uploads', () => {
  assert.ok(read('docs/uploads.md') === uploadsPage(), 'run "npm run docs" and keep what it writes')
})

test('links between the documents lead somewhere', () => {
  const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: CHECKOUT })
  assert.ok(pages.length > 3)
  for (const page of pages) {
    for (const [, target] of read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)) {
      const found = globSync(join(page, '..', target!), { cwd: CHECKOUT })
      assert.equal(found.length, 1, `${page} links to ${target}`)
    }
  }
})
