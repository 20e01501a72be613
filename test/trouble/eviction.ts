/** A mirror that is asked for several times its disk limit, and checks of the files that stay. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { wheel } from '../builders/wheels.ts'
import { startServer } from '../programs/server-process.ts'
import { type AddedFile, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { programFetch } from '../world/program-fetch.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { fileUrl, readAway } from './read-away.ts'
import { sendUpload } from './upload-request.ts'

export interface EvictionPlan {
  readonly limitBytes: number
  readonly fileBytes: number
  /** Together several times the limit. */
  readonly files: number
  /** Asked for at once. */
  readonly clients: number
}

const LOGIN = { authorization: `Basic ${Buffer.from('root:').toString('base64')}` }

/** Throws where the limit does not hold, something private or pinned is gone, or a reader got less than all. */
export async function evictUnderLoad(t: TestContext, plan: EvictionPlan): Promise<void> {
  const { limitBytes, fileBytes, files, clients } = plan
  await using upstream = await startFakeUpstream({ projectList: false })
  await using folder = await tempFolder()
  const serverDir = join(folder.path, 'server')
  const args = ['serve', '--serverdir', serverDir, '--upstream', upstream.url, '--log-level', 'warn']
  await using server = await startServer({
    program: 'bin/airlock',
    args: [...args, '--mirror-cache-size', String(limitBytes)],
    startMs: 60_000,
  })
  await setUp(server.url)
  const uploaded = wheel({ name: 'private', version: '1.0' })
  await upload(server.url, uploaded)
  // The same bytes upstream and on a stage: the mirror's may go, the stage's may not.
  const shared = wheel({ name: 'shared', version: '1.0' })
  await upload(server.url, shared)
  upstream.add('shared', shared)
  assert.equal((await readAway(await fileUrl(server.url, 'shared'))).status, 200)
  const pinned = await upstream.bigFile('pinned', 'pinned-1.0.tar.gz', fileBytes)
  assert.equal((await readAway(await fileUrl(server.url, 'pinned'))).sha256, pinned.sha256)

  const added: AddedFile[] = []
  for (let at = 0; at < files; at++)
    added.push(await upstream.bigFile(`p${at}`, `p${at}-1.0.tar.gz`, fileBytes, `${at}`))
  const url = await fileUrl(server.url, 'p0')
  assert.equal((await readAway(url)).sha256, added[0]!.sha256)
  // Has begun to read what is here, and goes on when it was let go long ago.
  const later = Promise.withResolvers<void>()
  const slow = readAway(url, { resume: later.promise })
  await delay(200)

  let most = 0
  let isDone = false
  const watching = (async () => {
    while (!isDone) {
      most = Math.max(most, await usedBytes(join(serverDir, 'blobs')))
      await delay(100)
    }
  })()
  const waiting = [...added.keys()].slice(1)
  const work = async () => {
    for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
      const reply = await readAway(await fileUrl(server.url, `p${at}`))
      assert.deepEqual([reply.status, reply.isComplete, reply.sha256], [200, true, added[at]!.sha256])
    }
  }
  await Promise.all(Array.from({ length: clients }, work))
  const last = await usedBytes(join(serverDir, 'blobs'))
  isDone = true
  await watching
  assert.equal(upstream.count(added[0]!.path), 1)
  later.resolve()
  assert.equal((await slow).sha256, added[0]!.sha256, 'who was reading what was let go')

  const little = 1_000_000
  // Each client may have one file that was stored and for which room is still to be made.
  const bound = limitBytes + clients * fileBytes + little
  const figure = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`
  t.diagnostic(`${figure(limitBytes)} allowed, ${figure(files * fileBytes)} asked for by ${clients} at once`)
  t.diagnostic(`at most ${figure(most)} on disk at any time, ${figure(last)} in the end`)
  assert.ok(most <= bound, `${most} bytes on disk, ${bound} at most`)
  assert.ok(last <= limitBytes + little, `${last} bytes on disk in the end`)
  assert.ok(last > limitBytes / 2, `only ${last} bytes were kept`)
  // What was asked for last is here, what was asked for first is not, and what is pinned is.
  const asked = (path: string) => upstream.count(path)
  assert.equal((await readAway(await fileUrl(server.url, 'pinned'))).sha256, pinned.sha256)
  assert.equal(asked(pinned.path), 1)
  assert.equal((await readAway(url)).sha256, added[0]!.sha256)
  assert.equal(asked(added[0]!.path), 2)
  for (const file of [uploaded, shared]) {
    const { sha256, filename } = file
    const address = `${server.url}/root/dev/+f/${sha256.slice(0, 3)}/${sha256.slice(3, 16)}/${filename}`
    assert.equal((await readAway(address)).sha256, sha256)
  }
  await server.stop()
  await checkIsClean(serverDir)
}

async function setUp(url: string): Promise<void> {
  const headers = { ...LOGIN, 'content-type': 'application/json' }
  const stage = JSON.stringify({ type: 'stage', bases: [] })
  const made = await programFetch(`${url}/root/dev`, { method: 'PUT', headers, body: stage })
  assert.equal(made.status, 200, await made.text())
  const pin = await programFetch(`${url}/root/pypi`, { method: 'PATCH', headers, body: '["mirror_pinned=pinned"]' })
  assert.equal(pin.status, 200, await pin.text())
}

async function upload(url: string, file: ReturnType<typeof wheel>): Promise<void> {
  const [name = '', version = ''] = file.filename.split('-')
  const answer = await sendUpload({
    name,
    version,
    filename: file.filename,
    sizeBytes: file.bytes.length,
    url: `${url}/root/dev/`,
    headers: LOGIN,
    content: [file.bytes],
  })
  assert.equal(answer.status, 200, answer.text)
}

/** Of all files below the folder; one that goes meanwhile counts nothing. */
async function usedBytes(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined)
    bytes += found?.size ?? 0
  }
  return bytes
}

async function checkIsClean(serverDir: string): Promise<void> {
  const program = join(import.meta.dirname, '..', '..', 'bin', 'airlock')
  const child = spawn(program, ['check', '--serverdir', serverDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 0, output)
  assert.doesNotMatch(output, /without a row/)
}
