/** Bandersnatch 8 mirrors from here what is private and what comes from the real index, finds nothing to mend, and follows changes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { digestOf } from '../../src/lib/digest.ts'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { type BuiltFile, sdist, wheel } from '../builders/wheels.ts'
import { type Bandersnatch, bandersnatch } from '../programs/bandersnatch.ts'
import { type ServerProcess, startServer } from '../programs/server-process.ts'
import { type RealUpstream, realUpstream } from '../upstream/real-upstream.ts'
import { programFetch } from '../world/program-fetch.ts'
import { type TempFolder, tempFolder } from '../world/temp-folder.ts'

/** Old ones, of few and small files. */
const REAL = ['backcall', 'ipython-genutils', 'text-unidecode']

interface LegacyJson {
  readonly info: { readonly name: string; readonly version: string }
  readonly last_serial: number
  readonly releases: Readonly<Record<string, readonly { filename: string; url: string; digests: { sha256: string } }[]>>
}

describe('bandersnatch', { timeout: 300_000 }, () => {
  let folder: TempFolder
  let upstream: RealUpstream
  let server: ServerProcess
  let token = ''

  before(async () => {
    folder = await tempFolder()
    upstream = await realUpstream()
    const env = { AIRLOCK_UPSTREAM: upstream.url, AIRLOCK_DEFAULT_INDEX: 'root/prod' }
    server = await startServer({ program: 'bin/airlock', args: ['serve', '--serverdir', folder.path], env })
    const login = await send('POST', '/+login', { user: 'root', password: '' })
    const { result } = (await login.json()) as { result: { password: string } }
    token = Buffer.from(`root:${result.password}`).toString('base64')
    assert.equal((await send('PUT', '/root/prod', { bases: ['root/pypi'] })).status, 200)
    await upload('1.0', wheel({ name: 'airtight', version: '1.0' }))
    await upload('1.0', sdist({ name: 'airtight', version: '1.0' }))
  })

  after(async () => {
    await server?.stop()
    await upstream?.close()
    await folder?.remove()
  })

  function send(method: string, path: string, body?: unknown): Promise<Response> {
    return programFetch(server.url + path, {
      method,
      headers: { 'content-type': 'application/json', 'x-devpi-auth': token },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  async function upload(version: string, file: BuiltFile): Promise<void> {
    const form = multipart([
      ...fieldParts({ ':action': 'file_upload', name: 'airtight', version }),
      { name: 'content', filename: file.filename, content: file.bytes },
    ])
    const answer = await programFetch(`${server.url}/legacy/`, {
      method: 'POST',
      headers: { 'content-type': form.contentType, 'x-devpi-auth': token },
      body: new Uint8Array(form.body),
    })
    assert.equal(answer.status, 200, await answer.text())
  }

  /** What the JSON API says that there is, as path below the server's root and sha256. */
  async function expected(base: string, names: readonly string[]): Promise<Map<string, string>> {
    const files = new Map<string, string>()
    for (const name of names) {
      const answer = await fetch(`${server.url}${base}/pypi/${name}/json`)
      assert.equal(answer.status, 200, name)
      const page = (await answer.json()) as LegacyJson
      for (const file of Object.values(page.releases).flat()) {
        files.set(new URL(file.url).pathname.slice(1), file.digests.sha256)
      }
    }
    return files
  }

  async function checkTree(tool: Bandersnatch, base: string, names: readonly string[]): Promise<void> {
    const files = await expected(base, names)
    const archives = (await tool.packages()).filter((path) => !path.endsWith('.metadata'))
    assert.deepEqual(
      archives,
      [...files.keys()].map((path) => decodeURIComponent(path.replace(/^packages\//, ''))).sort(),
    )
    for (const [path, sha256] of files) {
      assert.equal(digestOf(await tool.read(`web/${decodeURIComponent(path)}`)), sha256, path)
    }
  }

  async function mirrors(tool: Bandersnatch, base: string, names: readonly string[]): Promise<void> {
    const done = await tool.run('mirror')
    assert.equal(done.code, 0, done.output.slice(-4000))
    await checkTree(tool, base, names)
    const verified = await tool.run('verify', '--dry-run')
    assert.equal(verified.code, 0, verified.output.slice(-4000))
    assert.match(verified.output, /No files would be downloaded/)
    assert.doesNotMatch(verified.output, /would be fetched/)
  }

  test('mirrors the default index, finds nothing to mend, and fetches just what is new', async () => {
    await using home = await tempFolder()
    const names = ['airtight', ...REAL]
    const tool = await bandersnatch(home.path, { master: server.url, packages: names })
    await mirrors(tool, '', names)
    const before = await tool.packages()
    await upload('2.0', wheel({ name: 'airtight', version: '2.0' }))
    const second = await tool.run('mirror')
    assert.equal(second.code, 0, second.output.slice(-4000))
    assert.match(second.output, /\b1 packages to sync/)
    const come = (await tool.packages()).filter((path) => !before.includes(path))
    const wheelName = 'airtight-2.0-py3-none-any.whl'
    assert.deepEqual(
      come.map((path) => path.replace(/^.*\//, '')),
      [wheelName, `${wheelName}.metadata`],
    )
    await checkTree(tool, '', names)
  })

  test('mirrors an index by its name', async () => {
    await using home = await tempFolder()
    const names = ['airtight', REAL[0]!]
    await mirrors(
      await bandersnatch(home.path, { master: `${server.url}/root/prod`, packages: names }),
      '/root/prod',
      names,
    )
  })
})
