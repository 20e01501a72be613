/** Writes `CHANGELOG.md` from the fragments in `changes/` (unreleased) and `changes/VERSION/`: `bin/with-node scripts/changelog.ts`. */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { compareVersions } from '../src/pep/version.ts'

const KINDS = ['Security', 'Change', 'Feature', 'Fix']
const CHECKOUT = join(import.meta.dirname, '..')
const HEAD = `# Changelog

Assembled by \`scripts/changelog.ts\` from the fragments in [changes/](changes), one for each change that a user can notice. Do not edit it
by hand.
`

function section(folder: string, paths: readonly string[]): string {
  const entries = [...paths].sort().map((path) => {
    const [, kind = '', title, text] =
      /^(\w+): ([^\n]+)\n\n(.+)$/s.exec(readFileSync(join(CHECKOUT, path), 'utf8')) ?? []
    if (!KINDS.includes(kind)) throw new SyntaxError(`Cannot read "${path}": its first line must be KIND: SENTENCE`)
    return { kind, text: `* **${kind}: ${title}**\n\n${text!.trim().replace(/^(?=.)/gm, '  ')}\n` }
  })
  const ordered = KINDS.flatMap((kind) => entries.filter((entry) => entry.kind === kind))
  return [
    `## ${folder === 'changes' ? 'Unreleased' : folder.slice('changes/'.length)}\n`,
    ...ordered.map(({ text }) => text),
  ].join('\n')
}

const found = globSync('changes/**/[0-9]*.md', { cwd: CHECKOUT })
const folders = Object.entries(Object.groupBy(found, dirname)).sort(([a], [b]) =>
  a === 'changes' ? -1 : b === 'changes' ? 1 : compareVersions(b.slice(8), a.slice(8)),
)
writeFileSync(
  join(CHECKOUT, 'CHANGELOG.md'),
  [HEAD, ...folders.map(([name, paths]) => section(name, paths!))].join('\n'),
)
