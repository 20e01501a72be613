/**
 * devpi-client's own tests, as its source distribution carries them, run against `devpi-init` and `devpi-server` of this checkout.
 * The distribution is fetched when it is needed, and kept in `.cache/upstream` like everything that the relay fetches.
 */
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Parser } from 'htmlparser2'
import { fetch } from 'undici'
import { DEFAULT_UPSTREAM } from '../../src/config/settings.ts'
import { digestOf } from '../../src/lib/digest.ts'
import { realUpstream } from '../upstream/real-upstream.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { cleanEnv, cleanPath } from './clean-env.ts'
import { DEVPI_CLIENT_7, prepareDevpiClient } from './devpi-clients.ts'
import { runProgram } from './run-program.ts'
import { CHECKOUT } from './server-process.ts'

export interface SuiteTest {
  /** `testing.test_list_remove.TestListRemove::test_all`, with a parameter in brackets where it has one. */
  readonly name: string
  readonly result: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped, in full; empty when it passed. */
  readonly detail: string
}

export interface SuiteRun {
  readonly tests: readonly SuiteTest[]
  /** What pytest printed. */
  readonly output: string
}

const RELEASE = { project: 'devpi-client', filename: 'devpi_client-7.3.0.tar.gz', folder: 'devpi_client-7.3.0' }
/** flit 4 refuses a key that the tests write into a pyproject.toml. */
const BUILD_CONSTRAINTS = 'flit_core<4\n'
const SUITE_MS = 14 * 60_000

/** Runs all of the tests in two processes, or what the pytest arguments `chosen` leave of them. Throws when pytest does not get to run them. */
export async function runDevpiClientSuite(chosen: readonly string[] = []): Promise<SuiteRun> {
  await prepareDevpiClient('7.3.0')
  await using home = await tempFolder()
  await using upstream = await realUpstream()
  const sources = await unpackRelease(home.path, upstream.url)
  await useIndex(join(sources, 'testing', 'test_test.py'), upstream.url)

  // devpi-init and devpi-server only: the client under test stays the real one.
  const programs = join(home.path, 'programs')
  await mkdir(programs)
  for (const name of ['devpi-init', 'devpi-server'])
    await symlink(join(CHECKOUT, 'compat', 'bin', name), join(programs, name))
  const constraints = join(home.path, 'constraints.txt')
  await writeFile(constraints, BUILD_CONSTRAINTS)
  const report = join(home.path, 'report.xml')
  const python = join(DEVPI_CLIENT_7.folder, 'bin', 'python')
  const ran = await runProgram(
    python,
    ['-m', 'pytest', '-n', '2', '-o', 'timeout=300', `--basetemp=${home.path}/t`, `--junitxml=${report}`, ...chosen],
    {
      cwd: sources,
      env: cleanEnv(home.path, {
        PATH: cleanPath(programs, join(DEVPI_CLIENT_7.folder, 'bin')),
        // tox, which devpi-client's authors run them with, sets it; one test unsets it.
        VIRTUAL_ENV: DEVPI_CLIENT_7.folder,
        PIP_CONSTRAINT: constraints,
        PIP_DISABLE_PIP_VERSION_CHECK: '1',
        PIP_INDEX_URL: upstream.url,
        // Their mirrors are of the relay, which is on this machine, and are not root's.
        AIRLOCK_OUTGOING_ALLOW: '127.0.0.1,localhost',
        PYTHONUTF8: '1',
      }),
      timeoutMs: SUITE_MS,
    },
  )
  const text = await readFile(report, 'utf8').catch(() => undefined)
  if (text === undefined)
    throw new Error(`Cannot run the tests of "${RELEASE.filename}"; pytest printed:\n${ran.output}`)
  return { tests: readReport(text), output: ran.output }
}

/** Gives the folder that the source distribution unpacks to, below `folder`. Throws when the index lacks it, or its bytes are others. */
async function unpackRelease(folder: string, index: string): Promise<string> {
  const { project, filename } = RELEASE
  const page = await fetch(`${index}${project}/`, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } })
  const { files } = (await page.json()) as { files: { filename: string; url: string; hashes: { sha256?: string } }[] }
  const file = files.find((one) => one.filename === filename)
  if (file === undefined) throw new Error(`Cannot find "${filename}" at ${page.url}`)
  const got = await fetch(new URL(file.url, page.url))
  const bytes = Buffer.from(await got.arrayBuffer())
  if (digestOf(bytes) !== file.hashes.sha256)
    throw new Error(`Cannot use "${filename}": its sha256 is ${digestOf(bytes)}, the page says ${file.hashes.sha256}`)
  const archive = join(folder, filename)
  await writeFile(archive, bytes)
  const python = join(DEVPI_CLIENT_7.folder, 'bin', 'python')
  const unpacked = await runProgram(python, ['-m', 'tarfile', '-e', archive, folder], {
    cwd: folder,
    env: cleanEnv(folder),
  })
  if (unpacked.code !== 0) throw new Error(`Cannot unpack "${filename}": ${unpacked.output}`)
  return join(folder, RELEASE.folder)
}

/** Three tests name the public index as what a mirror mirrors; they get the one that pip is configured with. */
async function useIndex(path: string, index: string): Promise<void> {
  const text = await readFile(path, 'utf8')
  if (!text.includes(DEFAULT_UPSTREAM)) throw new Error(`Cannot find the public index in "${path}"`)
  await writeFile(path, text.replaceAll(DEFAULT_UPSTREAM, index))
}

/** JUnit's XML as pytest writes it. A test that fails while it is torn down stands there twice. */
function readReport(text: string): SuiteTest[] {
  const tests = new Map<string, { result: SuiteTest['result']; detail: string }>()
  let current: { result: SuiteTest['result']; detail: string } | undefined
  let isDetail = false
  const parser = new Parser(
    {
      onopentag(tag, attributes) {
        if (tag === 'testcase') {
          const name = `${attributes.classname}::${attributes.name}`
          current = tests.get(name) ?? { result: 'passed', detail: '' }
          tests.set(name, current)
        } else if (current !== undefined && (tag === 'failure' || tag === 'error' || tag === 'skipped')) {
          current.result = tag === 'skipped' ? 'skipped' : 'failed'
          current.detail += `${attributes.message ?? ''}\n`
          isDetail = true
        }
      },
      ontext(piece) {
        if (current !== undefined && isDetail) current.detail += piece
      },
      onclosetag(tag) {
        if (tag === 'testcase') current = undefined
        isDetail = false
      },
    },
    { xmlMode: true, decodeEntities: true },
  )
  parser.end(text)
  return [...tests].map(([name, test]) => ({ name, ...test }))
}
