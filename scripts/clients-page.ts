/** Writes `docs/clients.md` from what the tests of clients saw last: `test/matrix/matrix-*.test.ts` leave it in `.cache/clients`. */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Column, columnsPage } from '../test/matrix/matrix-column.ts'

const CHECKOUT = join(import.meta.dirname, '..')
/** In the order of the table's columns. */
const ORDER = ['pip', 'uv', 'poetry', 'pdm', 'pipenv', 'hatch', 'build', 'setuptools', 'flit', 'twine']

/** What stands before the table. */
export const CLIENTS_HEAD = `# Clients

Made by \`scripts/clients-page.ts\` from what \`test/matrix/matrix-*.test.ts\` see the real programs do; those tests fail where this page tells otherwise. Do not
edit it by hand.

One server, one upstream, and for each ability a project: a private one that requires public ones, releases that are yanked, for another Python, too new, an sdist alone.
\`root/prod\` is a volatile stage over the mirror \`root/pypi\`, \`root/fixed\` a stage that keeps its files, and \`root/secret\` is read by one user only (\`acl_pkg_read\`).

✓ it does what a person expects · ✗ it does not, and the list below says what it does · – it has no such ability

`

/** What stands behind the last section. */
export const CLIENTS_TAIL = `
## Bandersnatch

Bandersnatch 8.0.0 copies an index, and installs and publishes nothing. \`test/clients/bandersnatch.test.ts\` holds it to this, with its configuration in
[bandersnatch.md](bandersnatch.md): a mirror of projects on an allow-list, its \`verify --dry-run\`, changes followed in a second run. It needs the
change numbers, addresses and the older JSON API of [addresses.md](addresses.md).

## What to make of it

- **Configure one index only.** Private and public packages come through one address of Airlock. With a second index configured, pip, Poetry and PDM take a project from there that is
  quarantined here; uv and Pipenv stop. \`--extra-index-url\` also lets anybody who can publish there offer a higher version of a private name.
- **Upload addresses end where the index ends** (\`/root/prod/\`); addresses for reading end in \`+simple/\` or \`simple/\`.
- **A password with characters that addresses must escape** works for reading. uv, twine and PDM send it undecoded when uploading: use their variables, a keyring, or
  [an API token](tokens.md), which has none.
- **Without any password**: uv and twine publish by [trusted publishing](trusted-publishing.md), which a test shows with the real ones.
- A file that came in half is never taken for whole, by any client: every page tells each file's sha256.
`

if (import.meta.main) {
  const files = globSync(join(CHECKOUT, '.cache', 'clients', '*.json'))
  const columns = files.map((path) => JSON.parse(readFileSync(path, 'utf8')) as Column).sort(inOrder)
  writeFileSync(join(CHECKOUT, 'docs', 'clients.md'), CLIENTS_HEAD + columnsPage(columns) + CLIENTS_TAIL)
}

/** By client, the newest version first. */
function inOrder(one: Column, other: Column): number {
  const place = ({ client }: Column) => ORDER.indexOf(client.split(' ')[0]!)
  return place(one) - place(other) || other.client.localeCompare(one.client, 'en', { numeric: true })
}
