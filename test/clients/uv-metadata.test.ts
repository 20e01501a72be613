/** uv resolves a large set through a stage and its mirror by metadata files alone, whether the mirror's upstream has any or not; pip an sdist. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { sdist, wheel } from '../builders/wheels.ts'
import { type PythonClients, pythonClients } from '../programs/python-clients.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { type RealUpstream, type RelayRequest, realUpstream } from '../upstream/real-upstream.ts'
import { programFetch } from '../world/program-fetch.ts'
import { type ServedFolder, serveFolder } from './served-folder.ts'

const PASSWORD = 'correct horse'
/** With what they require. */
const PACKAGES_AT_LEAST = 60
const NAMES = 62

describe('uv and metadata files', { timeout: 600_000 }, () => {
  const relays = new Map<string, RealUpstream>()
  const resolved = new Map<string, string>()
  let served: ServedFolder
  let clients: PythonClients

  before(async () => {
    clients = await pythonClients()
    relays.set('with', await realUpstream({ parts: true, metadata: 'announced' }))
    relays.set('without', await realUpstream({ parts: true, metadata: 'none' }))
    served = await serveFolder({ AIRLOCK_NO_ROOT_PYPI: '1', AIRLOCK_ROOT_PASSWD: PASSWORD })
    for (const [kind, relay] of relays) {
      await makeIndex(`root/${kind}`, { type: 'mirror', mirror_url: relay.url, mirror_no_project_list: true })
      await makeIndex(`root/on-${kind}`, { bases: `root/${kind}` })
    }
    const bench = (name: string) => readFile(join(CHECKOUT, 'bench', name), 'utf8')
    const names = (await bench('packages.in')).trim().split('\n').slice(0, NAMES)
    // The versions stay the same from one run to the next, so that each metadata file is fetched once for ever.
    const pins = (await bench('requirements-100.txt')).match(/^\S+==\S+/gm) ?? []
    await writeFile(join(clients.home, 'names.in'), `${names.join('\n')}\n`)
    await writeFile(join(clients.home, 'pins.txt'), `${pins.join('\n')}\n`)
  })

  after(async () => {
    await served?.[Symbol.asyncDispose]()
    for (const relay of relays.values()) await relay.close()
    await clients?.[Symbol.asyncDispose]()
  })

  for (const kind of ['with', 'without']) {
    test(`uv pip compile asks for no wheel where upstream is one ${kind} metadata files`, async (context) => {
      const index = `${served.url}/root/on-${kind}/+simple/`
      const args = ['--no-cache', '--index-url', index, '--python-version', '3.12', '--constraint', 'pins.txt']
      const got = await clients.run('uv', ['pip', 'compile', ...args, '--no-header', '--no-annotate', 'names.in'])
      assert.equal(got.code, 0, got.output)
      const packages = got.stdout.match(/^\S+==\S+/gm) ?? []
      assert.ok(packages.length >= PACKAGES_AT_LEAST, got.stdout)
      resolved.set(kind, packages.join('\n'))

      const asked = (await served.requestPaths()).filter((path) => path.startsWith(`/root/${kind}/+f/`))
      const upstream = relays.get(kind)!.requests.filter((each) => each.path.startsWith('/file/'))
      const metadata = asked.filter((path) => path.endsWith('.metadata'))
      const counts = `${packages.length} packages; of Airlock: ${metadata.length} metadata files, ${
        asked.length - metadata.length
      } others; of upstream: ${upstream.filter(isMetadata).length} metadata files, ${
        upstream.filter(isPart).length
      } parts of wheels (${Math.ceil(upstream.filter(isPart).reduce((sum, each) => sum + partBytes(each), 0) / 1024)} KiB), ${
        upstream.filter((each) => !isMetadata(each) && !isPart(each)).length
      } others`
      context.diagnostic(counts)
      assert.ok(metadata.length >= packages.length && asked.length === metadata.length, counts)
      assert.ok(
        upstream.every((each) => isMetadata(each) || isPart(each)),
        counts,
      )
      const askedFor = new Set(upstream.filter(isMetadata).map((each) => each.path))
      const inParts = new Set(upstream.filter(isPart).map((each) => each.path))
      if (kind === 'without') assert.equal(askedFor.size, 0, counts)
      else {
        assert.ok(askedFor.size >= packages.length, counts)
        // Relays of the public index lack some of the files that it has.
        assert.ok(
          [...inParts].every((path) => askedFor.has(`${path}.metadata`)),
          counts,
        )
      }
      assert.ok(new Set(upstream.map((each) => each.path)).size >= packages.length, counts)
      assert.ok(upstream.length <= 2 * metadata.length, counts)
    })
  }

  test('both resolutions are the same', () => {
    assert.equal(resolved.get('without'), resolved.get('with'))
  })

  test('pip resolves an uploaded sdist by its metadata file where they are final, and installs it', async () => {
    await makeIndex('root/own', {})
    const source = sdist({ name: 'acme', version: '1.0', requiresDist: ['base'] })
    const base = wheel({ name: 'base', version: '1.0' })
    for (const { filename, bytes } of [source, base]) await writeFile(join(clients.home, filename), bytes)
    const env = { TWINE_USERNAME: 'root', TWINE_PASSWORD: PASSWORD }
    const sent = [source.filename, base.filename]
    const upload = ['upload', '--repository-url', `${served.url}/root/own/`, ...sent]
    assert.equal((await clients.run('twine', upload, { env })).code, 0)
    const index = ['--no-cache-dir', '--no-build-isolation', '--index-url', `${served.url}/root/own/+simple/`]
    const resolved = await clients.run('pip', ['install', '--dry-run', '--ignore-installed', ...index, 'acme'])
    assert.match(resolved.output, /Would install acme-1\.0 base-1\.0/)
    const paths = await served.requestPaths()
    const asked = (ending: string) => paths.filter((path) => path.endsWith(source.filename + ending))
    assert.deepEqual([asked('').length, asked('.metadata').length], [0, 1])
    await using venv = await clients.freshVenv()
    const installed = await venv.run('pip', ['install', ...index, 'acme'])
    assert.match(installed.output, /Successfully installed acme-1\.0 base-1\.0/)
  })

  async function makeIndex(name: string, options: object): Promise<void> {
    const answer = await programFetch(`${served.url}/${name}`, {
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`root:${PASSWORD}`).toString('base64')}`,
      },
      body: JSON.stringify(options),
    })
    assert.equal(answer.status, 200, await answer.text())
  }
})

function isMetadata({ path }: RelayRequest): boolean {
  return path.endsWith('.metadata')
}

function isPart({ path, range }: RelayRequest): boolean {
  return path.endsWith('.whl') && range !== undefined
}

function partBytes({ range = '' }: RelayRequest): number {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? []
  return Number(last) - Number(first) + 1
}
