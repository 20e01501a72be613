import assert from 'node:assert/strict'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { connectedSockets } from '../../test/world/connected-sockets.ts'
import { tempFolder } from '../../test/world/temp-folder.ts'
import { loadedOnce, loadSendfile } from './sendfile.ts'

const system = loadSendfile()
const skip = system === undefined ? 'this Node or this system has no sendfile' : false
const MIB = 1024 * 1024

/** Two ends of a connection, and the descriptor of the one that writes. */
async function connected() {
  const ends = await connectedSockets()
  const descriptor = (ends.writer as unknown as { _handle: { fd: number } })._handle.fd
  return { ...ends, descriptor }
}

/** An open file with those bytes. */
async function kept(bytes: Uint8Array) {
  const folder = await tempFolder()
  const file = await open(join(folder.path, 'file'), 'w+')
  await file.writeFile(bytes)
  const dispose = async () => {
    await file.close()
    await folder.remove()
  }
  return { fd: file.fd, [Symbol.asyncDispose]: dispose }
}

test('Sendfile.send() sends from where it is told, up to the most, and what the socket takes of it', {
  skip,
}, async () => {
  const bytes = Buffer.from(Uint32Array.from({ length: 8 * MIB }, (_, at) => at).buffer)
  await using file = await kept(bytes)
  using ends = await connected()
  assert.equal(system!.send(ends.descriptor, file.fd, 1001, 10), 10)
  assert.deepEqual(ends.reader.read(), null)
  let end = 1011
  // Until it is full, as nobody reads.
  for (let taken: number | undefined = 0; taken !== undefined; end += taken ?? 0) {
    assert.ok(end < bytes.length, 'it never was full')
    taken = system!.send(ends.descriptor, file.fd, end, bytes.length)
  }
  ends.writer.end()
  const got = Buffer.concat(await ends.reader.toArray())
  assert.ok(got.equals(bytes.subarray(1001, end)))
})

test('Sendfile.send() tells the end of a file, and of what is broken that nothing was sent', { skip }, async () => {
  await using file = await kept(Buffer.alloc(100))
  using ends = await connected()
  assert.equal(system!.send(ends.descriptor, file.fd, 100, 10), 0)
  assert.equal(system!.send(ends.descriptor, file.fd, 5 * 1024 ** 3, 10), 0)
  assert.equal(system!.send(ends.descriptor, file.fd, 90, 100), 10)
  assert.equal(system!.send(1_000_000, file.fd, 0, 10), undefined)
  assert.equal(system!.send(ends.descriptor, 1_000_000, 0, 10), undefined)
})

test('Sendfile.isCached() tells what was just written, and not what cannot be asked', { skip }, async (t) => {
  await using file = await kept(Buffer.alloc(MIB))
  const isTold = system!.isCached(file.fd, 0, 1)
  if (!isTold) t.diagnostic('the file system of temporary files cannot say what is in memory')
  assert.equal(system!.isCached(file.fd, 0, MIB), isTold)
  assert.equal(system!.isCached(file.fd, 5, 6), isTold)
  assert.equal(system!.isCached(file.fd, 0, MIB + 1), false)
  assert.equal(system!.isCached(1_000_000, 0, 1), false)
  await using folder = await open('/proc/self/status')
  assert.equal(system!.isCached(folder.fd, 0, 1), false)
})

test('Sendfile works on while the collector does', { skip }, async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const bytes = Buffer.from(Uint32Array.from({ length: 5000 }, (_, at) => at).buffer)
  await using file = await kept(bytes)
  using ends = await connected()
  const isTold = system!.isCached(file.fd, 0, 1)
  for (let position = 0; position < bytes.length; position += 1000) {
    collect()
    assert.equal(system!.isCached(file.fd, position, position + 1000), isTold)
    assert.equal(system!.send(ends.descriptor, file.fd, position, 1000), 1000)
  }
  ends.writer.end()
  assert.ok(Buffer.concat(await ends.reader.toArray()).equals(bytes))
})

test('loadedOnce() loads for the first who asks, and tells once what went wrong', () => {
  let loads = 0
  const troubles: unknown[] = []
  const tell = (error: unknown) => troubles.push(error)
  const fine = loadedOnce(() => {
    loads++
    return system
  }, tell)
  assert.deepEqual([loads, fine(), fine(), loads], [0, system, system, 1])
  const broken = loadedOnce(() => {
    loads++
    throw new Error('no such function')
  }, tell)
  assert.deepEqual([broken(), broken(), loads], [undefined, undefined, 2])
  assert.deepEqual(troubles, [new Error('no such function')])
})
