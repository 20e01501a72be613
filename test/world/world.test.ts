import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enqueue } from '../../src/catalog/queue.ts'
import type { Job } from '../../src/model/records.ts'
import { wheel } from '../builders/wheels.ts'
import { startWorld } from './world.ts'

test('startWorld() gives a server, a folder and people who can do what they may', async () => {
  await using world = await startWorld()
  const file = wheel({ name: 'acme', version: '1.0' })
  assert.equal((await world.alice.uploads(file, 'alice/dev')).status, 200)
  assert.equal((await world.stranger.uploads(file, 'alice/dev')).status, 401)
  assert.equal((await world.stranger.asks('/alice/dev/+simple/acme/')).status, 200)
  assert.equal((await world.root.asks('/alice/dev', { method: 'PATCH', json: { title: 'A' } })).status, 200)
  assert.equal((await world.blobs()).length, 2)
  assert.deepEqual(await world.drafts(), [])
  assert.match(
    await world.raw('GET /+health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 200 OK\r\n/,
  )
})

test('startWorld() refuses to close while jobs are unfinished', async () => {
  const world = await startWorld({ jobsMs: 50 })
  const job = { kind: 'describe-file', key: 'k', index: 'alice/dev', project: 'acme', filename: 'f' } as Job
  await world.server.stores.catalog.write((writer) => enqueue(writer, job, Date.now() + 3_600_000))
  await assert.rejects(async () => world[Symbol.asyncDispose](), /1 jobs are unfinished/)
})
