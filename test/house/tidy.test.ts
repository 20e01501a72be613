import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as tidy from './tidy-rules.ts'
import * as whole from './whole-rules.ts'

const CHECKOUT = join(import.meta.dirname, '..', '..')
const PROGRAMS = ['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.ts', 'bench/**/*.ts']
/** Text that travels with the programs: shell, styles, pin lists. */
const OTHERS = ['{bin,compat,scripts,test,src}/**/*.{sh,css,py,txt,json,toml}', 'bin/*', 'compat/bin/*', '.ci/*']

const programs = read(PROGRAMS)
const everything = [...programs, ...read(OTHERS)]
const production = programs.filter(({ path }) => /^src\/(?!.*\.(test|contract|bench)\.ts$)/.test(path))
/** The root user's home is the name of the first user of every index, too. */
const MACHINE = [CHECKOUT, ...(homedir() === '/root' || homedir() === '/' ? [] : [homedir()])]

function read(patterns: readonly string[]): tidy.SourceFile[] {
  const paths = new Set(patterns.flatMap((pattern) => globSync(pattern, { cwd: CHECKOUT, withFileTypes: false })))
  return [...paths].sort().map((path) => ({ path, text: readFileSync(join(CHECKOUT, path), 'utf8') }))
}

function holds(
  title: string,
  files: readonly tidy.SourceFile[],
  rule: (file: tidy.SourceFile) => tidy.Finding[],
): void {
  test(title, () => {
    assert.ok(files.length > 0)
    const findings = files.flatMap((file) => rule(file))
    assert.ok(findings.length === 0, `\n${findings.join('\n')}`)
  })
}

/** As `holds`, for a rule about all files together. */
function holdsTogether(title: string, rule: (files: readonly tidy.SourceFile[]) => tidy.Finding[]): void {
  test(title, () => {
    const findings = rule(production)
    assert.ok(findings.length === 0, `\n${findings.join('\n')}`)
  })
}

holds('every import goes down', programs, tidy.importsGoDown)
holds('routes and pages read no rows', programs, tidy.routesAskNoRows)
holdsTogether('nothing imports itself by way of others', whole.nothingGoesRound)
holdsTogether('no exported name stands twice', whole.noNameStandsTwice)
holdsTogether('every member of an interface is called in production', whole.membersAreCalled)
holds('only main and the settings loader know the process', programs, tidy.processIsKnownInOnePlace)
holds('no mark of unfinished work and no skipped test is left over', programs, tidy.nothingIsLeftOver)
holds('files of src stay small', programs, tidy.filesStaySmall)
holds('no registry is named but in the settings', everything, tidy.noRegistryIsNamed)
holds('files are named after what they are about', programs, tidy.namesAreNouns)
holds('no folder of a machine is named', everything, (file) => tidy.noFolderOfAMachine(file, MACHINE))

/** Spelt in two, as in the rules: the checks read this file as well. */
const HOST = `pypi${'.'}org`
const MARK = `TO${'DO'}`
const SKIPPED = `test${'.'}skip('x', () => {})`

for (const [rule, path, text, expected] of [
  [tidy.importsGoDown, 'src/http/app.ts', "import { a } from '../indexes/stage.ts'", undefined],
  [tidy.importsGoDown, 'src/http/app.ts', "import { a } from './files.ts'", undefined],
  [
    tidy.importsGoDown,
    'src/http/door/shelf.ts',
    "import { a } from '../people/people.ts'",
    /"http\/door" may not import "http\/people"/,
  ],
  [tidy.importsGoDown, 'src/http/people/people.ts', "import { a } from '../door/shelf.ts'", undefined],
  [
    tidy.importsGoDown,
    'src/publish/publish.ts',
    "import { a } from './push/push.ts'",
    /"publish\/." may not import "publish\/push"/,
  ],
  [tidy.importsGoDown, 'src/http/cellar/x.ts', '', /"http\/cellar" is no known room/],
  [
    tidy.importsGoDown,
    'src/client/list.ts',
    "import { a } from '../catalog/files.ts'",
    /the client may not import "catalog"/,
  ],
  [
    tidy.routesAskNoRows,
    'src/http/people/people.ts',
    "import { findUser } from '../../catalog/accounts.ts'",
    /may not read the catalog/,
  ],
  [
    tidy.routesAskNoRows,
    'src/http/people/people.ts',
    "import type { Reader } from '../../catalog/catalog.ts'",
    undefined,
  ],
  [tidy.routesAskNoRows, 'src/browse/browse.ts', "import { findUser } from '../catalog/accounts.ts'", undefined],
  [
    tidy.importsGoDown,
    'src/http/app.ts',
    "\n\nimport type {\n  A,\n} from '../web/pages.ts'",
    /^src\/http\/app\.ts:5: "http" may not import "web"/,
  ],
  [tidy.importsGoDown, 'src/pep/name.ts', "await import('../model/limits.ts')", /"pep" may not import "model"/],
  [tidy.importsGoDown, 'src/pep/name.ts', "import '../catalog/sqlite.ts'", /"pep" may not import "catalog"/],
  [
    tidy.importsGoDown,
    'src/cli/serve.ts',
    "export { x } from '../compose/server.ts'",
    /"cli" may not import "compose"/,
  ],
  [tidy.importsGoDown, 'src/compose/server.ts', "import { x } from '../main.ts'", /"compose" may not import "main.ts"/],
  [tidy.importsGoDown, 'src/main.ts', "import { x } from './compose/server.ts'", undefined],
  [tidy.importsGoDown, 'src/compose/server.test.ts', "import { x } from './server.ts'", undefined],
  [tidy.importsGoDown, 'src/extras/x.ts', '', /"extras" is on no floor/],
  [tidy.importsGoDown, 'src/http/x.ts', "import { x } from '../extras/x.ts'", undefined],
  [tidy.importsGoDown, 'src/lib/x.ts', "import { x } from '../../test/world/world.ts'", /from outside src/],
  [tidy.importsGoDown, 'src/lib/x.test.ts', "import { x } from '../../test/world/world.ts'", undefined],
  [
    tidy.processIsKnownInOnePlace,
    'src/lib/x.ts',
    '\nconst a = process.env.HOME',
    /^src\/lib\/x\.ts:2: "process\.env" is banned/,
  ],
  [tidy.processIsKnownInOnePlace, 'src/lib/x.ts', 'process.exit(1)', /"process\.exit"/],
  [tidy.processIsKnownInOnePlace, 'src/lib/x.ts', "import { argv } from 'node:process'", /argv/],
  [tidy.processIsKnownInOnePlace, 'src/lib/x.ts', ' * Not process.env, which a comment may name', undefined],
  [tidy.processIsKnownInOnePlace, 'src/lib/x.ts', 'process.exitCode = 1; process.on(1)', undefined],
  [tidy.processIsKnownInOnePlace, 'src/config/load.ts', 'process.env', undefined],
  [tidy.nothingIsLeftOver, 'src/lib/x.ts', `// ${MARK}: later`, /mark/],
  [tidy.nothingIsLeftOver, 'test/x.test.ts', SKIPPED, /let the test run/],
  [tidy.nothingIsLeftOver, 'test/x.test.ts', `test('x', { ${'skip'}: true }, () => {})`, /let the test run/],
  [tidy.nothingIsLeftOver, 'src/lib/x.ts', 'const skip: number = 3', undefined],
  [tidy.filesStaySmall, 'src/lib/x.ts', '\n'.repeat(400), undefined],
  [tidy.filesStaySmall, 'src/lib/x.ts', '\n'.repeat(401), /has 401 lines/],
  [tidy.filesStaySmall, 'src/lib/x.test.ts', '\n'.repeat(900), undefined],
  [tidy.noRegistryIsNamed, 'test/x.ts', `'https://${HOST}/simple'`, /registry host/],
  [tidy.noRegistryIsNamed, 'test/x.ts', `'https://test.${HOST}/simple'`, /registry host/],
  [tidy.noRegistryIsNamed, 'src/config/settings.ts', `'https://${HOST}/simple'`, undefined],
  [tidy.namesAreNouns, 'src/lib/index.ts', '', /index\.ts is banned/],
  [tidy.namesAreNouns, 'src/http/utils.ts', '', /"utils" is banned/],
  [tidy.namesAreNouns, 'src/indexes/stage.ts', 'export const a = 1', undefined],
  [tidy.namesAreNouns, 'src/lib/x.ts', 'export default 1', /export by name/],
  [tidy.noFolderOfAMachine, 'src/lib/x.ts', `const a = '${'/'}home/somebody/x'`, /somebody's machine/],
  [tidy.noFolderOfAMachine, 'src/lib/x.ts', "const a = '/root/pypi/+simple/'", undefined],
] as const) {
  const shown = text.trim().split('\n').at(-1)?.slice(0, 50) ?? ''
  test(`${rule.name}() ${expected === undefined ? 'passes' : 'finds'} ${path}: ${shown}`, () => {
    const findings = rule({ path, text })
    if (expected === undefined) return assert.deepEqual(findings, [])
    assert.equal(findings.length, 1, findings.join('\n'))
    return assert.match(findings[0] ?? '', expected)
  })
}

const files = (texts: Readonly<Record<string, string>>) =>
  Object.entries(texts).map(([path, text]) => ({ path: `src/${path}`, text }))

for (const [rule, texts, expected] of [
  [
    whole.nothingGoesRound,
    { 'a/x.ts': "import { y } from './y.ts'", 'a/y.ts': "import type { X } from './x.ts'" },
    /x\.ts, src\/a\/y\.ts/,
  ],
  [
    whole.nothingGoesRound,
    { 'a/x.ts': "import { y } from './y.ts'", 'a/y.ts': "import { z } from '../z.ts'" },
    undefined,
  ],
  [
    whole.noNameStandsTwice,
    { 'a/x.ts': 'export const name = 1', 'b/y.ts': 'export function name() {}' },
    /"name" stands in src\/b\/y\.ts/,
  ],
  [whole.noNameStandsTwice, { 'a/x.ts': 'export const name = 1', 'b/y.ts': 'const name = 2' }, undefined],
  [
    whole.membersAreCalled,
    { 'a/x.ts': 'export interface Shop {\n  open(): void\n}' },
    /nothing in production calls Shop\.open/,
  ],
  [
    whole.membersAreCalled,
    { 'a/x.ts': 'export interface Shop {\n  open(): void\n}', 'a/y.ts': 'shop.open()' },
    undefined,
  ],
  [
    whole.membersAreCalled,
    { 'a/x.ts': 'export interface Shop {\n  open(): void\n}', 'a/y.ts': 'const { open } = shop' },
    undefined,
  ],
] as const) {
  test(`${rule.name}() ${expected === undefined ? 'passes' : 'finds'} ${JSON.stringify(texts).slice(0, 60)}`, () => {
    const findings = rule(files(texts))
    if (expected === undefined) return assert.deepEqual(findings, [])
    assert.equal(findings.length, 1, findings.join('\n'))
    return assert.match(findings[0] ?? '', expected)
  })
}
