/** Many clients that ask at once for one file that is not here: what upstream is asked, what they get, what it costs. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startServer } from '../programs/server-process.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { fileUrl, readAway } from './read-away.ts'

const MIB = 1024 * 1024
const CLIENTS = 64
const SIZE = 100 * 1000 * 1000
/** The product's promise for the default set-up. */
const MOST_BYTES = 256 * MIB

test(`${CLIENTS} clients ask at once for one file of ${SIZE / 1e6} MB: upstream is asked once, all get it, memory stays small`, async (t) => {
  await using upstream = await startFakeUpstream({ projectList: false })
  await using folder = await tempFolder()
  await using server = await startServer({
    program: 'bin/airlock',
    args: ['serve', '--serverdir', join(folder.path, 'server'), '--upstream', upstream.url, '--log-level', 'error'],
    startMs: 60_000,
  })
  const one = await upstream.bigFile('one', 'one-1.0.tar.gz', SIZE)
  const many = await upstream.bigFile('many', 'many-1.0.tar.gz', SIZE)
  const alone = await readAway(await fileUrl(server.url, 'one'))
  assert.deepEqual([alone.status, alone.sha256], [200, one.sha256])
  const before = await server.peakMemoryBytes()
  const url = await fileUrl(server.url, 'many')
  const startMs = performance.now()
  const replies = await Promise.all(Array.from({ length: CLIENTS }, () => readAway(url)))
  const allMs = performance.now() - startMs
  for (const reply of replies)
    assert.deepEqual([reply.status, reply.isComplete, reply.sha256], [200, true, many.sha256])
  assert.equal(upstream.count(many.path), 1)
  const peak = await server.peakMemoryBytes()
  const figure = (ms: number) => `${(ms / 1000).toFixed(2)} s`
  t.diagnostic(`one client alone ${figure(alone.totalMs)}; ${CLIENTS} clients at once ${figure(allMs)}`)
  t.diagnostic(`for ${CLIENTS} times the bytes ${(allMs / alone.totalMs).toFixed(1)} times as long`)
  t.diagnostic(`peak memory ${Math.round(before / MIB)} MiB after one, ${Math.round(peak / MIB)} MiB after all`)
  assert.ok(peak < MOST_BYTES, `${Math.round(peak / MIB)} MiB at most, ${MOST_BYTES / MIB} are promised`)
})
