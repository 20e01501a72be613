import assert from 'node:assert/strict'
import { get } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type ServerProcess, startServer } from '../programs/server-process.ts'
import { type FakeSettings, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { programFetch } from '../world/program-fetch.ts'
import { type TempFolder, tempFolder } from '../world/temp-folder.ts'
import { bigWheel, hashed, sha256 } from './big-wheel.ts'
import { sendUpload } from './upload-request.ts'

const MIB = 1024 * 1024
/** The product's promise for the default set-up. */
const MOST_BYTES = 256 * MIB
const BIG_BYTES = 500 * 1000 * 1000
const NAMES = 900_000
const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'
const LOGIN = { authorization: `Basic ${Buffer.from('root:').toString('base64')}` }

test('idle', async (t) => {
  await using upstream = await startFakeUpstream()
  await using server = await serve(upstream.url)
  await delay(2000)
  await stayedSmall(t, t.name, server)
})

for (const [how, settings] of [
  ['HTML', {}],
  ['JSON', { html: false }],
] as const satisfies readonly [string, Partial<FakeSettings>][]) {
  test(`fetching ${NAMES} names in ${how} and serving them in full, HTML and JSON, to four at once`, async (t) => {
    await using upstream = await startFakeUpstream({ generatedNames: NAMES, ...settings })
    await using server = await serve(upstream.url)
    const list = `${server.url}/root/pypi/+simple/`
    for (const accept of ['text/html', JSON_TYPE]) {
      const replies = await Promise.all(Array.from({ length: 4 }, () => read(list, { accept })))
      for (const { status, names } of replies) assert.deepEqual([status, names], [200, NAMES])
    }
    await stayedSmall(t, t.name, server)
  })
}

test(`downloading ${BIG_BYTES / 1e6} MB through the mirror`, async (t) => {
  await using upstream = await startFakeUpstream()
  const filename = 'big-1.0-py3-none-any.whl'
  const file = await upstream.bigFile('big', filename, BIG_BYTES)
  await using server = await serve(upstream.url)
  const page = (await (
    await fetch(`${server.url}/root/pypi/+simple/big/`, { headers: { accept: JSON_TYPE } })
  ).json()) as {
    files: { url: string }[]
  }
  const url = new URL(page.files[0]!.url, `${server.url}/root/pypi/+simple/big/`).href
  const first = await read(url)
  assert.deepEqual([first.status, first.sha256], [200, file.sha256])
  await stayedSmall(t, t.name, server)
  // Kept now: from the disk.
  const again = await read(url)
  assert.equal(again.sha256, file.sha256)
  assert.equal(upstream.count(file.path), 1)
  await stayedSmall(t, `${t.name}, and once more from the disk`, server)
})

test(`downloading ${BIG_BYTES / 1e6} MB through the mirror by four at once, one of them slow`, async (t) => {
  await using upstream = await startFakeUpstream()
  const file = await upstream.bigFile('big', 'big-1.0-py3-none-any.whl', BIG_BYTES)
  await using server = await serve(upstream.url)
  const page = (await (
    await fetch(`${server.url}/root/pypi/+simple/big/`, { headers: { accept: JSON_TYPE } })
  ).json()) as {
    files: { url: string }[]
  }
  const url = new URL(page.files[0]!.url, `${server.url}/root/pypi/+simple/big/`).href
  const replies = await Promise.all([read(url), read(url), read(url), read(url, {}, 5000)])
  for (const reply of replies) assert.equal(reply.sha256, file.sha256)
  await stayedSmall(t, t.name, server)
})

test(`uploading a wheel of ${BIG_BYTES / 1e6} MB`, async (t) => {
  await using upstream = await startFakeUpstream()
  await using server = await serve(upstream.url)
  const made = await programFetch(`${server.url}/root/dev`, {
    method: 'PUT',
    headers: { ...LOGIN, 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'stage', bases: [] }),
  })
  assert.equal(made.status, 200)
  const wheel = await bigWheel('huge', '1.0', BIG_BYTES)
  const hash = sha256()
  const answer = await sendUpload({
    ...wheel,
    url: `${server.url}/root/dev/`,
    headers: LOGIN,
    content: hashed(wheel.read(), hash),
  })
  assert.equal(answer.status, 200, answer.text)
  await stayedSmall(t, t.name, server)
  const digest = hash.digest('hex')
  const place = `${digest.slice(0, 3)}/${digest.slice(3, 16)}/${wheel.filename}`
  const back = await read(`${server.url}/root/dev/+f/${place}`)
  assert.deepEqual([back.status, back.sha256], [200, digest])
  await stayedSmall(t, `${t.name}, and downloading it`, server)
})

/** In a folder of its own that goes with it. */
async function serve(upstream: string): Promise<ServerProcess> {
  const folder: TempFolder = await tempFolder()
  const server = await startServer({
    program: 'bin/airlock',
    args: ['serve', '--serverdir', join(folder.path, 'server'), '--upstream', upstream, '--log-level', 'error'],
    startMs: 60_000,
  })
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await folder.remove()
    },
  }
}

/** Reads an answer to its end, holding none of it; with `pauseMs`, stops reading for so long after the first piece. */
function read(url: string, headers: Record<string, string> = {}, pauseMs = 0) {
  return new Promise<{ status: number; sha256: string; bytes: number; names: number }>((resolve, reject) => {
    const hash = sha256()
    let bytes = 0
    let names = 0
    let tail = ''
    const request = get(url, { agent: false, headers }, (response) => {
      const isList = /simple\/$/.test(url)
      response.once('data', () => {
        if (pauseMs === 0) return
        response.pause()
        setTimeout(() => response.resume(), pauseMs)
      })
      response.on('data', (chunk: Buffer) => {
        hash.update(chunk)
        bytes += chunk.length
        if (!isList) return
        const text = tail + chunk.toString('latin1')
        names += text.split('generated-').length - 1
        // One character less than what is counted.
        tail = text.slice(-9)
      })
      response.on('error', reject)
      response.on('end', () => {
        // In a link the name stands twice.
        const isHtml = (response.headers['content-type'] ?? '').startsWith('text/html')
        resolve({
          status: response.statusCode ?? 0,
          sha256: hash.digest('hex'),
          bytes,
          names: isHtml ? names / 2 : names,
        })
      })
    })
    request.on('error', reject)
  })
}

async function stayedSmall(t: TestContext, what: string, server: ServerProcess): Promise<void> {
  const peak = await server.peakMemoryBytes()
  t.diagnostic(`${(peak / MIB).toFixed(0).padStart(5)} MiB  ${what}`)
  assert.ok(peak < MOST_BYTES, `${(peak / MIB).toFixed(0)} MiB while ${what}; ${MOST_BYTES / MIB} are promised`)
}
