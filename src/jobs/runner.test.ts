import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openTempStores, type TempStores } from '../../test/world/temp-stores.ts'
import { countJobs, nextDueMs } from '../catalog/queue.ts'
import { withLimits } from '../model/limits.ts'
import { indexName } from '../model/names.ts'
import type { Job } from '../model/records.ts'
import { projectName } from '../pep/name.ts'
import { JobRunner } from './runner.ts'

interface Ground extends AsyncDisposable {
  readonly stores: TempStores
  readonly runner: JobRunner
  readonly ran: readonly string[]
  readonly failures: readonly (readonly [key: string, isLast: boolean])[]
  readonly troubles: readonly unknown[]
  add(...keys: string[]): Promise<void>
  /** Waits until `check` is true, for longer than any of it takes. */
  until(check: () => boolean | Promise<boolean>): Promise<void>
}

async function given(run: (job: Job, times: number) => Promise<void> = async () => {}): Promise<Ground> {
  const stores = await openTempStores()
  const ran: string[] = []
  const failures: [string, boolean][] = []
  const troubles: unknown[] = []
  const runner = new JobRunner({
    catalog: stores.catalog,
    limits: withLimits({ jobAttempts: 3 }),
    clock: stores.clock,
    run: async (job) => {
      ran.push(job.key)
      await run(job, ran.filter((key) => key === job.key).length)
    },
    onFailure: (job, _error, isLast) => failures.push([job.key, isLast]),
    onTrouble: (error) => troubles.push(error),
  })
  stores.catalog.whenEnqueued(() => runner.wake())
  return {
    stores,
    runner,
    ran,
    failures,
    troubles,
    add: async (...keys) => {
      for (const key of keys) {
        const job: Job = {
          kind: 'describe-file',
          key,
          index: indexName('u', 'i'),
          project: projectName('p'),
          filename: key,
        }
        await stores.catalog.write((writer) => writer.enqueue(job))
        stores.clock.ms += 1
      }
    },
    until: async (check) => {
      for (let wait = 0; wait < 2000; wait++) {
        if (await check()) return
        await delay(5)
      }
      assert.fail('Cannot wait any longer')
    },
    [Symbol.asyncDispose]: async () => {
      await runner[Symbol.asyncDispose]()
      await stores[Symbol.asyncDispose]()
    },
  }
}

const isEmpty = (ground: Ground) => async () => (await ground.stores.catalog.read(countJobs)) === 0

test('JobRunner runs what was there before it started, oldest first, and settles it', async () => {
  await using ground = await given()
  await ground.add('a', 'b', 'c')
  ground.runner.start()
  await ground.until(isEmpty(ground))
  assert.deepEqual(ground.ran, ['a', 'b', 'c'])
  assert.deepEqual(ground.failures, [])
})

test('JobRunner is woken by new work', async () => {
  await using ground = await given()
  ground.runner.start()
  await delay(20)
  await ground.add('a')
  await ground.until(isEmpty(ground))
  await ground.add('b')
  await ground.until(isEmpty(ground))
  assert.deepEqual(ground.ran, ['a', 'b'])
})

test('JobRunner runs one job at a time, however often it is started', async () => {
  let running = 0
  await using ground = await given(async () => {
    assert.equal(++running, 1)
    await delay(2)
    running--
  })
  await ground.add('a', 'b', 'c', 'd')
  for (let each = 0; each < 3; each++) ground.runner.start()
  await ground.until(isEmpty(ground))
  assert.deepEqual(ground.ran, ['a', 'b', 'c', 'd'])
  assert.deepEqual(ground.failures, [])
})

test('JobRunner tries a failed job again, after a pause that grows, and lets others pass meanwhile', async () => {
  await using ground = await given(async (job, times) => {
    if (job.key === 'bad' && times < 3) throw new Error('not yet')
  })
  await ground.add('bad', 'good')
  ground.runner.start()
  await ground.until(() => ground.ran.includes('good') && ground.failures.length === 1)
  const pauses: number[] = []
  for (const times of [1, 2]) {
    await ground.until(async () => ground.failures.length === times)
    let due: number | undefined
    await ground.until(async () => {
      due = await ground.stores.catalog.read(nextDueMs)
      return due !== undefined && due > ground.stores.clock.ms && due < ground.stores.clock.ms + 300_000
    })
    pauses.push(due! - ground.stores.clock.ms)
    ground.stores.clock.ms = due!
    ground.runner.wake()
  }
  await ground.until(isEmpty(ground))
  assert.deepEqual(ground.ran, ['bad', 'good', 'bad', 'bad'])
  assert.deepEqual(ground.failures, [
    ['bad', false],
    ['bad', false],
  ])
  assert.ok(pauses[1]! > pauses[0]!, pauses.join())
})

test('JobRunner gives up after the last attempt, and says that it was the last', async () => {
  await using ground = await given(async () => Promise.reject(new Error('never')))
  await ground.add('bad')
  ground.runner.start()
  for (const times of [1, 2, 3]) {
    await ground.until(() => ground.failures.length === times)
    ground.stores.clock.ms += 3_600_000
    ground.runner.wake()
    // The row is moved after the failure was told: the runner may be woken too early once.
    await delay(20)
    ground.runner.wake()
  }
  await ground.until(isEmpty(ground))
  assert.deepEqual(ground.failures, [
    ['bad', false],
    ['bad', false],
    ['bad', true],
  ])
})

test('JobRunner ends after the job under way, and leaves the rest for next time', async () => {
  const held = Promise.withResolvers<void>()
  let isDone = false
  await using ground = await given(async () => {
    await held.promise
    isDone = true
  })
  await ground.add('a', 'b')
  ground.runner.start()
  await ground.until(() => ground.ran.length === 1)
  const ending = ground.runner[Symbol.asyncDispose]()
  await delay(10)
  assert.equal(isDone, false)
  held.resolve()
  await ending
  assert.equal(isDone, true)
  assert.deepEqual(ground.ran, ['a'])
  assert.equal(await ground.stores.catalog.read(countJobs), 1)
})

test('JobRunner outlives a job table that cannot be written, and goes on when it can', async () => {
  await using ground = await given()
  await ground.add('a')
  const { catalog } = ground.stores
  const write = catalog.write.bind(catalog)
  let refusals = 1
  catalog.write = async (fn) => (refusals-- > 0 ? Promise.reject(new Error('disk full')) : write(fn))
  ground.runner.start()
  await ground.until(() => ground.troubles.length === 1)
  assert.deepEqual(ground.ran, [])
  // It pauses then; new work wakes it, as time would.
  await delay(20)
  ground.runner.wake()
  await ground.until(isEmpty(ground))
  assert.deepEqual(ground.ran, ['a'])
})

test('JobRunner that was never started ends at once', async () => {
  await using ground = await given()
  await ground.add('a')
  await ground.runner[Symbol.asyncDispose]()
  assert.deepEqual(ground.ran, [])
})
