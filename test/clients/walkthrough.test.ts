/** The walkthrough that must always work: every line, every printed result, with devpi-client from PyPI and with our own. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { cleanEnv } from '../programs/clean-env.ts'
import { type PythonClients, pythonClients, type Venv } from '../programs/python-clients.ts'
import { type Outcome, runProgram } from '../programs/run-program.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { realUpstream } from '../upstream/real-upstream.ts'
import { type ServedFolder, serveFolder } from './served-folder.ts'

/** A `devpi` command line, run in a folder. */
type Devpi = (args: readonly string[], cwd?: string) => Promise<Outcome>

interface Walk {
  readonly clients: PythonClients
  readonly devpi: Devpi
  readonly served: ServedFolder
  /** Holds jmespath and netaddr as pip downloaded them, and nothing else. */
  readonly downloads: string
}

const FROM_PYPI = (clients: PythonClients): Devpi => {
  // What devpi-client prints of pip.conf depends on it; people have no such setting.
  return (args, cwd = clients.home) =>
    clients.run('python', ['-c', WITHOUT_PIP_SETTING, ...args], { cwd, timeoutMs: 300_000 })
}
const WITHOUT_PIP_SETTING =
  'import os, sys; del os.environ["PIP_CONFIG_FILE"]; from devpi.main import main; sys.exit(main())'

const OURS =
  (program: string) =>
  (clients: PythonClients): Devpi =>
  (args, cwd = clients.home) =>
    runProgram(join(CHECKOUT, program), args, { cwd, env: cleanEnv(clients.home), timeoutMs: 300_000 })

for (const [name, makeDevpi] of [
  ['devpi-client from PyPI', FROM_PYPI],
  ['compat/bin/devpi', OURS('compat/bin/devpi')],
] as const) {
  test(`the walkthrough runs word for word with ${name}`, { timeout: 900_000 }, async () => {
    await using upstream = await realUpstream()
    await using served = await serveFolder({ AIRLOCK_UPSTREAM: upstream.url })
    await using clients = await pythonClients()
    const downloads = await download(clients, upstream.url)
    const walk: Walk = { clients, devpi: makeDevpi(clients), served, downloads }
    await clientLines(walk)
    await using first = await clients.freshVenv()
    await installsThePrivateFile(walk, first)
    await installsThroughBases(walk, first)
    await doesNotFindWithoutBases(walk)
    await searchesWhatIsThere(walk)
    await neverMixesPrivateNames(walk)
    await upstream.pause()
    await using second = await clients.freshVenv()
    await installs(walk, second, 'root/prod', 'netaddr')
    await installs(walk, second, 'root/prod', 'cryptography')
    assert.equal((await second.run('python', ['-c', 'import netaddr, cryptography'])).code, 0)
  })
}

test('bin/airlock takes the same lines and prints the same', { timeout: 600_000 }, async () => {
  await using upstream = await realUpstream()
  await using served = await serveFolder({ AIRLOCK_UPSTREAM: upstream.url })
  await using clients = await pythonClients()
  const downloads = await download(clients, upstream.url)
  await clientLines({ clients, devpi: OURS('bin/airlock')(clients), served, downloads })
})

/** `pip download jmespath netaddr` into an empty folder, from the relay in place of the index that pip knows by itself. */
async function download(clients: PythonClients, index: string): Promise<string> {
  const folder = join(clients.home, 'downloads')
  await mkdir(folder)
  const env = { PIP_INDEX_URL: index, PIP_TRUSTED_HOST: '127.0.0.1', PIP_NO_CACHE_DIR: '1' }
  const got = await clients.run('pip', ['download', 'jmespath', 'netaddr'], { cwd: folder, env, timeoutMs: 300_000 })
  assert.equal(got.code, 0, got.output)
  assert.match(got.stdout, /^Successfully downloaded jmespath netaddr$/m)
  return folder
}

/** From `devpi use` to `devpi list`, with everything that devpi prints. */
async function clientLines({ clients, devpi, served: { url }, downloads }: Walk): Promise<void> {
  const files = (await readdir(downloads)).sort()
  const configs = ['.config/pip/pip.conf', '.config/uv/uv.toml', '.pydistutils.cfg', '.buildout/default.cfg']
  const noConfigs = [...configs.map((path) => `${clients.home}/${path}: no config file exists`), 'always-set-cfg: no']
  const warning = 'Warning: insecure http host, trusted-host will be set for pip'
  // What a server announces grows with it; every client prints it in this form.
  const api = (await (await fetch(`${url}/+api`)).json()) as { result: { features: string[] } }
  assert.ok(api.result.features.includes('server-keyvalue-parsing'))
  const features = `supported features: ${api.result.features.toSorted().join(', ')}`
  const says = async (args: readonly string[], lines: readonly string[], code = 0) => {
    const got = await devpi(args, downloads)
    assert.deepEqual({ lines: got.stdout.split('\n'), code: got.code }, { lines: [...lines, ''], code }, got.output)
    assert.equal(got.stderr, '', `devpi ${args.join(' ')}`)
  }
  const inUse = (index: string) => [
    warning,
    `current devpi index: ${url}/${index} (logged in as root)`,
    features,
    ...noConfigs,
  ]

  await says(
    ['use', url],
    [
      warning,
      `using server: ${url}/ (not logged in)`,
      "no current index: type 'devpi use -l' to discover indices",
      ...noConfigs,
    ],
  )
  await says(['login', 'root', '--password', ''], ["logged in 'root', credentials valid for 10.00 hours"])
  await says(
    ['index', '-c', 'prod', 'bases=root/pypi'],
    [
      `${url}/root/prod?no_projects=:`,
      '  type=stage',
      '  bases=root/pypi',
      '  volatile=True',
      '  acl_upload=root',
      '  acl_toxresult_upload=:ANONYMOUS:',
      '  mirror_whitelist=',
      '  mirror_whitelist_inheritance=intersection',
    ],
  )
  await says(['index', '-l'], ['root/prod', 'root/pypi'])
  await says(['use', 'root/prod'], inUse('root/prod'))
  await says(
    ['upload', ...files],
    files.map((file) => `file_upload of ${file} to ${url}/root/prod/`),
  )
  await says(['use', 'root/pypi'], inUse('root/pypi'))
  await says(
    ['upload', ...files],
    [`The current index ${url}/root/pypi does not support upload.`, 'Most likely, it is a mirror.'],
    1,
  )
  await says(['use', 'root/prod'], inUse('root/prod'))
  await says(['list'], ['jmespath', 'netaddr'])
  await says(
    ['list', '-v'],
    files.map((file) => file.split('-').slice(0, 2).join('==')),
  )
}

async function installs({ served }: Walk, venv: Venv, index: string, project: string): Promise<Outcome> {
  const simple = `${served.url}/${index}/+simple/`
  // No cache: what pip kept by itself would hide what the server gives.
  const got = await venv.run('pip', ['install', '--index-url', simple, '--trusted-host', '127.0.0.1', project], {
    env: { PIP_NO_CACHE_DIR: '1' },
    timeoutMs: 300_000,
  })
  assert.equal(got.code, 0, got.output)
  assert.match(got.stdout, new RegExp(`^Successfully installed .*\\b${project}-\\d`, 'm'))
  return got
}

async function installsThePrivateFile(walk: Walk, venv: Venv): Promise<void> {
  await installs(walk, venv, 'root/prod', 'netaddr')
  const wheels = (await walk.served.requestPaths()).filter((path) => /\/netaddr-[^/]*\.whl$/.test(path))
  assert.equal(wheels.length, 1, wheels.join('\n'))
  assert.match(wheels[0]!, /^\/root\/prod\/\+f\//)
  const [file] = (await readdir(walk.downloads)).filter((name) => name.startsWith('netaddr-'))
  const installed = await fetch(`${walk.served.url}${wheels[0]}`)
  const bytes = Buffer.from(await installed.arrayBuffer())
  assert.ok(bytes.equals(await readFile(join(walk.downloads, file!))))
}

async function installsThroughBases(walk: Walk, venv: Venv): Promise<void> {
  await installs(walk, venv, 'root/prod', 'cryptography')
  const wheels = (await walk.served.requestPaths()).filter((path) => /\/cryptography-[^/]*\.whl$/.test(path))
  assert.equal(wheels.length, 1, wheels.join('\n'))
  assert.match(wheels[0]!, /^\/root\/pypi\/\+f\//)
  assert.equal((await venv.run('python', ['-c', 'import cryptography.fernet'])).code, 0)
}

async function doesNotFindWithoutBases({ clients, devpi, served: { url } }: Walk): Promise<void> {
  const made = await devpi(['index', '-c', 'bare'])
  assert.equal(made.code, 0, made.output)
  assert.match(made.stdout, /^ {2}bases=$/m)
  const target = join(clients.home, 'bare')
  const args = ['--index-url', `${url}/root/bare/+simple/`, '--trusted-host', '127.0.0.1', '--target', target]
  const got = await clients.run('pip', ['install', ...args, 'cryptography'], { env: { PIP_NO_CACHE_DIR: '1' } })
  assert.equal(got.code, 1, got.output)
  assert.match(got.stderr, /No matching distribution found for cryptography/)
  assert.equal((await fetch(`${url}/root/bare/+simple/cryptography/`)).status, 404)
}

async function searchesWhatIsThere({ served: { url } }: Walk): Promise<void> {
  const page = async (path: string) => {
    const got = await fetch(`${url}${path}`, { headers: { accept: 'text/html' } })
    assert.equal(got.status, 200)
    assert.match(got.headers.get('content-type') ?? '', /^text\/html/)
    return await got.text()
  }
  assert.match(await page('/'), /<form[^>]*action="[^"]*\+search"/)
  const found = await page('/+search?query=netaddr')
  assert.match(found, /href="[^"]*root\/prod\/netaddr\/?[^"]*"/)
  // A word of the summary: the text of what is held is searched as well as names.
  assert.match(await page('/+search?query=manipulation'), /netaddr/)
  assert.doesNotMatch(await page('/+search?query=nosuchthing'), /netaddr/)
}

async function neverMixesPrivateNames(walk: Walk): Promise<void> {
  const { clients, devpi, served, downloads } = walk
  const uploaded = (await readdir(downloads)).filter((name) => name.startsWith('netaddr-'))
  assert.deepEqual(await filenames(served, 'root/prod', 'netaddr'), uploaded)
  const own = wheel({ name: 'cffi', version: '0.0.1', summary: 'Private, and named like a public one' })
  await writeFile(join(clients.home, own.filename), own.bytes)
  for (const args of [
    ['index', '-c', 'team', 'bases=root/pypi'],
    ['use', 'root/team'],
    ['upload', own.filename],
  ]) {
    const got = await devpi(args)
    assert.equal(got.code, 0, got.output)
  }
  assert.deepEqual(await filenames(served, 'root/team', 'cffi'), [own.filename])
  await using venv = await clients.freshVenv()
  assert.match((await installs(walk, venv, 'root/team', 'cffi')).stdout, /^Successfully installed cffi-0\.0\.1$/m)
  // devpi's own rule: the name itself, or all with *.
  const whitelisted = await devpi(['index', 'root/team', 'mirror_whitelist=cffi'])
  assert.equal(whitelisted.code, 0, whitelisted.output)
  assert.match(whitelisted.stdout, /^ {2}mirror_whitelist=cffi$/m)
  const mixed = await filenames(served, 'root/team', 'cffi')
  assert.ok(mixed.includes(own.filename) && mixed.length > 10, mixed.join(', '))
}

async function filenames({ url }: ServedFolder, index: string, project: string): Promise<string[]> {
  const accept = 'application/vnd.pypi.simple.v1+json'
  const page = await fetch(`${url}/${index}/+simple/${project}/`, { headers: { accept } })
  return ((await page.json()) as { files: { filename: string }[] }).files.map((file) => file.filename)
}
