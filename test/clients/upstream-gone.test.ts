/** Upstream is gone in every way there is: what was fetched once still installs, and nobody waits again and again to find out. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { type PythonClients, pythonClients } from '../programs/python-clients.ts'
import { PYTHON_ENVIRONMENT } from '../programs/python-environment.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { type RealUpstream, realUpstream } from '../upstream/real-upstream.ts'
import { dropPackets } from './dropped-packets.ts'
import { type ServedFolder, serveFolder } from './served-folder.ts'

/** Far more than an install of what is here takes, far less than time-outs that are waited for one after another. */
const INSTALL_MS = 20_000
const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'

const NOTHING: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} }
const WAYS: readonly { readonly name: string; readonly go: (upstream: RealUpstream) => Promise<AsyncDisposable> }[] = [
  {
    name: 'connections are refused',
    go: async (upstream) => {
      await upstream.pause()
      return NOTHING
    },
  },
  {
    name: 'connections are taken and nothing is answered',
    go: async (upstream) => {
      upstream.swallow()
      return NOTHING
    },
  },
  ...(process.platform === 'linux'
    ? [
        {
          name: 'packets are dropped',
          go: async (upstream: RealUpstream) => {
            await upstream.pause()
            return await dropPackets(join(PYTHON_ENVIRONMENT, 'bin', 'python'), Number(new URL(upstream.root).port))
          },
        },
      ]
    : []),
]

for (const { name, go } of WAYS) {
  test(`after a restart everything fetched before installs with pip and uv while ${name}`, {
    timeout: 300_000,
  }, async () => {
    await using upstream = await realUpstream()
    await using served = await serveFolder({ AIRLOCK_UPSTREAM: upstream.url })
    await using clients = await pythonClients()
    const wanted = ['cryptography', 'netaddr']
    await pipInstalls(clients, served, wanted)
    await served.stop()

    await using _gone = await go(upstream)
    // Everything that is remembered counts as old, so that every page is a reason to ask upstream.
    await served.start({ AIRLOCK_MIRROR_CACHE_EXPIRY: '0' })
    for (const install of [pipInstalls, uvInstalls]) {
      const ms = await install(clients, served, wanted)
      assert.ok(ms < INSTALL_MS, `${install.name} took ${Math.round(ms)} ms`)
    }
    await listsWhatCanBeDelivered(served)
    await saysThatItCannotKnow(served, 'never-seen-before')
    await saysThatItCannotKnow(served, 'requests')
  })
}

test('a young list of projects still denies what is not on it, and admits what it cannot fetch', {
  timeout: 300_000,
}, async () => {
  const own = wheel({ name: 'here', version: '1.0' })
  await using upstream = await startFakeUpstream()
  upstream.add('here', { filename: own.filename, bytes: own.bytes })
  upstream.add('not-fetched', { filename: 'not_fetched-1.0.tar.gz', bytes: 'never' })
  await using served = await serveFolder({ AIRLOCK_UPSTREAM: upstream.url })
  await using clients = await pythonClients()
  await pipInstalls(clients, served, ['here'])
  const list = await fetch(`${served.url}/root/pypi/+simple/`, { headers: { accept: JSON_TYPE } })
  assert.match(await list.text(), /not-fetched/)
  await served.stop()
  await upstream.pause()
  await served.start()
  assert.equal((await page(served, 'no-such-project')).status, 404)
  await saysThatItCannotKnow(served, 'not-fetched')
  await uvInstalls(clients, served, ['here'])
})

test('right after the very first start, while the list of projects hangs, a public project installs', {
  timeout: 300_000,
}, async () => {
  const own = wheel({ name: 'public', version: '1.0' })
  await using upstream = await startFakeUpstream()
  upstream.add('public', { filename: own.filename, bytes: own.bytes })
  upstream.misbehave('/simple/', { kind: 'hang' })
  await using served = await serveFolder({ AIRLOCK_UPSTREAM: upstream.url })
  await using clients = await pythonClients()
  const first = await page(served, 'public')
  assert.equal(first.status, 200)
  assert.deepEqual(await filenames(first), [own.filename])
  await pipInstalls(clients, served, ['public'])
  await uvInstalls(clients, served, ['public'])
  assert.equal((await page(served, 'no-such-project')).status, 404)
  // Also a server that is stopped meanwhile does not wait for the list.
  await served.stop()
})

async function pipInstalls(clients: PythonClients, served: ServedFolder, projects: readonly string[]): Promise<number> {
  await using venv = await clients.freshVenv()
  const index = `${served.url}/root/pypi/+simple/`
  const args = ['install', '--no-cache-dir', '--index-url', index, '--trusted-host', '127.0.0.1', ...projects]
  const got = await venv.run('pip', args)
  assert.equal(got.code, 0, got.output)
  assert.match(got.stdout, /^Successfully installed /m)
  return got.ms
}

async function uvInstalls(clients: PythonClients, served: ServedFolder, projects: readonly string[]): Promise<number> {
  await using venv = await clients.freshVenv()
  const index = `${served.url}/root/pypi/+simple/`
  const got = await venv.run('uv', ['pip', 'install', '--no-cache', '--index-url', index, ...projects])
  assert.equal(got.code, 0, got.output)
  for (const project of projects) assert.match(got.output, new RegExp(`^ \\+ ${project}==`, 'm'))
  return got.ms
}

async function page(served: ServedFolder, project: string): Promise<Response> {
  return await fetch(`${served.url}/root/pypi/+simple/${project}/`, { headers: { accept: JSON_TYPE } })
}

async function filenames(answer: Response): Promise<string[]> {
  return ((await answer.json()) as { files: { filename: string }[] }).files.map((file) => file.filename)
}

async function listsWhatCanBeDelivered(served: ServedFolder): Promise<void> {
  const listed = await page(served, 'netaddr')
  assert.equal(listed.status, 200)
  const [only, ...others] = await filenames(listed)
  assert.deepEqual(others, [])
  assert.match(only!, /^netaddr-.*\.whl$/)
  const list = await fetch(`${served.url}/root/pypi/+simple/`, { headers: { accept: JSON_TYPE } })
  assert.equal(list.status, 200)
  const { projects } = (await list.json()) as { projects: { name: string }[] }
  // On Python before 3.11 cryptography needs one more.
  const names = projects.map((project) => project.name).filter((name) => name !== 'typing-extensions')
  assert.deepEqual(names.sort(), ['cffi', 'cryptography', 'netaddr', 'pycparser'])
}

async function saysThatItCannotKnow(served: ServedFolder, project: string): Promise<void> {
  const answer = await page(served, project)
  const said = await answer.text()
  assert.ok(answer.status === 502 || answer.status === 503, `${answer.status} ${said}`)
  assert.match(said, /Cannot reach 127\.0\.0\.1:\d+: \S/)
  assert.match(answer.statusText, /Cannot reach/)
}
