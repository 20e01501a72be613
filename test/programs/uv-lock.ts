/**
 * `uv lock` over many projects at once, as the way to see what uv reads from their pages: it has no command that prints a page, yet a lock
 * holds address, hash, size and time of every file of the versions that it pins, and its log names each file that it passes over.
 *
 * uv is told beforehand that no project requires anything, so it asks for pages only. Markers that exclude one another let one lock hold
 * several versions of a project.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asFilename, parseFilename, versionOf } from '../../src/pep/filename.ts'
import type { ProjectName } from '../../src/pep/name.ts'
import { asVersion } from '../../src/pep/version.ts'
import type { UpstreamFile, UpstreamPage } from '../upstream/real-pages.ts'
import { type Listener, listen } from '../world/listener.ts'
import type { PythonClients } from './python-clients.ts'

export interface LockedFile {
  readonly project: string
  readonly filename: string
  /** `sha256:…` */
  readonly hash: string
  readonly size: number | undefined
  readonly uploadTime: string | undefined
}

export interface Lock {
  /** With the index's own addresses taken out: two indexes with the same files give the same text. */
  readonly text: string
  readonly files: readonly LockedFile[]
  /** What uv said about files and versions: passed over, repaired, yanked and why. Sorted, each once. */
  readonly remarks: readonly string[]
}

/** Versions of a project, at most one for each of `MARKERS`. */
export interface Pins {
  readonly project: string
  readonly versions: readonly string[]
}

const MARKERS = ['linux', 'win32', 'darwin', 'cygwin'].map((platform) => `sys_platform == '${platform}'`)
/** The oldest Python that tests run on. */
const PYTHON = '>=3.9'
/** Specifiers that surely let every such Python in. */
const LETS_ALL_IN = /^>=\s*(2(\.\d+)*|3(\.[0-8](\.\d+)?|\.9(\.0)?)?)(\s*,\s*<4(\.0)?)?$/
const RUN_MS = 5 * 60_000

/** Versions that uv can pin for every Python and platform, spread over the page; `undefined` where there is none. */
export function pinsOf(page: UpstreamPage): Pins | undefined {
  const listed = new Set(page.versions)
  const usable = new Set<string>()
  for (const file of page.files) {
    const version = versionOf(file.filename, page.name as ProjectName)
    if (version !== undefined && asVersion(version) !== undefined && listed.has(version) && isForAll(file))
      usable.add(version)
  }
  const all = [...usable]
  if (all.length === 0) return undefined
  const versions = MARKERS.map((_, at) => all[Math.min(all.length - 1, Math.floor((at * all.length) / 3))]!)
  return { project: page.name, versions }
}

function isForAll(file: UpstreamFile): boolean {
  const python = file['requires-python']
  if (typeof python === 'string' && !LETS_ALL_IN.test(python)) return false
  if (asFilename(file.filename) === undefined) return false
  const parsed = parseFilename(file.filename)
  if (parsed?.kind === 'sdist') return parsed.format === 'tar.gz' || parsed.format === 'zip'
  return parsed?.kind === 'wheel' && parsed.platformTag === 'any' && parsed.pythonTag.split('.').includes('py3')
}

/** Locks `pins` in `folder` with `index` as the only index. Throws uv's own words when it fails. */
export async function uvLock(
  clients: PythonClients,
  folder: string,
  index: string,
  pins: readonly Pins[],
): Promise<Lock> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'pyproject.toml'), project(index, pins))
  const run = await clients.run('uv', ['lock', '--verbose', '--no-cache', '--project', folder], {
    // The project's own settings are not read with it.
    env: { UV_NO_CONFIG: '0' },
    timeoutMs: RUN_MS,
  })
  if (run.code !== 0) throw new Error(`Cannot lock from ${index}: ${run.output.slice(-4000)}`)
  const written = await readFile(join(folder, 'uv.lock'), 'utf8')
  const said = run.output.split('\n').filter((line) => /^(?:WARN|warning:)|^DEBUG Skipping file for/.test(line))
  const text = written
    .replace(/url = "[^"]*\/([^"/]+)"/g, (_, last: string) => `url = "${decodeURIComponent(last)}"`)
    .replaceAll(`"${index}"`, '"INDEX"')
  // HTML has no way to tell a reason that is empty from none.
  const remarks = new Set(said.map((line) => line.replace(/ \(reason: ""\)$/, '')))
  return { text, files: filesOf(text), remarks: [...remarks].sort() }
}

function project(index: string, pins: readonly Pins[]): string {
  const wanted = pins.flatMap((one) =>
    one.versions.map((version, at) => `  "${one.project} == ${version}; ${MARKERS[at]}",`),
  )
  const lines = [
    '[project]\nname = "all-at-once"\nversion = "1"',
    `requires-python = "${PYTHON}"\ndependencies = [`,
    ...wanted,
    ']\n[tool.uv]',
    `environments = [${MARKERS.map((marker) => `"${marker}"`).join(', ')}]`,
    `[[tool.uv.index]]\nurl = "${index}"\ndefault = true`,
    ...pins.map((one) => `[[tool.uv.dependency-metadata]]\nname = "${one.project}"\nrequires-dist = []`),
  ]
  return `${lines.join('\n')}\n`
}

function filesOf(lock: string): LockedFile[] {
  const files: LockedFile[] = []
  for (const block of lock.split('[[package]]')) {
    const name = /^name = "([^"]+)"$/m.exec(block)?.[1]
    for (const [, url, hash, more = ''] of block.matchAll(/\{ url = "([^"]+)", hash = "([^"]+)"([^}]*)\}/g)) {
      const size = /\bsize = (\d+)/.exec(more)?.[1]
      files.push({
        project: name!,
        filename: url!,
        hash: hash!,
        size: size === undefined ? undefined : Number(size),
        uploadTime: /\bupload-time = "([^"]+)"/.exec(more)?.[1],
      })
    }
  }
  return files
}

/** Passes requests on to `target` as from a client that can read nothing but HTML. */
export async function htmlOnly(target: string): Promise<Listener> {
  return listen(async (request, response) => {
    const answer = await fetch(`${target}${request.url}`, { headers: { accept: 'text/html' }, redirect: 'manual' })
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
    response.end(await answer.bytes())
  })
}
