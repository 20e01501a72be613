/** Rules of the house that a machine can hold. Each takes one file's path (below the checkout) and text, and says what is wrong where. */
import { dirname, join, relative } from 'node:path'

export interface SourceFile {
  /** Below the checkout, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** `path:line: what is banned, and what to do instead`. */
export type Finding = string

/** Floor by floor, ground first. A folder may import from itself and from the floors below it. */
const FLOORS = [
  ['lib'],
  ['pep'],
  ['archive'],
  ['model'],
  ['config', 'locks'],
  ['blob', 'catalog', 'folder'],
  ['upstream', 'names'],
  ['indexes', 'mirrors', 'browse'],
  ['accounts', 'publish', 'jobs', 'transfer'],
  ['http', 'web', 'cli', 'client'],
]
/** Those that may import everything, the lowest one first. */
const TOP = ['compose.ts', 'worker.ts', 'main.ts']
const KNOWS_THE_PROCESS = ['src/main.ts', 'src/config/load.ts']
const KNOWS_THE_REGISTRY = ['src/config/settings.ts']
const LINES_MOST = 400

// Put together here, so that this file does not contain what it looks for.
const REGISTRY_HOSTS = new RegExp(`(?<![\\w-])(${['pypi', 'pythonhosted'].join('|')})\\.org\\b`, 'i')
const MARKS = new RegExp(`\\b(${['TO', 'FIX'].map((start, at) => start + ['DO', 'ME'][at]).join('|')}|X{3})\\b`)
const SKIPS = /\b(test|it|describe|suite|t)\.(skip|only|todo)\b|\b(skip|todo|only):\s*(true|['"`])/
const OWN_FOLDERS = new RegExp(`(?<![\\w.}])/(${['home', 'Users', 'work'].join('|')})/[\\w.-]|/root/\\.\\w`)

export function importsGoDown({ path, text }: SourceFile): Finding[] {
  const from = folderOf(path)
  if (from === undefined) return []
  const floor = floorOf(from)
  if (floor === undefined) {
    const floors = FLOORS.map((folders) => folders.join(', ')).join(' < ')
    return [
      `${path}:1: "${from}" is on no floor; put the file into one of ${floors}, or give the folder a floor in test/house/tidy-rules.ts`,
    ]
  }
  const findings: Finding[] = []
  for (const match of text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.[^'"]+)\1/g)) {
    const target = join(dirname(path), match[2]!)
    const at = `${path}:${lineOf(text, match.index)}`
    if (!target.startsWith('src/')) {
      if (isTest(path) || target === 'package.json') continue
      findings.push(`${at}: imports "${relative('.', target)}" from outside src; move what is needed below src`)
      continue
    }
    const to = folderOf(target) ?? ''
    const below = floorOf(to)
    // A folder without a floor is told of once, at its own files.
    if (from === to || below === undefined || below < floor) continue
    findings.push(
      `${at}: "${from}" may not import "${to}"; move what both need to a lower floor, or pass it in from src/compose.ts`,
    )
  }
  return findings
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

/** What stands in `src/`: its folder, or the file itself. */
function folderOf(path: string): string | undefined {
  const [first, second] = path.split('/')
  return first === 'src' ? second?.replace(/\.test\.ts$/, '.ts') : undefined
}

function floorOf(folder: string): number | undefined {
  const floor = FLOORS.findIndex((folders) => folders.includes(folder))
  if (floor >= 0) return floor
  const top = TOP.indexOf(folder)
  return top < 0 ? undefined : FLOORS.length + top
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

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
