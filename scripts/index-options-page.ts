/** `docs/index-options.md`, from the table of the options of an index. */
import { type IndexOption, type IndexOptionKey, optionsOfKind } from '../src/model/index-option-table.ts'
import { userName } from '../src/model/names.ts'

const HEAD = `# Options of an index

Made by \`scripts/docs.ts\` from the table of options. Do not edit it by hand.

An option belongs to one index and is kept in the catalog. The owner of the index and root change it, while the server runs:

\`\`\`sh
airlock index -c alice/dev bases=root/pypi volatile=False     # create
airlock index alice/dev                                       # show
airlock index alice/dev acl_upload=alice,bob                  # set
airlock index alice/dev acl_upload+=:developers               # add to a list
airlock index alice/dev acl_upload-=bob                       # take from a list
airlock index alice/dev title-=                               # take the option away
\`\`\`

\`devpi index\` takes the same. In \`PUT\` and \`PATCH\` of \`/USER/INDEX\` the options are keys of a JSON object; lists are JSON lists or
text with commas. An option that is not known is refused, with the nearest known one as a hint; taking one away (\`key-=\`) that the index does not have changes nothing, as in devpi. A mirror ignores the options of stages, as in devpi; a
stage refuses the options of mirrors.

What belongs to the whole server is a setting: [configuration.md](configuration.md).

In the examples of defaults, the owner of the index is \`alice\`.
`

const EXAMPLE_OWNER = userName('alice')

/** The page as it has to be. */
export function indexOptionsPage(): string {
  const stage = optionsOfKind('stage')
  const mirror = optionsOfKind('mirror')
  return [
    HEAD,
    section(
      'Every index',
      stage.filter(([, option]) => option.kind === 'both'),
    ),
    section(
      'Stages',
      stage.filter(([, option]) => option.kind === 'stage'),
    ),
    section(
      'Mirrors',
      mirror.filter(([, option]) => option.kind === 'mirror'),
    ),
  ].join('\n')
}

function section(title: string, options: readonly (readonly [IndexOptionKey, IndexOption])[]): string {
  return [`## ${title}\n`, ...options.map(([key, option]) => entry(key, option))].join('\n')
}

function entry(key: IndexOptionKey, option: IndexOption): string {
  const facts = [
    `value: ${option.value.form}`,
    `example \`${key}=${option.value.example}\``,
    option.default === undefined ? `absent: ${option.absent}` : `default ${shown(option.default(EXAMPLE_OWNER))}`,
    ...(option.devpi7 === undefined ? [] : [`\`${option.devpi7}\` in devpi-server 7, which is read as well`]),
    ...(option.isOurs ? ['not in devpi'] : []),
  ]
  return `### ${key}\n\n${option.sentence}.\n\n${facts.map((fact) => `* ${fact}\n`).join('')}`
}

/** As `airlock index` shows it. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `\`${value.join(',')}\``
  return `\`${value === true ? 'True' : value === false ? 'False' : String(value)}\``
}
