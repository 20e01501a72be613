/** `airlock sync --warm`: what a requirements file or a lock names is fetched, and installs offline with the real pip and uv. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type BuiltFile, sdist, type WheelOptions, wheel } from '../builders/wheels.ts'
import { cleanEnv } from '../programs/clean-env.ts'
import { type PythonClients, pythonClients } from '../programs/python-clients.ts'
import { type Outcome, runProgram } from '../programs/run-program.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { type ServedFolder, serveFolder } from './served-folder.ts'

interface Report {
  readonly held: readonly { readonly filename: string; readonly how: string; readonly sizeBytes?: number }[]
  readonly newest: readonly { readonly project: string; readonly version: string }[]
  readonly missing: readonly { readonly project: string; readonly filename?: string; readonly reason: string }[]
  readonly skipped: readonly { readonly text: string; readonly reason: string }[]
}

describe('airlock sync --warm', { timeout: 600_000 }, () => {
  let upstream: FakeUpstream
  let served: ServedFolder
  let clients: PythonClients
  const built = new Map<string, BuiltFile>()

  before(async () => {
    clients = await pythonClients()
    upstream = await startFakeUpstream({ links: 'separate' })
    add({ name: 'app', version: '1.0', requiresDist: ['lib>=1'] })
    add({ name: 'app', version: '2.0', requiresDist: ['lib>=1'] })
    add({ name: 'lib', version: '1.5' })
    add({ name: 'lib', version: '1.6' })
    add({ name: 'ranged', version: '1.0' })
    add({ name: 'ranged', version: '2.0' })
    add({ name: 'locked', version: '1.0' })
    add({ name: 'hashless', version: '1.0' })
    add({ name: 'flaky', version: '1.0' })
    add({ name: 'slow', version: '1.0' })
    served = await serveFolder({ AIRLOCK_UPSTREAM: upstream.url })
    const made = await run(['index', '-c', 'root/prod', 'bases=root/pypi'], 'root')
    assert.equal(made.code, 0, made.output)
  })

  after(async () => {
    await served?.[Symbol.asyncDispose]()
    await upstream?.close()
    await clients?.[Symbol.asyncDispose]()
  })

  test('fetches pinned files, by hash where hashes are given, and the newest of what is not pinned', async () => {
    await file('more.txt', 'lib==1.5\n-e git+https://x.example/y#egg=y\n')
    const requirements = await file(
      'requirements.txt',
      `app==1.0 \\\n    --hash=sha256:${built.get('app-1.0.whl')!.sha256}\n-r more.txt\nranged<2 # why\n`,
    )
    const { code, stdout } = await sync(requirements)
    assert.equal(code, 0, stdout)
    const report: Report = JSON.parse(stdout)
    assert.deepEqual(
      report.held.map(({ filename, how }) => `${how} ${filename}`),
      [
        'fetched app-1.0-py3-none-any.whl',
        'fetched lib-1.5-py3-none-any.whl',
        'fetched lib-1.5.tar.gz',
        'fetched ranged-1.0-py3-none-any.whl',
        'fetched ranged-1.0.tar.gz',
      ],
    )
    assert.ok(report.held.every(({ sizeBytes = 0 }) => sizeBytes > 0))
    assert.deepEqual(report.newest, [{ project: 'ranged', specifier: '<2', version: '1.0' }])
    assert.deepEqual(
      report.skipped.map(({ text }) => text),
      ['-e git+https://x.example/y#egg=y'],
    )
  })

  test('a second run asks upstream for no file and says that all was there', async () => {
    upstream.forgetRequests()
    const said = await run(['sync', '--warm', 'requirements.txt', '--index', `${served.url}/root/prod`])
    assert.equal(said.code, 0, said.output)
    assert.match(said.stdout, /^5 files of 3 releases are held \(\S+ MB\): 0 fetched, 5 there already, 0 missing$/m)
    assert.match(said.stdout, /^ranged<2: took 1\.0, the newest that matches$/m)
    assert.match(said.stdout, /^skipped -e git/m)
    assert.equal(upstream.count('/packages/*'), 0)
  })

  test('fetches the files that a uv.lock names, and no others', async () => {
    const { filename, sha256 } = built.get('locked-1.0.whl')!
    const lock = await file(
      'uv.lock',
      `version = 1\n[[package]]\nname = "locked"\nversion = "1.0"\nsource = { registry = "${upstream.url}" }\nwheels = [{ url = "https://x.example/${filename}", hash = "sha256:${sha256}", size = 1 }]\n`,
    )
    const report: Report = JSON.parse((await sync(lock)).stdout)
    assert.deepEqual(
      report.held.map((each) => each.filename),
      [filename],
    )
  })

  test('asks again where upstream stumbles, and tells what cannot be had', async () => {
    upstream.misbehave('/simple/flaky/', { kind: 'status', status: 503, retryAfterSeconds: 1 }, { times: 1 })
    const wrong = await file(
      'wrong.txt',
      `flaky\napp==9\nno-such-project==1\nlib==1.6 --hash=sha256:${'0'.repeat(64)}\n`,
    )
    const { code, stdout } = await sync(wrong)
    assert.equal(code, 1)
    const report: Report = JSON.parse(stdout)
    assert.deepEqual(
      report.held.map((each) => each.filename),
      ['flaky-1.0-py3-none-any.whl', 'flaky-1.0.tar.gz'],
    )
    assert.deepEqual(
      report.missing.map(({ project, reason }) => `${project}: ${reason}`),
      [
        'app: the index lists no file of this version',
        `lib: the index lists no file with sha256:${'0'.repeat(64)}`,
        'no-such-project: 404 The project no-such-project does not exist.',
      ],
    )
  })

  test('looks at the bytes where the index tells no hash', async () => {
    upstream.settings.hashes = false
    const [right, wrong] = [built.get('hashless-1.0.whl')!.sha256, 'f'.repeat(64)]
    const lock = (hash: string) =>
      `[metadata]\nlock_version = "4.5.0"\n[[package]]\nname = "hashless"\nversion = "1.0"\nfiles = [{file = "hashless-1.0-py3-none-any.whl", hash = "sha256:${hash}"}]\n`
    const refused = await sync(await file('wrong/pdm.lock', lock(wrong)))
    assert.equal(refused.code, 1)
    assert.match((JSON.parse(refused.stdout) as Report).missing[0]!.reason, /none of the hashes that are wanted/)
    const taken = await sync(await file('pdm.lock', lock(right)))
    assert.equal(taken.code, 0, taken.output)
    upstream.settings.hashes = true
  })

  test('interrupted, it ends at once and says how to go on', async () => {
    upstream.misbehave('/packages/*', { kind: 'hang' })
    const list = await file('slow.txt', 'slow\n')
    const program = join(CHECKOUT, 'bin', 'airlock')
    const args = ['sync', '--warm', list, '--index', `${served.url}/root/prod`]
    const child = spawn(program, args, { cwd: clients.home, env: cleanEnv(clients.home) })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    upstream.forgetRequests()
    while (upstream.count('/packages/*') === 0) await delay(20)
    child.kill('SIGINT')
    const [code] = await once(child, 'close')
    assert.equal(code, 1)
    assert.match(said, /^interrupted: fetched files stay/m)
    upstream.behave()
  })

  test('offline, pip and uv install from what was warmed, and ask for nothing else', async () => {
    await served.stop()
    await upstream.pause()
    await served.start({ AIRLOCK_OFFLINE_MODE: 'true' })
    const index = `${served.url}/root/prod/+simple/`
    const places = ['--index-url', index, '--no-cache-dir', '-r', join(clients.home, 'plain.txt')]
    await file('plain.txt', 'app==1.0\nlib==1.5\nranged<2\nlocked\n')
    {
      await using venv = await clients.freshVenv()
      const got = await venv.run('pip', ['install', '--trusted-host', '127.0.0.1', ...places])
      assert.equal(got.code, 0, got.output)
      assert.match(got.stdout, /^Successfully installed app-1\.0 lib-1\.5 locked-1\.0 ranged-1\.0$/m)
    }
    {
      const pins = await file('pins.txt', ['app', 'lib', 'ranged', 'locked'].map(pin).join(''))
      await using venv = await clients.freshVenv()
      const got = await venv.run('uv', ['pip', 'sync', '--no-cache', '--require-hashes', '--index-url', index, pins])
      assert.equal(got.code, 0, got.output)
      assert.match(got.output, /^ \+ app==1\.0$/m)
    }
    const failed = (await served.logged()).match(/"response\.status":5\d\d/g) ?? []
    assert.deepEqual(failed, [])
  })

  test('offline, uv sync --frozen installs from a lock that was warmed', async () => {
    const { filename, sha256, bytes } = built.get('locked-1.0.whl')!
    const folder = join(clients.home, 'project')
    const listed = (await fetch(`${served.url}/root/prod/+simple/locked/`, {
      headers: { accept: 'application/vnd.pypi.simple.v1+json' },
    }).then((answer) => answer.json())) as { files: { filename: string; url: string }[] }
    const place = listed.files.find((each) => each.filename === filename)!.url
    const registry = `${served.url}/root/prod/+simple/`
    await file(
      'project/pyproject.toml',
      `[project]\nname = "own"\nversion = "0.1"\nrequires-python = ">=3.9"\ndependencies = ["locked"]\n[[tool.uv.index]]\nurl = "${registry}"\ndefault = true\n`,
    )
    await file(
      'project/uv.lock',
      `version = 1\nrevision = 3\nrequires-python = ">=3.9"\n\n[[package]]\nname = "locked"\nversion = "1.0"\nsource = { registry = "${registry}" }\nwheels = [\n    { url = "${new URL(place, `${registry}locked/`).href}", hash = "sha256:${sha256}", size = ${bytes.length} },\n]\n\n[[package]]\nname = "own"\nversion = "0.1"\nsource = { virtual = "." }\ndependencies = [{ name = "locked" }]\n\n[package.metadata]\nrequires-dist = [{ name = "locked" }]\n`,
    )
    await using venv = await clients.freshVenv()
    const got = await venv.run('uv', ['sync', '--frozen', '--no-cache', '--active'], { cwd: folder })
    assert.equal(got.code, 0, got.output)
    assert.match(got.output, /^ \+ locked==1\.0$/m)
  })

  test('offline, the command says at once what is not there', async () => {
    const started = performance.now()
    const { code, stdout } = await sync(await file('late.txt', 'lib==1.6\nnever-seen\n'))
    assert.equal(code, 1)
    const report: Report = JSON.parse(stdout)
    assert.deepEqual(
      report.missing.map((each) => each.project),
      ['lib', 'never-seen'],
    )
    assert.ok(performance.now() - started < 60_000)
  })

  function add(options: WheelOptions): void {
    for (const [ending, one] of [
      ['whl', wheel(options)],
      ['tar.gz', sdist(options)],
    ] as const) {
      const metadata = ending === 'whl' ? metadataOf(options) : undefined
      upstream.add(options.name, {
        filename: one.filename,
        bytes: one.bytes,
        ...(metadata !== undefined && { metadata }),
      })
      built.set(`${options.name}-${options.version}.${ending}`, one)
    }
  }

  function pin(name: string): string {
    const version = name === 'lib' ? '1.5' : '1.0'
    return `${name}==${version} --hash=sha256:${built.get(`${name}-${version}.whl`)!.sha256}\n`
  }

  async function sync(path: string): Promise<Outcome> {
    return await run(['sync', '--json', '--warm', path, '--index', `${served.url}/root/prod`])
  }

  async function run(args: readonly string[], user?: string): Promise<Outcome> {
    const program = join(CHECKOUT, 'bin', 'airlock')
    const options = { cwd: clients.home, env: cleanEnv(clients.home) }
    if (user !== undefined) {
      for (const words of [
        ['use', served.url],
        ['login', user, '--password', ''],
      ]) {
        const done = await runProgram(program, words, options)
        assert.equal(done.code, 0, done.output)
      }
    }
    return await runProgram(program, args, options)
  }

  async function file(name: string, text: string): Promise<string> {
    const path = join(clients.home, name)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, text)
    return path
  }
})

function metadataOf({ name, version, requiresDist = [] }: WheelOptions): string {
  return `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${requiresDist.map((each) => `Requires-Dist: ${each}\n`).join('')}\n`
}
