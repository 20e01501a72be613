/** The preview of an upload session (PEP 694), as real installers take it: with what the release requires. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { order, UPLOAD_TYPE } from '../builders/upload-session.ts'
import { wheel } from '../builders/wheels.ts'
import { pythonClients } from '../programs/python-clients.ts'
import { startInProcess } from '../trouble/in-process-server.ts'
import { programFetch } from '../world/program-fetch.ts'

const server = await startInProcess({ flags: { no_root_pypi: true, upload_sessions: true } })
const clients = await pythonClients()
after(async () => {
  await clients[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})
const root = { 'x-devpi-auth': Buffer.from('root:').toString('base64') }
const built = wheel({ name: 'acme', version: '1.0', requiresDist: ['widget>=1'] })

interface Told {
  readonly links: Readonly<Record<string, string>>
  readonly mechanism: { readonly file_url: string }
}

async function posts(url: string, body?: Readonly<Record<string, unknown>> | Buffer): Promise<Told> {
  const isBytes = Buffer.isBuffer(body)
  const sent = isBytes ? new Uint8Array(body) : JSON.stringify({ meta: { 'api-version': '2.0' }, ...body })
  const type = isBytes ? 'application/octet-stream' : UPLOAD_TYPE
  const answer = await programFetch(url, { method: 'POST', headers: { ...root, 'content-type': type }, body: sent })
  const text = await answer.text()
  assert.ok(answer.ok, text)
  return JSON.parse(text) as Told
}

test('pip and uv install a release from its preview, and what it requires from the index', async () => {
  const headers = { ...root, 'content-type': 'application/json' }
  const made = await programFetch(`${server.url}/root/dev`, { method: 'PUT', headers, body: '{}' })
  assert.equal(made.status, 200)
  const widget = wheel({ name: 'widget', version: '1.0' })
  const form = new FormData()
  for (const [name, value] of [
    [':action', 'file_upload'],
    ['name', 'widget'],
    ['version', '1.0'],
  ] as const) {
    form.set(name, value)
  }
  form.set('content', new Blob([new Uint8Array(widget.bytes)]), widget.filename)
  assert.equal(
    (await programFetch(`${server.url}/root/dev/`, { method: 'POST', headers: root, body: form })).status,
    200,
  )

  const session = await posts(`${server.url}/root/dev/+upload`, { name: 'acme', version: '1.0' })
  const file = await posts(session.links.upload!, order(built))
  await posts(file.mechanism.file_url, built.bytes)
  await posts(file.links.complete!)

  const staged = ['--index-url', session.links.stage!, 'acme']
  const uv = await clients.run('uv', ['pip', 'install', '--no-cache', '--target', 'by-uv', ...staged])
  assert.equal(uv.code, 0, uv.stderr)
  assert.match(uv.stderr, /\+ acme==1\.0\s+\+ widget==1\.0/)
  const pip = await clients.run('pip', ['download', '--dest', 'by-pip', ...staged])
  assert.equal(pip.code, 0, pip.stderr)
  assert.match(pip.stdout, /Successfully downloaded acme widget/)
})
