/** Chooses the files of a project's page that a requirements file or lock wants. */
import { matchesVersion, parseFilename, versionOf } from '../pep/filename.ts'
import type { ProjectName } from '../pep/name.ts'
import type { DistributionFile, ProjectDetail } from '../pep/simple.ts'
import { compareVersions, isPrerelease, satisfies } from '../pep/version.ts'
import type { Hash, WantedFile, WantedRelease } from './wanted.ts'

export interface Choice {
  /** The newest that matches, where no version was named. */
  readonly newest?: string
  readonly files: readonly ChosenFile[]
  readonly missing: readonly Missing[]
}

export interface ChosenFile {
  readonly project: ProjectName
  readonly version: string
  readonly file: DistributionFile
  /** The page tells no hash that could be held against those wanted: one of these the bytes must have. Empty: the page agrees. */
  readonly unchecked: readonly Hash[]
}

export interface Missing {
  readonly project: ProjectName
  readonly version?: string
  readonly filename?: string
  readonly reason: string
}

export interface ChoiceOptions {
  /** Where a release has wheels and no file is named, its sdists are left out. */
  readonly onlyWheels: boolean
}

export function chooseFiles(wanted: WantedRelease, page: ProjectDetail, options: ChoiceOptions): Choice {
  const { project, version } = wanted
  const listed = page.files.flatMap((file) => {
    const own = versionOf(file.filename, project)
    return own === undefined ? [] : [{ file, version: own }]
  })
  if (version !== undefined) {
    if (!admits(wanted, version)) {
      return none({ project, version, reason: `the requirement contradicts itself: "${wanted.specifier}"` })
    }
    const own = listed.filter(({ file }) => matchesVersion(file.filename, version, project))
    if (own.length === 0) return none({ project, version, reason: 'the index lists no file of this version' })
    return named(wanted, own, options)
  }
  if (wanted.files.length > 0) return named(wanted, listed, options)
  const newest = newestOf(wanted, listed)
  if (newest === undefined) {
    const asked = wanted.specifier === '' ? 'no version' : `no version that matches "${wanted.specifier}"`
    return none({ project, reason: `the index lists ${asked}` })
  }
  const own = listed.filter((each) => compareVersions(each.version, newest) === 0)
  return { newest, ...named(wanted, own, options) }
}

interface Listed {
  readonly file: DistributionFile
  readonly version: string
}

/** Those that are named among `own`; all of them when none is. */
function named(wanted: WantedRelease, own: readonly Listed[], { onlyWheels }: ChoiceOptions): Choice {
  const { project } = wanted
  const take = ({ file, version }: Listed, unchecked: readonly Hash[]) => ({ project, version, file, unchecked })
  if (wanted.files.length === 0) {
    const wheels = own.filter(({ file }) => parseFilename(file.filename)?.kind === 'wheel')
    const files = onlyWheels && wheels.length > 0 ? wheels : own
    return { files: files.map((each) => take(each, [])), missing: [] }
  }
  const byName = new Map<string, Listed>()
  for (const each of own) if (!byName.has(each.file.filename)) byName.set(each.file.filename, each)
  const chosen = new Map<string, ChosenFile>()
  const missing: Missing[] = []
  const anonymous: Hash[] = []
  for (const each of wanted.files) {
    if (each.filename === undefined) {
      if (each.hash !== undefined) anonymous.push(each.hash)
      continue
    }
    const found = byName.get(each.filename)
    const trouble = found === undefined ? 'the index does not list it' : disagreement(found.file, each)
    if (found !== undefined && trouble === undefined) {
      const isTold = each.hash === undefined || found.file.hashes[each.hash.algorithm] !== undefined
      chosen.set(each.filename, take(found, isTold ? [] : [each.hash]))
    } else {
      missing.push({
        project,
        ...(wanted.version !== undefined && { version: wanted.version }),
        filename: each.filename,
        reason: trouble!,
      })
    }
  }
  const found = byHash(own, anonymous)
  for (const { listed, unchecked } of found.files) chosen.set(listed.file.filename, take(listed, unchecked))
  for (const { algorithm, hex } of found.unmatched) {
    missing.push({
      project,
      ...(wanted.version !== undefined && { version: wanted.version }),
      reason: `the index lists no file with ${algorithm}:${hex}`,
    })
  }
  return { files: [...chosen.values()], missing }
}

/** Files by hash alone. A file whose page tells no comparable hash may be meant: it is taken, and its bytes are looked at. */
function byHash(own: readonly Listed[], hashes: readonly Hash[]) {
  const files: { listed: Listed; unchecked: readonly Hash[] }[] = []
  const matched = new Set<Hash>()
  let isUnsure = false
  if (hashes.length === 0) return { files, unmatched: [] }
  const algorithms = [...new Set(hashes.map(({ algorithm }) => algorithm))]
  const byText = Map.groupBy(hashes, ({ algorithm, hex }) => `${algorithm}:${hex}`)
  for (const listed of own) {
    const comparable = algorithms.filter((algorithm) => listed.file.hashes[algorithm] !== undefined)
    const same = comparable.flatMap((algorithm) => byText.get(`${algorithm}:${listed.file.hashes[algorithm]}`) ?? [])
    for (const hash of same) matched.add(hash)
    if (same.length > 0) files.push({ listed, unchecked: [] })
    else if (comparable.length === 0) {
      isUnsure = true
      files.push({ listed, unchecked: hashes })
    }
  }
  return { files, unmatched: isUnsure ? [] : hashes.filter((hash) => !matched.has(hash)) }
}

function disagreement(file: DistributionFile, { hash }: WantedFile): string | undefined {
  const told = hash && file.hashes[hash.algorithm]
  if (hash === undefined || told === undefined || told === hash.hex) return undefined
  return `the index lists it with ${hash.algorithm}:${told}, and ${hash.algorithm}:${hash.hex} is wanted`
}

/** PEP 440, "Handling of pre-releases": only where asked for, or where there is nothing else. */
function newestOf(wanted: WantedRelease, listed: readonly Listed[]): string | undefined {
  const versions = [...new Set(listed.filter(({ file }) => file.yanked === undefined).map((each) => each.version))]
  const matching = versions.filter((each) => admits(wanted, each)).sort((a, b) => compareVersions(b, a))
  const isEarlyMeant = wanted.specifier.split(',').some((clause) => isPrerelease(clause.replace(/^[\s=<>!~]+/, '')))
  if (wanted.admitsPrereleases === true || isEarlyMeant) return matching[0]
  return matching.find((each) => !isPrerelease(each)) ?? matching[0]
}

/** `===` compares text, and a lock's own spelling of a version need not be the index's. */
function admits({ specifier, version }: WantedRelease, candidate: string): boolean {
  return specifier === `==${version}` || satisfies(candidate, specifier)
}

function none(missing: Missing): Choice {
  return { files: [], missing: [missing] }
}
