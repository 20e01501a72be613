/** `devpi test`: runs tox on the files of a release, and gives the results to the server. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { asObject } from '../../lib/json-object.ts'
import { readRequirement } from '../../locks/requirement.ts'
import { compareVersions } from '../../pep/version.ts'
import { beginSession } from '../begin-session.ts'
import { workFolder } from '../build/work-folder.ts'
import { type CliContext, CliExit } from '../context.ts'
import { linksOf, type ReleaseLink } from '../release-links.ts'
import { messageOf, resultOf, statusLine } from '../reply.ts'
import type { GenericOptions, Session } from '../session.ts'
import { readIfThere } from '../state-file.ts'
import { fetchFile, unpackSdist } from './test-files.ts'
import { runTox, type ToxOptions } from './tox-run.ts'

export interface TestOptions extends GenericOptions, ToxOptions {
  /** False for `--no-upload`. */
  readonly upload?: boolean
  /** A regular expression: only files whose names it finds are tested. */
  readonly select?: string
  readonly list?: boolean
}

/** A file to test, and whether it came through; `result` is where the server keeps the report. */
interface TestOutcome {
  readonly file: string
  readonly passed: boolean
  readonly result: string | null
}

/** Tests the newest release that each spec admits; ends with 1 when a test failed, or a report was refused. */
export async function test(context: CliContext, specs: readonly string[], options: TestOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const { out } = session
  session.requireIndex()
  const select = selector(session, options.select)
  await using work = await workFolder(session, 'devpi-test-')
  const outcomes: TestOutcome[] = []
  for (const [at, spec] of specs.entries()) {
    const { sdists, wheels } = chosenLinks(session, await linksFor(session, spec), select)
    const isWanted = ({ basename }: ReleaseLink) => select === undefined || select.test(basename)
    const links = [...sdists, ...wheels].filter(isWanted)
    if (options.list) {
      out.info('would test:')
      for (const { href } of links) out.info(`   ${href}`)
      outcomes.push(...links.map(({ href }) => ({ file: href, passed: false, result: null })))
      continue
    }
    const folder = join(work.path, String(at))
    await mkdir(folder)
    outcomes.push(...(await testLinks(session, links, sdists[0]!, folder, options)))
  }
  if (options.json) out.json(options.list ? outcomes.map(({ file }) => file) : outcomes)
  if (!options.list && outcomes.some(({ passed }) => !passed)) throw new CliExit(1)
}

/** Wheels hardly ever carry tests or `tox.ini`, so all files are tested from within the first sdist. */
async function testLinks(
  session: Session,
  links: readonly ReleaseLink[],
  sdist: ReleaseLink,
  folder: string,
  options: TestOptions,
): Promise<TestOutcome[]> {
  const { out } = session
  const first = await fetchFile(session, sdist, folder)
  const source = await unpackSdist(session, first, join(folder, 'source'))
  const outcomes: TestOutcome[] = []
  for (const link of links) {
    const archive = link === sdist ? first : await fetchFile(session, link, folder)
    const own = link.basename.endsWith('.whl') || link === sdist
    const from = own ? source : await unpackSdist(session, archive, join(folder, `source-${outcomes.length}`))
    const report = `${archive}.toxreport.json`
    const code = await runTox(session, { archive, source: from, report }, options)
    // 2 is tox's own failure, which says nothing of the file.
    const posted = code !== 2 && options.upload !== false ? await postReport(session, link, report) : { isDone: true }
    if (code !== 0) out.error(`tox command failed ${code}`)
    outcomes.push({ file: link.href, passed: code === 0 && posted.isDone, result: posted.result ?? null })
  }
  return outcomes
}

async function linksFor(session: Session, spec: string): Promise<readonly ReleaseLink[]> {
  const { out } = session
  const requirement = readRequirement(spec)
  if (requirement === undefined) {
    throw out.failure(`Cannot read "${spec}": write a project's name, or one with versions such as "pytest>=2.3.5"`)
  }
  const url = session.projectUrl(requirement.name)
  const reply = await session.api({ method: 'GET', url, refusal: 'reply' })
  if (reply.status >= 400) out.error(`${reply.method} ${reply.url.href}\n${statusLine(reply)}`)
  const releases = resultOf(reply)
  const newest = Object.keys(releases).filter(requirement.admits).toSorted(compareVersions).at(-1)
  const links = newest === undefined ? [] : linksOf(asObject(releases[newest]), reply.url)
  const files = links.filter(({ rel }) => rel === 'releasefile')
  if (files.length === 0) throw out.failure(`could not find/receive links for ${spec}`)
  return files
}

/** Sdists and wheels in the order of their tests; wheels for one platform or Python only when they are selected by name. */
function chosenLinks({ out }: Session, links: readonly ReleaseLink[], select: RegExp | undefined) {
  const wheels = links.filter(({ basename }) => {
    if (!basename.endsWith('.whl')) return false
    const isTaken = select !== undefined || basename.endsWith('py2.py3-none-any.whl')
    if (!isTaken) out.warn(`only universal wheels supported, found ${basename}`)
    return isTaken
  })
  const ending = (end: string) => links.filter(({ basename }) => basename.endsWith(end))
  const sdists = [...ending('.tar.gz').toReversed(), ...ending('.zip')]
  if (sdists.length === 0) throw out.failure('need at least one sdist distribution')
  return { sdists, wheels }
}

async function postReport(
  session: Session,
  link: ReleaseLink,
  path: string,
): Promise<{ readonly isDone: boolean; readonly result?: string }> {
  const { out } = session
  const text = await readIfThere(path)
  if (text === undefined) {
    out.error(`Cannot upload results of ${link.basename}: tox wrote none`)
    return { isDone: false }
  }
  const url = new URL(link.href)
  url.hash = ''
  out.line(`posting tox result data to ${url.href}`)
  const reply = await session.api({ method: 'POST', url, send: JSON.parse(text), refusal: 'reply' })
  if (reply.status !== 200) {
    out.error(`${reply.method} ${reply.url.href}\n${statusLine(reply)}`)
    out.error(`could not post tox result data to: ${url.href}`)
    return { isDone: false }
  }
  out.info('success')
  const message = messageOf(reply).slice(2)
  if (message !== '') out.warn(message)
  const result = reply.json?.result
  return { isDone: true, ...(typeof result === 'string' && { result }) }
}

function selector({ out }: Session, text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined
  try {
    return new RegExp(text)
  } catch (error) {
    throw out.failure(`Cannot select by "${text}": ${(error as Error).message}`)
  }
}
