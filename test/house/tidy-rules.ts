/** Rules of the house for single files. Each takes a file's path (below the checkout) and text, and reports faults with their lines. */
import { ASK_NO_ROWS, CLIENT_KNOWS, FLOORS, floorOf, type Place, placeOf, ROOMS } from './floors.ts'
import { importsOf } from './imports.ts'

export interface SourceFile {
  /** Below the checkout, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** `path:line: what is banned, and what to do instead`. */
export type Finding = string

const KNOWS_THE_PROCESS = ['src/main.ts', 'src/config/load.ts']
const KNOWS_THE_REGISTRY = ['src/config/settings.ts']
const LINES_MOST = 400

// Put together here, so that this file does not contain what it looks for.
const REGISTRY_HOSTS = new RegExp(`(?<![\\w-])(${['pypi', 'pythonhosted'].join('|')})\\.org\\b`, 'i')
const MARKS = new RegExp(`\\b(${['TO', 'FIX'].map((start, at) => start + ['DO', 'ME'][at]).join('|')}|X{3})\\b`)
const SKIPS = /\b(test|it|describe|suite|t)\.(skip|only|todo)\b|\b(skip|todo|only):\s*(true|['"`])/
const OWN_FOLDERS = new RegExp(`(?<![\\w.}])/(${['home', 'Users', 'work'].join('|')})/[\\w.-]|/root/\\.\\w`)

export function importsGoDown(file: SourceFile): Finding[] {
  const { path } = file
  const from = placeOf(path)
  if (from === undefined) return []
  const floor = floorOf(from.folder)
  if (floor === undefined) {
    const floors = FLOORS.map((folders) => folders.join(', ')).join(' < ')
    return [
      `${path}:1: "${from.folder}" is on no floor; put the file into one of ${floors}, or give the folder a floor in test/house/floors.ts`,
    ]
  }
  const rooms = ROOMS[from.folder]
  if (from.room !== '.' && rooms?.includes(from.room) !== true) {
    return [`${path}:1: "${from.folder}/${from.room}" is no known room; name it in test/house/floors.ts`]
  }
  return importsOf(file).flatMap(({ target, line }) => {
    const wrong = whyNot(path, from, floor, target)
    return wrong === undefined ? [] : [`${path}:${line}: ${wrong}`]
  })
}

/** `undefined` for an import that goes down. */
function whyNot(path: string, from: Place, floor: number, target: string): string | undefined {
  const to = placeOf(target)
  if (to === undefined) {
    if (isTest(path) || target === 'package.json') return undefined
    return `imports "${target}" from outside src; move what is needed below src`
  }
  if (from.folder === to.folder) {
    // A test may show how rooms of one folder play together.
    const order = isTest(path) ? [] : (ROOMS[from.folder] ?? [])
    const [own, other] = [order.indexOf(from.room), order.indexOf(to.room)]
    if (own < 0 || other < 0 || other <= own) return undefined
    return `"${from.folder}/${from.room}" may not import "${to.folder}/${to.room}"; move what both need to a lower room`
  }
  if (from.folder === 'client' && !CLIENT_KNOWS.includes(to.folder) && !isTest(path)) {
    return `the client may not import "${to.folder}" of the server; it knows ${CLIENT_KNOWS.slice(1).join(', ')}`
  }
  const below = floorOf(to.folder)
  // A folder without a floor is told of once, at its own files.
  if (below === undefined || below < floor) return undefined
  return `"${from.folder}" may not import "${to.folder}"; move what both need to a lower floor, or pass it in from src/compose`
}

/** A gate stands before indexes: whoever reads rows instead goes round it. */
export function routesAskNoRows(file: SourceFile): Finding[] {
  const from = placeOf(file.path)
  if (from === undefined || isTest(file.path) || !ASK_NO_ROWS.includes(from.folder)) return []
  return importsOf(file).flatMap(({ target, line, isTypeOnly }) =>
    isTypeOnly || placeOf(target)?.folder !== 'catalog'
      ? []
      : [`${file.path}:${line}: "${from.folder}" may not read the catalog; ask indexes, browse, accounts or publish`],
  )
}

export function processIsKnownInOnePlace({ path, text }: SourceFile): Finding[] {
  if (!path.startsWith('src/') || isTest(path) || KNOWS_THE_PROCESS.includes(path)) return []
  const instead = `take it as a parameter (CliContext, Config); only ${KNOWS_THE_PROCESS.join(' and ')} may ask the process`
  return [
    ...eachLine(
      { path, text },
      /\bprocess\s*(?:\?\.|\.|\[\s*['"])\s*(env|exit|argv)\b/,
      (found) => `"${found}" is banned; ${instead}`,
    ),
    ...eachLine(
      { path, text },
      /import\s*\{[^}]*\b(env|exit|argv)\b[^}]*\}\s*from\s*'(node:)?process'/,
      (found) => `"${found}" is banned; ${instead}`,
    ),
  ]
}

export function nothingIsLeftOver(file: SourceFile): Finding[] {
  return [
    ...eachLine(
      file,
      MARKS,
      (found) => `the mark "${found}" is banned; do it now, or write down the lack in docs`,
      true,
    ),
    ...eachLine(file, SKIPS, (found) => `"${found}" is banned; let the test run, or remove it`),
  ]
}

export function filesStaySmall({ path, text }: SourceFile): Finding[] {
  if (!path.startsWith('src/') || isTest(path)) return []
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  if (lines <= LINES_MOST) return []
  return [
    `${path}:${LINES_MOST + 1}: has ${lines} lines, ${LINES_MOST} are the most; find the noun that hides in it and give it a file`,
  ]
}

export function noRegistryIsNamed(file: SourceFile): Finding[] {
  if (KNOWS_THE_REGISTRY.includes(file.path)) return []
  const instead = `import DEFAULT_UPSTREAM from ${KNOWS_THE_REGISTRY[0]}, or use test/upstream/fake-upstream.ts or a name ending in ".example"`
  return eachLine(file, REGISTRY_HOSTS, (found) => `the registry host "${found}" is banned; ${instead}`, true)
}

export function namesAreNouns({ path, text }: SourceFile): Finding[] {
  const findings: Finding[] = []
  if (/(^|\/)index\.ts$/.test(path))
    findings.push(`${path}:1: a file called index.ts is banned; name it after what it exports`)
  const drawer = /(?:^|\/)(utils?|common|shared|helpers?)(?:\.ts$|\/)/.exec(path)?.[1]
  if (drawer !== undefined) findings.push(`${path}:1: "${drawer}" is banned; name it after the one thing it is about`)
  const kept = { path, text }
  findings.push(...eachLine(kept, /^export default\b/, () => '"export default" is banned; export by name'))
  return findings
}

/** `machine`: folders of the machine that runs the check, such as the checkout's own. */
export function noFolderOfAMachine(file: SourceFile, machine: readonly string[] = []): Finding[] {
  const tell = (found: string) =>
    `"${found}" is a folder of somebody's machine; use a temporary folder, or a path below the checkout`
  const own = machine.flatMap((folder) => eachLine(file, new RegExp(`${RegExp.escape(folder)}(?![\\w-])`), tell, true))
  return own.length > 0 ? own : eachLine(file, OWN_FOLDERS, tell, true)
}

function isTest(path: string): boolean {
  return /\.(test|contract|bench)\.ts$/.test(path)
}

/** Lines that are comments are passed over unless `withComments`. */
function eachLine(file: SourceFile, pattern: RegExp, tell: (found: string) => string, withComments = false): Finding[] {
  return file.text.split('\n').flatMap((line, at) => {
    if (!withComments && /^\s*(\/\/|\*|\/\*)/.test(line)) return []
    const found = pattern.exec(line)
    return found === null ? [] : [`${file.path}:${at + 1}: ${tell(found[0].trim())}`]
  })
}
