/** uv and twine against the same server: install through a stage and its mirror, upload with password and token, and be refused. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type BuiltFile, sdist, type WheelOptions, wheel } from '../builders/wheels.ts'
import { type PythonClients, pythonClients } from '../programs/python-clients.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { programFetch } from '../world/program-fetch.ts'
import { type ServedFolder, serveFolder } from './served-folder.ts'

const PASSWORD = 'correct horse'

describe('uv and twine', { timeout: 600_000 }, () => {
  let upstream: FakeUpstream
  let served: ServedFolder
  let clients: PythonClients

  before(async () => {
    upstream = await startFakeUpstream({ links: 'separate' })
    addPublic({ name: 'public-base', version: '2.0' })
    addPublic({ name: 'public-base', version: '3.0', requiresPython: '>=99' })
    served = await serveFolder({ AIRLOCK_UPSTREAM: upstream.url, AIRLOCK_ROOT_PASSWD: PASSWORD })
    clients = await pythonClients()
    await api('PUT', '/root/prod', { bases: 'root/pypi' })
    await api('PUT', '/root/fixed', { bases: '', volatile: false })
  })

  after(async () => {
    await clients?.[Symbol.asyncDispose]()
    await served?.[Symbol.asyncDispose]()
    await upstream?.close()
  })

  test('uv pip install takes a private project from the stage and what it requires through the mirror', async () => {
    const own = await onDisk(wheel({ name: 'acme-app', version: '1.0', requiresDist: ['public-base'] }))
    assert.equal((await twine('prod', [own.filename])).code, 0)
    await using venv = await clients.freshVenv()
    const got = await venv.run('uv', ['pip', 'install', '--no-cache', '--index-url', simple('prod'), 'acme-app'])
    assert.equal(got.code, 0, got.output)
    assert.match(got.output, /^ \+ acme-app==1\.0$/m)
    // Version 3.0 is for a Python that is not here: uv knows that from the page.
    assert.match(got.output, /^ \+ public-base==2\.0$/m)
    const paths = await served.requestPaths()
    const from = (project: string) => paths.filter((path) => path.endsWith('.whl') && path.includes(project))
    assert.ok(from('acme_app').every((path) => path.startsWith('/root/prod/+f/')) && from('acme_app').length > 0)
    assert.ok(from('public_base').every((path) => path.startsWith('/root/pypi/+f/')) && from('public_base').length > 0)
  })

  for (const [kind, secret] of [
    ['a password', async () => PASSWORD],
    ['a login token as password', token],
  ] as const) {
    test(`uv publish and twine upload take ${kind}`, async () => {
      const name = kind === 'a password' ? 'by-password' : 'by-token'
      const file = await onDisk(wheel({ name, version: '1.0' }))
      const source = await onDisk(sdist({ name, version: '1.0' }))
      const first = await uvPublish('prod', [file.filename], await secret())
      assert.equal(first.code, 0, first.output)
      const second = await twine('prod', [source.filename], await secret())
      assert.equal(second.code, 0, second.output)
      assert.deepEqual((await listed('prod', name)).sort(), [file.filename, source.filename].sort())
    })
  }

  for (const [program, publish] of [
    ['uv publish', (file: string) => uvPublish('prod', [file], 'wrong')],
    ['twine upload', (file: string) => twine('prod', [file], 'wrong')],
  ] as const) {
    test(`${program} says that a wrong password is wrong`, async () => {
      const file = await onDisk(wheel({ name: 'never-there', version: '1.0' }))
      const got = await publish(file.filename)
      assert.notEqual(got.code, 0)
      assert.match(got.output, /401/)
      assert.match(got.output, /wrong user name or password/)
      assert.deepEqual(await listed('prod', 'never-there'), [])
    })

    test(`${program} is refused by a mirror and by an index that is not there`, async () => {
      const file = await onDisk(wheel({ name: 'nowhere', version: '1.0' }))
      const at = (index: string) =>
        program === 'uv publish' ? uvPublish(index, [file.filename]) : twine(index, [file.filename])
      const mirror = await at('pypi')
      assert.notEqual(mirror.code, 0)
      assert.match(mirror.output, /cannot submit to mirror index/)
      const missing = await at('nope')
      assert.notEqual(missing.code, 0)
      assert.match(missing.output, /The stage root\/nope could not be found\./)
    })
  }

  test('the same file again is taken by an index that keeps its files, other content is refused with 409', async () => {
    const [one, other] = [
      wheel({ name: 'kept', version: '1.0' }),
      wheel({ name: 'kept', version: '1.0', summary: 'Other' }),
    ]
    await onDisk(one)
    assert.equal((await twine('fixed', [one.filename])).code, 0)
    const again = await twine('fixed', [one.filename])
    assert.equal(again.code, 0, again.output)
    assert.equal((await uvPublish('fixed', [one.filename])).code, 0)
    await onDisk(other)
    for (const refused of [await twine('fixed', [other.filename]), await uvPublish('fixed', [other.filename])]) {
      assert.notEqual(refused.code, 0)
      assert.match(refused.output, /409/)
      assert.match(refused.output, /kept-1\.0-py3-none-any\.whl already exists in non-volatile index/)
    }
    assert.equal(await sha256('fixed', 'kept'), one.sha256)
  })

  test('twine --skip-existing passes over a file that is there with other content', async () => {
    const [one, other] = [
      wheel({ name: 'skips', version: '1.0' }),
      wheel({ name: 'skips', version: '1.0', summary: 'Other' }),
    ]
    await onDisk(one)
    assert.equal((await twine('fixed', [one.filename])).code, 0)
    await onDisk(other)
    const skipped = await twineAnywhere('fixed', ['--skip-existing', other.filename])
    assert.equal(skipped.code, 0, skipped.output)
    assert.match(skipped.output, /Skipping skips-1\.0-py3-none-any\.whl because it appears to already exist/)
    assert.equal(await sha256('fixed', 'skips'), one.sha256)
  })

  test('uv publish --check-url sends nothing that is there already, and names a file with other content', async () => {
    const [one, other] = [
      wheel({ name: 'checked', version: '1.0' }),
      wheel({ name: 'checked', version: '1.0', summary: 'Other' }),
    ]
    await onDisk(one)
    const check = ['--check-url', simple('fixed')]
    const first = await uvPublish('fixed', [...check, one.filename])
    assert.equal(first.code, 0, first.output)
    const uploads = async () => (await served.logged()).match(/POST \/root\/fixed/g)?.length ?? 0
    const before = await uploads()
    assert.ok(before > 0)
    const again = await uvPublish('fixed', [...check, one.filename])
    assert.equal(again.code, 0, again.output)
    assert.match(again.output, /already exists, skipping/i)
    assert.equal(await uploads(), before)
    await onDisk(other)
    const refused = await uvPublish('fixed', [...check, other.filename])
    assert.notEqual(refused.code, 0)
    assert.match(refused.output, /(hash|differ|match)/i)
    assert.equal(await sha256('fixed', 'checked'), one.sha256)
  })

  test('a volatile index takes other content in place of what is there', async () => {
    const [one, other] = [
      wheel({ name: 'changes', version: '1.0' }),
      wheel({ name: 'changes', version: '1.0', summary: 'Other' }),
    ]
    await onDisk(one)
    assert.equal((await twine('prod', [one.filename])).code, 0)
    await onDisk(other)
    const replaced = await uvPublish('prod', [other.filename])
    assert.equal(replaced.code, 0, replaced.output)
    assert.equal(await sha256('prod', 'changes'), other.sha256)
  })

  function addPublic(options: WheelOptions): void {
    const { filename, bytes } = wheel(options)
    const metadata = `Metadata-Version: 2.1\nName: ${options.name}\nVersion: ${options.version}\n`
    const { requiresPython } = options
    upstream.add(options.name, { filename, bytes, metadata, ...(requiresPython !== undefined && { requiresPython }) })
  }

  function simple(index: string): string {
    return `${served.url}/root/${index}/+simple/`
  }

  async function onDisk(file: BuiltFile): Promise<BuiltFile> {
    await writeFile(join(clients.home, file.filename), file.bytes)
    return file
  }

  function twine(index: string, args: readonly string[], password = PASSWORD) {
    const env = { TWINE_USERNAME: 'root', TWINE_PASSWORD: password }
    const address = `${served.url}/root/${index}/`
    return clients.run('twine', ['upload', '--disable-progress-bar', '--repository-url', address, ...args], { env })
  }

  /** twine itself offers --skip-existing for the public index alone; what it makes of the answer holds for any. */
  function twineAnywhere(index: string, args: readonly string[]) {
    const script = [
      'import sys, twine.settings, twine.__main__',
      'twine.settings.Settings.verify_feature_capability = lambda self: None',
      'sys.argv[0] = "twine"',
      'sys.exit(twine.__main__.main())',
    ].join('; ')
    const address = `${served.url}/root/${index}/`
    const env = { TWINE_USERNAME: 'root', TWINE_PASSWORD: PASSWORD }
    return clients.run('python', ['-c', script, 'upload', '--repository-url', address, ...args], { env })
  }

  function uvPublish(index: string, args: readonly string[], password = PASSWORD) {
    const env = { UV_PUBLISH_USERNAME: 'root', UV_PUBLISH_PASSWORD: password }
    return clients.run('uv', ['publish', '--publish-url', `${served.url}/root/${index}/`, ...args], { env })
  }

  async function token(): Promise<string> {
    return (await api<{ password: string }>('POST', '/+login', { user: 'root', password: PASSWORD })).password
  }

  async function api<T>(method: string, path: string, body: unknown): Promise<T> {
    const authorization = `Basic ${Buffer.from(`root:${PASSWORD}`).toString('base64')}`
    const answer = await programFetch(`${served.url}${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.equal(answer.status, 200)
    return ((await answer.json()) as { result: T }).result
  }

  async function files(index: string, project: string) {
    const accept = 'application/vnd.pypi.simple.v1+json'
    const page = await fetch(`${simple(index)}${project}/`, { headers: { accept } })
    if (page.status === 404) return []
    return ((await page.json()) as { files: { filename: string; hashes: { sha256: string } }[] }).files
  }

  async function listed(index: string, project: string): Promise<string[]> {
    return (await files(index, project)).map((file) => file.filename)
  }

  async function sha256(index: string, project: string): Promise<string | undefined> {
    return (await files(index, project))[0]?.hashes.sha256
  }
})
