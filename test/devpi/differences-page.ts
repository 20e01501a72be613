/** `docs/devpi-differences.md`, from the table of differences. */
import { SECTIONS } from './differences.ts'
import { GROUPS } from './groups.ts'
import type { Rule, RuleSection } from './rule.ts'

/** The page as it has to be. `npm run docs` writes it. */
export function differencesPage(): string {
  return `${head()}${SECTIONS.map(section).join('\n')}`
}

function head(): string {
  const count = GROUPS.reduce((sum, group) => sum + group.steps.length, 0)
  return `# Where Airlock answers otherwise than devpi-server

Made by \`npm run docs\` from \`test/devpi/differences/\`. Do not edit it by hand.

A test sends ${count} requests to Airlock and holds every answer to what devpi-server 6.20.3 with devpi-web 5.1.1 said to the same
requests in the same order: status, reason phrase, headers that matter, JSON, the links of simple pages, what an index elsewhere was
sent by a push. Whatever is not the same is listed here, and nothing else: the test fails for a difference that is not listed, and for
one that is listed and no longer occurs. How the pages for people look is not compared.

${GROUPS.map((group) => `* ${group.name}: ${group.steps.length} requests`).join('\n')}

`
}

function section({ title, rules }: RuleSection): string {
  const rows = rules.map(({ about, devpi, airlock, why }: Rule) => [about, devpi, airlock, why])
  const lines = [['About', 'devpi-server', 'Airlock', 'Why'], ['---', '---', '---', '---'], ...rows]
  return `## ${title}\n\n${lines.map((cells) => `| ${cells.map(escaped).join(' | ')} |\n`).join('')}`
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|')
}
