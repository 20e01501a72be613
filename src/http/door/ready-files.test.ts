import assert from 'node:assert/strict'
import { readdir, readlink } from 'node:fs/promises'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectedSockets, connectedSockets } from '../../../test/world/connected-sockets.ts'
import { hasNamelessFiles } from '../../../test/world/nameless-files.ts'
import { type TempFolder, tempFolder } from '../../../test/world/temp-folder.ts'
import { loadSendfile } from '../../lib/sendfile.ts'
import { withLimits } from '../../model/limits.ts'
import type { Serial } from '../../model/records.ts'
import { ReadyAnswer } from './ready-answer.ts'
import { ReadyFiles, type ReadyFilesOptions } from './ready-files.ts'

const skip =
  loadSendfile() === undefined || !hasNamelessFiles()
    ? 'this Node or this system has no sendfile, or no files without names'
    : false
const LIMITS = withLimits({ readyFileLeastBytes: 1000, readyFileMostBytes: 100_000, readyFilesBytes: 150_000 })

interface Ground extends AsyncDisposable {
  readonly files: ReadyFiles
  readonly ends: ConnectedSockets
  readonly folder: TempFolder
  /** What the answer sent of its bytes in that edition. */
  send(answer: ReadyAnswer, edition: number): number
}

async function ground(options: Partial<ReadyFilesOptions> = {}): Promise<Ground> {
  const folder = await tempFolder()
  const files = new ReadyFiles({ sendfile: loadSendfile, folder: folder.path, limits: LIMITS, ...options })
  const ends = await connectedSockets()
  return {
    ...{ files, ends, folder },
    send: (answer, edition) => files.send(answer, bytesOf(answer, edition), edition, ends.writer),
    async [Symbol.asyncDispose]() {
      ends[Symbol.dispose]()
      await files[Symbol.asyncDispose]()
      await folder.remove()
    },
  }
}

function answerOf(bodyBytes: number, fill = 'x'): ReadyAnswer {
  const headers = [['x-devpi-serial', '1']] as const
  const body = Buffer.alloc(bodyBytes, fill)
  return new ReadyAnswer({ status: 200, headers, body, keepAliveSeconds: 65 }, { group: 'simple' })
}

function bytesOf(answer: ReadyAnswer, edition: number): Buffer {
  return answer.bytes(edition, new Date(edition * 1000).toUTCString(), 1 as Serial)
}

/** Asks until it is sent from its file; gives the bytes that were. */
async function sentInTime({ send }: Ground, answer: ReadyAnswer, edition: number): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    const sent = send(answer, edition)
    if (sent > 0) return sent
    await delay(5)
  }
  return assert.fail('It never was sent from a file')
}

/** Files without a name in that folder that this process has open. */
async function open(folder: TempFolder): Promise<number> {
  const descriptors = await readdir('/proc/self/fd')
  const places = await Promise.all(descriptors.map((each) => readlink(`/proc/self/fd/${each}`).catch(() => '')))
  return places.filter((place) => place.startsWith(`${folder.path}/#`)).length
}

test('ReadyFiles sends from a file what is asked for again, to the byte', { skip }, async () => {
  await using place = await ground()
  const answer = answerOf(50_000)
  assert.equal(place.send(answer, 1), 0)
  await delay(50)
  assert.equal(await open(place.folder), 0)
  const sent = await sentInTime(place, answer, 1)
  assert.equal(sent, bytesOf(answer, 1).length)
  assert.equal(await open(place.folder), 1)
  assert.deepEqual(await readdir(place.folder.path), [])
  place.ends.writer.end()
  assert.ok(Buffer.concat(await place.ends.reader.toArray()).equals(bytesOf(answer, 1)))
})

test('ReadyFiles leaves what is on its way as it was when the answer becomes another', { skip }, async () => {
  await using place = await ground()
  const answer = answerOf(50_000)
  const first = Buffer.from(bytesOf(answer, 1))
  await sentInTime(place, answer, 1)
  // Nobody has read it yet.
  assert.equal(place.send(answer, 2), 0)
  const second = Buffer.from(bytesOf(answer, 2))
  assert.ok(!second.equals(first))
  await sentInTime(place, answer, 2)
  assert.equal(await open(place.folder), 1)
  place.ends.writer.end()
  assert.ok(Buffer.concat(await place.ends.reader.toArray()).equals(Buffer.concat([first, second])))
})

test('ReadyFiles keeps in a file the bytes of the edition that it was asked for', { skip }, async () => {
  await using place = await ground()
  const answer = answerOf(50_000)
  for (let edition = 1; edition < 40; edition++) {
    // The file is still being written when the next edition comes.
    for (let time = 0; time < 2; time++) assert.equal(place.send(answer, edition), 0)
    if (edition % 3 === 0) await delay(1)
  }
  const last = Buffer.from(bytesOf(answer, 39))
  await sentInTime(place, answer, 39)
  assert.equal(await open(place.folder), 1)
  place.ends.writer.end()
  assert.ok(Buffer.concat(await place.ends.reader.toArray()).equals(last))
})

test('ReadyFiles tells how much a socket took that nobody reads, and then nothing', { skip }, async () => {
  await using place = await ground()
  const answer = answerOf(99_000)
  let sent = await sentInTime(place, answer, 1)
  let all = 0
  for (let times = 0; sent > 0; times++) {
    assert.ok(times < 1000, 'it never was full')
    all += sent
    sent = place.send(answer, 1)
  }
  place.ends.writer.end()
  assert.equal(Buffer.concat(await place.ends.reader.toArray()).length, all)
})

test('ReadyFiles sends nothing past what is written but not sent yet', { skip }, async () => {
  await using place = await ground()
  const answer = answerOf(50_000)
  await sentInTime(place, answer, 1)
  place.ends.writer.write(Buffer.alloc(32 * 1024 * 1024))
  assert.ok(place.ends.writer.writableLength > 0)
  assert.equal(place.send(answer, 1), 0)
})

test('ReadyFiles makes none of what is small or large, nor more than it has room for', { skip }, async () => {
  await using place = await ground()
  const answers = [answerOf(500), answerOf(101_000), answerOf(90_000), answerOf(80_000)]
  for (let time = 0; time < 4; time++) {
    for (const answer of answers) place.send(answer, 1)
    await delay(20)
  }
  assert.equal(await open(place.folder), 1)
  const room = answerOf(80_000)
  await sentInTime(place, room, 2)
  assert.equal(await open(place.folder), 1)
})

test('ReadyFiles does without where it cannot make files, or the system cannot send', async () => {
  for (const options of [{ folder: '/proc/self' }, { folder: '/nowhere' }, { sendfile: () => undefined }]) {
    await using place = await ground(options)
    const answer = answerOf(50_000)
    for (let time = 0; time < 4; time++) {
      assert.equal(place.send(answer, 1), 0)
      await delay(10)
    }
  }
})

test('ReadyFiles closes its files in the end', { skip }, async () => {
  await using place = await ground()
  await sentInTime(place, answerOf(50_000), 1)
  const coming = answerOf(50_000)
  for (let time = 0; time < 2; time++) place.send(coming, 1)
  await place.files[Symbol.asyncDispose]()
  assert.equal(await open(place.folder), 0)
  assert.equal(place.send(answerOf(50_000), 2), 0)
})
