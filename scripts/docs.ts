/** Writes the pages of `docs/` that are made from tables in the program: `npm run docs`. A test holds them to these. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { flagOf, SETTINGS, type Setting, variablesOf } from '../src/config/settings.ts'
import { differencesPage } from '../test/devpi/differences-page.ts'
import { apiPage } from './api-page.ts'
import { commandsPage } from './commands-page.ts'
import { indexOptionsPage } from './index-options-page.ts'
import { uploadsPage } from './uploads-page.ts'

const HEAD = `# Configuration

Made by \`scripts/docs.ts\` from the table of settings. Do not edit it by hand.

Everything has a default: \`airlock serve\` in an empty folder works. A setting is taken from the first place that has it:

1. the option on the command line,
2. the environment variable: Airlock's own name, then devpi-server's,
3. the TOML file that \`--config FILE\` names,
4. the default.

Paths are relative to the folder where the command is run. On the command line and in the environment a list is written with commas.
A key that is not known is refused, with the nearest known one as a hint. \`airlock config show\` prints what a server would use, and
where each value comes from; secrets are not shown.

Credentials and certificates for upstreams, and proxies, are not in the table: [upstreams.md](upstreams.md) has their variables.

What belongs to one index (bases, volatile, who may upload …) is an option of that index: [index-options.md](index-options.md).

`

/** `docs/configuration.md` as it has to be. */
export function configurationPage(): string {
  const sections = (SETTINGS as readonly Setting[]).map((setting) => {
    const flag = setting.type === 'flag' ? flagOf(setting) : `${flagOf(setting)} ${setting.value ?? 'VALUE'}`
    const [own, devpi] = variablesOf(setting)
    const facts = [
      `option \`${flag}\``,
      `environment \`${own}\`, \`${devpi}\``,
      `file \`${setting.key} = ${exampleOf(setting)}\``,
      `default ${defaultOf(setting)}`,
      ...(setting.secret ? ['a secret: never shown'] : []),
    ]
    return `## ${setting.key}\n\n${setting.sentence}.\n\n${facts.map((fact) => `* ${fact}\n`).join('')}`
  })
  return HEAD + sections.join('\n')
}

function defaultOf(setting: Setting): string {
  if (setting.default === undefined) return 'none'
  return setting.default === '' ? 'empty' : `\`${setting.default}\``
}

/** As it is written in TOML. */
function exampleOf(setting: Setting): string {
  switch (setting.type) {
    case 'flag':
      return setting.default === 'true' ? 'false' : 'true'
    case 'integer':
      return setting.default ?? '0'
    case 'list':
      return `["${setting.value ?? 'VALUE'}"]`
    default:
      return `"${setting.default || setting.value || 'VALUE'}"`
  }
}

if (import.meta.main) {
  const docs = join(import.meta.dirname, '..', 'docs')
  writeFileSync(join(docs, 'api.md'), apiPage())
  writeFileSync(join(docs, 'commands.md'), await commandsPage())
  writeFileSync(join(docs, 'configuration.md'), configurationPage())
  writeFileSync(join(docs, 'devpi-differences.md'), differencesPage())
  writeFileSync(join(docs, 'index-options.md'), indexOptionsPage())
  writeFileSync(join(docs, 'uploads.md'), uploadsPage())
}
