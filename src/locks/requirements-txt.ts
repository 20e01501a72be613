/**
 * pip's requirements file: requirements with pins, ranges, extras, markers and `--hash`, more files by `-r` and `-c`.
 *
 * Markers are cut off, not weighed: a mirror serves machines of every kind, so what any of them needs is wanted. Constraints (`-c`)
 * narrow what is required and require nothing.
 */

import { type ProjectName, projectName } from '../pep/name.ts'
import { readRequirement } from './requirement.ts'
import { readHash, type Skipped, type Wanted, type WantedFile, type WantedRelease } from './wanted.ts'

/** Reads the text of a file, by the absolute path that `resolve` gave. Throws for one that cannot be read. */
export interface FileReader {
  /** `name` as written in the file `from`. */
  resolve(name: string, from: string): string
  read(path: string): Promise<string>
}

/** More files than this are a mistake, or somebody's joke. */
const FILES_MAX = 100
const SHOWN_CHARACTERS = 120
/** Options of pip that say where and how to install, which is no matter here. */
const PASSED_OVER =
  /^(?:-i|--index-url|--pypi-url|--extra-index-url|--no-index|-f|--find-links|--no-binary|--only-binary|--prefer-binary|--require-hashes|--trusted-host|--use-feature)(?:[ =]|$)/

interface Line {
  readonly project: ProjectName
  readonly specifier: string
  readonly files: readonly WantedFile[]
}

/** Throws `SyntaxError` with file and line for what cannot be read, and what `files` throws. */
export async function requirementsTxt(path: string, files: FileReader): Promise<Wanted> {
  const required: Line[] = []
  const constraints: Line[] = []
  const skipped: Skipped[] = []
  const seen = new Set<string>()
  let admitsPrereleases = false

  async function include(name: string, from: string, isConstraint: boolean): Promise<void> {
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(name)) {
      skipped.push({ text: name, reason: 'requirements files are read from this machine only' })
      return
    }
    await take(files.resolve(name, from), isConstraint)
  }

  async function take(file: string, isConstraint: boolean): Promise<void> {
    const key = `${isConstraint} ${file}`
    if (seen.has(key)) return
    if (seen.add(key).size > FILES_MAX) {
      throw new SyntaxError(`Cannot read "${path}": it leads to more than ${FILES_MAX} files`)
    }
    for (const { text, number } of logicalLines(await files.read(file))) {
      const [, more] = /^(?:-r|--requirement)(?:\s*=\s*|\s*)(\S.*)$/.exec(text) ?? []
      const [, constraint] = /^(?:-c|--constraint)(?:\s*=\s*|\s*)(\S.*)$/.exec(text) ?? []
      if (more !== undefined) await include(unquoted(more), file, isConstraint)
      else if (constraint !== undefined) await include(unquoted(constraint), file, true)
      else if (/^--pre(?:\s|$)/.test(text)) admitsPrereleases = true
      else if (PASSED_OVER.test(text)) continue
      else {
        const read = readLine(text)
        if ('reason' in read) skipped.push(read)
        else if ('wrong' in read) throw new SyntaxError(`Cannot read ${file}:${number}: ${read.wrong}`)
        else (isConstraint ? constraints : required).push(read)
      }
    }
  }

  await take(path, false)
  const constraintsOf = Map.groupBy(constraints, (each) => each.project)
  const releases = required.map((line): WantedRelease => {
    const own = constraintsOf.get(line.project) ?? []
    const specifier = [line, ...own]
      .map((each) => each.specifier)
      .filter((each) => each !== '')
      .join(',')
    const version = pinOf(specifier)
    return {
      project: line.project,
      specifier,
      files: [...line.files, ...own.flatMap((each) => each.files)],
      ...(version !== undefined && { version }),
      ...(admitsPrereleases && { admitsPrereleases }),
    }
  })
  return { releases, skipped }
}

/** Lines with those that a backslash continues joined on, comments cut off, empty ones left out (pip's "Requirements file format"). */
function* logicalLines(text: string): Generator<{ text: string; number: number }> {
  let joined = ''
  let first = 0
  const lines = `${text.replace(/^\ufeff/, '')}\n`.split(/\r\n|\r|\n/)
  for (const [at, line] of lines.entries()) {
    if (joined === '') first = at + 1
    const isComment = /^\s*#/.test(line)
    if (line.endsWith('\\') && !isComment && at < lines.length - 1) {
      joined += `${line.slice(0, -1).trim()} `
      continue
    }
    const whole = withoutComment(`${joined}${isComment ? '' : line}`).trim()
    joined = ''
    if (whole !== '') yield { text: whole, number: first }
  }
}

/** Up to a sign that begins the line or stands behind white space. */
function withoutComment(line: string): string {
  const start = line.search(/(?:^|\s)#/)
  return start < 0 ? line : line.slice(0, start)
}

function readLine(text: string): Line | Skipped | { readonly wrong: string } {
  const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
  if (/^(?:-e|--editable)(?:[ =]|$)/.test(text))
    return { text: shown, reason: 'it is installed from a folder or a repository' }
  if (text.startsWith('-')) return { text: shown, reason: 'the option is not known here' }
  const hashes = [...text.matchAll(/\s--hash[ =]\s*(\S+)/g)].map((found) => found[1]!)
  const [spec = ''] = text.split(/\s--[a-z]/)
  // A marker; in an address a semicolon needs a space before it to be one (PEP 508).
  const semicolon = spec.indexOf(';')
  const requirement = (semicolon < 0 ? spec : spec.slice(0, semicolon)).trim()
  if (isDirect(spec) || isPlace(spec)) {
    return { text: shown, reason: 'it is an address or a path, no file of an index' }
  }
  const read = readRequirement(requirement)
  if (read === undefined) return { wrong: `"${shown}" is no requirement` }
  const files: WantedFile[] = []
  for (const written of hashes) {
    const hash = readHash(written)
    if (hash === undefined) return { wrong: `"${written}" is no hash` }
    files.push({ hash })
  }
  return { project: projectName(read.name), specifier: read.specifier, files }
}

/** `name[extra] @ address`. */
function isDirect(spec: string): boolean {
  const behind = spec.replace(/^[\w.-]+/, '').trimStart()
  return (
    behind.length < spec.length &&
    behind
      .replace(/^\[[^\]]*\]/, '')
      .trimStart()
      .startsWith('@')
  )
}

/** What pip takes for a URL or a path: a scheme, a slash, a leading dot, an archive's ending. */
function isPlace(spec: string): boolean {
  const word = spec.trim().split(/[\s;]/)[0]!
  return (
    /^(?:[a-z+]+:\/\/|file:|\.{0,2}[/\\]|\.)|[/\\]/i.test(word) || /\.(?:whl|zip|tar\.gz|tgz|tar\.bz2)$/i.test(word)
  )
}

/** The one version that a specifier set admits by name. */
function pinOf(specifier: string): string | undefined {
  for (const clause of specifier.split(',')) {
    const [, version] = /^\s*===?\s*([^\s*]+)\s*$/.exec(clause) ?? []
    if (version !== undefined) return version
  }
  return undefined
}

function unquoted(text: string): string {
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text
}
