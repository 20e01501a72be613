/** The observations of one client for docs/clients.md: a column of its table, and a list. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHECKOUT } from '../programs/server-process.ts'

/** In the order of the table's rows. */
export const ABILITIES = {
  install: 'install: private, and public through the mirror',
  extras: 'extras',
  python: 'requires-python',
  rc: 'pre-releases',
  yanked: 'yanked releases',
  source: 'sdist, built here',
  hashes: 'hashes required',
  lock: 'lock file',
  url: 'reading: credentials in the address',
  netrc: 'reading: netrc',
  keyring: 'reading: keyring',
  wrong: 'reading: wrong password',
  dated: 'limit on upload time',
  resume: 'download broken off',
  second: 'quarantined here, second index configured',
  publish: 'publish wheel and sdist',
  again: 'the same file again',
  other: 'other content, index keeps its files',
  replace: 'other content, volatile index',
  present: 'passes over what is there',
  'publish-url': 'publish: credentials in the address',
  'publish-netrc': 'publish: netrc',
  'publish-keyring': 'publish: keyring',
  'publish-wrong': 'publish: wrong password',
} as const

export type Ability = keyof typeof ABILITIES

const MARKS = { works: '✓', differs: '✗', none: '–' } as const

export interface Cell {
  readonly mark: keyof typeof MARKS
  /** What was seen, or why there is nothing to see. */
  readonly note: string
}

export interface Column {
  /** As the table's head has it: `pip 26.3`. */
  readonly client: string
  readonly cells: Readonly<Partial<Record<Ability, Cell>>>
}

export interface ColumnNotes {
  /** It does what a person expects of it. */
  works(ability: Ability, note: string): void
  /** It does not, by a fault or a choice of its own. */
  differs(ability: Ability, note: string): void
  /** It has no such ability. */
  lacks(abilities: readonly Ability[], reason: string): void
  /** Whether the client is of this version or a newer one: an older Python brings older clients, which can do less. */
  isAtLeast(version: string): boolean
  /** Keeps what was noted in `.cache/clients`. Throws where a cell is missing, or docs/clients.md tells otherwise. */
  hold(): void
}

const KEPT = join(CHECKOUT, '.cache', 'clients')
const PAGE = join(CHECKOUT, 'docs', 'clients.md')

/** A column with nothing in it, of `client` with its version. */
export function column(client: string): ColumnNotes {
  const cells: Partial<Record<Ability, Cell>> = {}
  const put = (ability: Ability, cell: Cell) => {
    assert.equal(cells[ability], undefined, `${client}: "${ability}" is noted twice`)
    cells[ability] = cell
  }
  return {
    works: (ability, note) => put(ability, { mark: 'works', note }),
    differs: (ability, note) => put(ability, { mark: 'differs', note }),
    lacks: (abilities, note) => {
      for (const ability of abilities) put(ability, { mark: 'none', note })
    },
    isAtLeast: (version) => client.split(' ')[1]!.localeCompare(version, 'en', { numeric: true }) >= 0,
    hold() {
      const missing = Object.keys(ABILITIES).filter((ability) => cells[ability as Ability] === undefined)
      assert.deepEqual(missing, [], `${client} has not shown these`)
      mkdirSync(KEPT, { recursive: true })
      writeFileSync(join(KEPT, `${client.replace(' ', '-')}.json`), `${JSON.stringify({ client, cells }, null, 1)}\n`)
      const page = readFileSync(PAGE, 'utf8')
      // The page is of the newest clients; an older Python brings older ones.
      if (hasNewer(page, client)) return
      const seen = { client, cells }
      assert.deepEqual(cellsOn(page, client), marksOf(seen), `${PAGE}: run "${REMEDY}" and look at what changed`)
      assert.ok(
        page.includes(sectionOf(seen)),
        `${PAGE}: run "${REMEDY}" and look at what changed; new:\n${sectionOf(seen)}`,
      )
    },
  }
}

const REMEDY = 'bin/with-node scripts/clients-page.ts'

/** The table and the sections. */
export function columnsPage(columns: readonly Column[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rows = Object.entries(ABILITIES).map(([ability, title]) =>
    line([title, ...columns.map(({ cells }) => MARKS[cells[ability as Ability]!.mark])]),
  )
  const head = [line(['', ...columns.map(({ client }) => client)]), line(['---', ...columns.map(() => '---')])]
  return `${[...head, ...rows].join('\n')}\n\n${columns.map(sectionOf).join('\n')}`
}

function sectionOf({ client, cells }: Column): string {
  const told = Object.entries(ABILITIES).flatMap(([ability, title]) => {
    const cell = cells[ability as Ability]
    return cell === undefined || cell.mark === 'none' ? [] : [`- ${MARKS[cell.mark]} **${title}**: ${cell.note}`]
  })
  const reasons = new Map<string, string[]>()
  for (const [ability, title] of Object.entries(ABILITIES)) {
    const cell = cells[ability as Ability]
    if (cell?.mark === 'none') reasons.set(cell.note, [...(reasons.get(cell.note) ?? []), title])
  }
  const lacks = [...reasons].map(([reason, titles]) => `- – ${titles.join(' · ')}: ${reason}`)
  return `### ${client}\n\n${[...told, ...lacks].join('\n')}\n`
}

function marksOf({ cells }: Column): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(ABILITIES).map(([ability, title]) => [title, MARKS[cells[ability as Ability]!.mark]]),
  )
}

function hasNewer(page: string, client: string): boolean {
  const [name, version] = client.split(' ')
  const told = [...page.matchAll(/^### (\S+) (\S+)$/gm)].filter((each) => each[1] === name).map((each) => each[2]!)
  const byNumber = (other: string) => other.localeCompare(version!, 'en', { numeric: true })
  return !told.includes(version!) && told.some((other) => byNumber(other) > 0)
}

/** The column of a client in the table: mark by row. */
function cellsOn(page: string, client: string): Readonly<Record<string, string>> {
  const lines = page.split('\n').filter((each) => each.startsWith('| '))
  const rows = lines.map((each) =>
    each
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  const at = rows[0]?.indexOf(client) ?? -1
  if (at < 0) return {}
  return Object.fromEntries(rows.slice(2).map((row) => [row[0]!, row[at]!]))
}
