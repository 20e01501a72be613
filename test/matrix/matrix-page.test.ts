/** docs/clients.md as a whole; each client's own test holds its column and section. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CLIENTS_HEAD, CLIENTS_TAIL } from '../../scripts/clients-page.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { ABILITIES } from './matrix-column.ts'

test('docs/clients.md is made by the script, with a row for each ability and a section for each column', () => {
  const page = readFileSync(join(CHECKOUT, 'docs', 'clients.md'), 'utf8')
  assert.ok(page.startsWith(CLIENTS_HEAD) && page.endsWith(CLIENTS_TAIL), 'run "bin/with-node scripts/clients-page.ts"')
  const [head = [], , ...rows] = page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()))
  assert.deepEqual(
    rows.map(([title]) => title),
    Object.values(ABILITIES),
  )
  const sections = [...page.matchAll(/^### (.+)$/gm)].map(([, title]) => title)
  assert.deepEqual(sections, head.slice(1))
})
