/**
 * The names of distribution archives: wheels (PEP 427, PEP 825's variants), sdists (PEP 625 and what came before it) and
 * the older kinds that devpi takes. Consumers accept more than producers may write.
 */
import type { Brand } from '../lib/brand.ts'
import { asProjectName, type ProjectName } from './name.ts'
import { asVersion, compareVersions } from './version.ts'

/** An archive's name that is safe as a file name, in a header and in a URL: printable ASCII, no separators, at most 255 bytes. */
export type Filename = Brand<string, 'Filename'>

export type ParsedFilename =
  | {
      readonly kind: 'wheel'
      readonly project: ProjectName
      /** As written, with PEP 427's `_` read back as `-` where only that makes it a version. */
      readonly version: string
      readonly build?: string
      readonly pythonTag: string
      readonly abiTag: string
      readonly platformTag: string
      /** PEP 825's variant label. */
      readonly variant?: string
    }
  | { readonly kind: 'sdist'; readonly project: ProjectName; readonly version: string; readonly format: SdistFormat }
  /** An archive, of which the name alone does not say more; `extension` without leading dot. */
  | { readonly kind: 'other'; readonly extension: string }

export type SdistFormat = (typeof SDIST_FORMATS)[number]

/** The upload form's `filetype`, and `packagetype` of the JSON API. */
export type FileType =
  | 'bdist_wheel'
  | 'sdist'
  | 'bdist_egg'
  | 'bdist_wininst'
  | 'bdist_msi'
  | 'bdist_rpm'
  | 'bdist_dmg'
  | 'bdist_dumb'

/** The limit of every common file system. */
const FILENAME_BYTES_MAX = 255
const SDIST_FORMATS = ['tar.gz', 'tgz', 'tar.bz2', 'tar.xz', 'tar.Z', 'tar', 'zip'] as const
const OTHER_EXTENSIONS = ['whl', 'egg', 'exe', 'msi', 'rpm', 'deb', 'dmg', 'bz2'] as const
const ENDINGS = [...SDIST_FORMATS, ...OTHER_EXTENSIONS].map((extension) => ({
  extension,
  ending: `.${extension.toLowerCase()}`,
}))
/** What the older binary kinds write after the version: `-py2.7-linux-x86_64`, `-1.noarch`, `.win-amd64-py2.7`, `.linux-x86_64`. */
const EGG_TAIL = /-py\d+(?:\.\d+)?(?:-[a-z][^/]*)?$/
const RPM_TAIL = /-\d+\.\w+$/
const PLATFORM_TAIL =
  /\.(?:linux-[a-z]\w*|macosx-\d+\.\d+-\w+|win32|win-(?:amd64|arm32|arm64|ia64))(?:-py\d+(?:\.\d+)?)?$/

/** Checks an archive's name from outside. Throws `SyntaxError` that says what is wrong with it. */
export function filename(text: string): Filename {
  const wrong = faultOf(text)
  if (wrong !== undefined) throw new SyntaxError(`Cannot use filename ${JSON.stringify(text.slice(0, 300))}: ${wrong}`)
  return text as Filename
}

/** `filename` for text that may be anything: `undefined` where it is not safe. */
export function asFilename(text: string): Filename | undefined {
  try {
    return filename(text)
  } catch {
    return undefined
  }
}

/** What an archive's name says, or `undefined` when it is the name of no archive (devpi's list of extensions, and pip's). */
export function parseFilename(text: string): ParsedFilename | undefined {
  if (last?.text !== text) last = { text, parsed: parsed(text) }
  return last.parsed
}

/** An upload's checks ask a dozen times for the same one. */
let last: { readonly text: string; readonly parsed: ParsedFilename | undefined } | undefined

function parsed(text: string): ParsedFilename | undefined {
  const extension = extensionOf(text)
  if (extension === undefined) return undefined
  if (extension === 'whl') return parseWheel(text.slice(0, -4)) ?? { kind: 'other', extension }
  const format = SDIST_FORMATS.find((known) => known === extension)
  const stem = stemOf(text, extension)
  if (format === undefined || PLATFORM_TAIL.test(stem)) return { kind: 'other', extension }
  const [likeliest] = splits(stem)
  return likeliest ? { kind: 'sdist', ...likeliest, format } : { kind: 'other', extension }
}

/**
 * The ways to read an sdist's (or older binary's) name as project and version, likeliest first: `foo-bar-1.0.tar.gz` is
 * read as `foo-bar` 1.0 before `foo` "bar-1.0". Splits before a PEP 440 version come first, the leftmost of them ahead
 * (PEP 625 names have no other dash); then those before a digit. A wheel gives one, text that is no archive none.
 */
export function candidates(text: string): readonly { readonly project: ProjectName; readonly version: string }[] {
  const extension = extensionOf(text)
  if (extension === undefined) return []
  if (extension === 'whl') {
    const wheel = parseFilename(text)
    return wheel?.kind === 'wheel' ? [{ project: wheel.project, version: wheel.version }] : []
  }
  return splits(stemOf(text, extension).replace(tailOf(extension), ''))
}

/** The version, as written, that `text` carries as a file of `project`; `undefined` when it is none of its files. */
export function versionOf(text: string, project: ProjectName): string | undefined {
  return candidates(text).find((candidate) => candidate.project === project)?.version
}

/** Whether `text` can be a file of `project` (devpi's "does not match project name"). */
export function matchesProject(text: string, project: ProjectName): boolean {
  return candidates(text).some((candidate) => candidate.project === project)
}

/**
 * Whether `text` can be a file of release `version`, of `project` where that is given: the same text, an equal PEP 440
 * version, or the escaped forms of PEP 427 and older tools (`-`, `+` and `!` as `_`).
 */
export function matchesVersion(text: string, version: string, project?: ProjectName): boolean {
  return candidates(text).some(
    (candidate) =>
      (project === undefined || candidate.project === project) && isSameVersion(candidate.version, version),
  )
}

/** The upload form's `pyversion`: a wheel's Python tag, an egg's or installer's Python version, else `source` or `any`. */
export function pythonTagOf(text: string): string {
  const parsed = parseFilename(text)
  if (parsed?.kind === 'wheel') return parsed.pythonTag
  if (parsed?.kind === 'sdist') return 'source'
  return /-py(\d+(?:\.\d+)?)(?:-[^/]*)?\.(?:egg|exe|msi)$/i.exec(text)?.[1] ?? 'any'
}

/** The kind of archive by its name; `undefined` when it is no archive. */
export function fileTypeOf(text: string): FileType | undefined {
  const parsed = parseFilename(text)
  if (parsed === undefined) return undefined
  if (parsed.kind === 'wheel') return 'bdist_wheel'
  if (parsed.kind === 'sdist') return 'sdist'
  switch (parsed.extension) {
    case 'whl':
      return 'bdist_wheel'
    case 'egg':
      return 'bdist_egg'
    case 'exe':
      return 'bdist_wininst'
    case 'msi':
      return 'bdist_msi'
    case 'rpm':
      return 'bdist_rpm'
    case 'dmg':
      return 'bdist_dmg'
    default:
      return 'bdist_dumb'
  }
}

/** Whether `stem`, such as a `.dist-info` folder's name without that ending, is `{project}-{version}` in any spelling. */
export function isStemOf(stem: string, project: ProjectName, version: string): boolean {
  return splits(stem).some((split) => split.project === project && isSameVersion(split.version, version))
}

function faultOf(text: string): string | undefined {
  if (text === '') return 'it is empty'
  if (text.length > FILENAME_BYTES_MAX) {
    return `it has ${text.length} characters, at most ${FILENAME_BYTES_MAX} are allowed`
  }
  if (/[/\\]/.test(text)) return 'it contains a path separator'
  if (!/^[\x20-\x7e]+$/.test(text) || /["<>#?%*:|`]/.test(text)) {
    return 'use printable ASCII characters without " < > # ? % * : | `'
  }
  return /^[. ]|[. ]$/.test(text) ? 'it starts or ends with a dot or space' : undefined
}

function tailOf(extension: string): RegExp {
  if (extension === 'egg') return EGG_TAIL
  return extension === 'rpm' ? RPM_TAIL : PLATFORM_TAIL
}

function extensionOf(text: string): string | undefined {
  if (text.length > FILENAME_BYTES_MAX) return undefined
  const folded = text.toLowerCase()
  return ENDINGS.find(({ ending }) => folded.length > ending.length && folded.endsWith(ending))?.extension
}

/** devpi's documentation archives, `{project}-{version}.doc.zip`, are read without their `.doc`. */
function stemOf(text: string, extension: string): string {
  const stem = text.slice(0, -extension.length - 1)
  return extension === 'zip' ? stem.replace(/\.doc$/, '') : stem
}

function parseWheel(stem: string): Extract<ParsedFilename, { kind: 'wheel' }> | undefined {
  const parts = stem.split('-')
  if (parts.length < 5 || parts.length > 7 || parts.includes('')) return undefined
  const build = /^\d/.test(parts[2]!) && parts.length > 5 ? parts[2] : undefined
  const tags = parts.slice(build === undefined ? 2 : 3)
  const [pythonTag, abiTag, platformTag, variant, ...more] = tags
  const project = asProjectName(parts[0]!)
  if (project === undefined || pythonTag === undefined || abiTag === undefined || platformTag === undefined)
    return undefined
  if (more.length > 0) return undefined
  return {
    kind: 'wheel',
    project,
    version: unescaped(parts[1]!),
    ...(build !== undefined && { build }),
    pythonTag,
    abiTag,
    platformTag,
    ...(variant !== undefined && { variant }),
  }
}

function unescaped(written: string): string {
  const dashed = written.replaceAll('_', '-')
  return asVersion(written) === undefined && asVersion(dashed) !== undefined ? dashed : written
}

function splits(stem: string): { project: ProjectName; version: string }[] {
  // Each dash is tried, and what is behind it read: longer ones are names of nothing.
  if (stem.length > FILENAME_BYTES_MAX) return []
  const found: { project: ProjectName; version: string; rank: number }[] = []
  for (let dash = stem.indexOf('-'); dash !== -1; dash = stem.indexOf('-', dash + 1)) {
    const project = asProjectName(stem.slice(0, dash))
    const version = unescaped(stem.slice(dash + 1))
    if (project === undefined || version === '') continue
    found.push({ project, version, rank: asVersion(version) ? 0 : /^\d/.test(version) ? 1 : 2 })
  }
  return found.sort((a, b) => a.rank - b.rank).map(({ project, version }) => ({ project, version }))
}

function isSameVersion(written: string, wanted: string): boolean {
  // The escaped form of a local version may read as another version: `1.0_a.1` is 1.0+a.1, and 1.0a1 as well.
  if (escaped(written) === escaped(wanted)) return true
  return asVersion(written) !== undefined && asVersion(wanted) !== undefined && compareVersions(written, wanted) === 0
}

function escaped(version: string): string {
  return version.toLowerCase().replace(/[^a-z0-9.]+/g, '_')
}
