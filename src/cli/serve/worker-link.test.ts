import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { Problem } from '../../model/errors.ts'
import { type Replies, WorkerLink } from './worker-link.ts'

function linked(replies: Replies, questionsMost = 10) {
  const { port1, port2 } = new MessageChannel()
  const troubles: unknown[] = []
  const options = { questionsMost, onTrouble: (error: unknown) => troubles.push(error) }
  const here = new WorkerLink(port1, { ...options, other: 'worker 1', replies: {} })
  const there = new WorkerLink(port2, { ...options, other: 'worker 0', replies })
  return { here, there, troubles, [Symbol.dispose]: () => port1.close() }
}

test('ask() gives what the other end answers, also when it answers late and out of turn', async () => {
  const first = Promise.withResolvers<string>()
  using link = linked({ first: () => first.promise, second: (value: number) => value + 1 })
  const slow = link.here.ask('first', undefined, 5000)
  assert.equal(await link.here.ask('second', 1, 5000), 2)
  first.resolve('late')
  assert.equal(await slow, 'late')
})

test('ask() throws what the other end has thrown: a Problem with all that it says, and of others the reason', async () => {
  using link = linked({
    problem: () => {
      throw new Problem('busy', 'Cannot do it now', { hint: 'wait', retrySeconds: 7 })
    },
    error: async () => {
      throw new Error('broken')
    },
  })
  await assert.rejects(link.here.ask('problem', undefined, 5000), {
    name: 'Problem',
    code: 'busy',
    message: 'Cannot do it now',
    hint: 'wait',
    retrySeconds: 7,
  })
  await assert.rejects(link.here.ask('error', undefined, 5000), /broken/)
})

test('ask() is refused as busy when there is no answer in time, when too many wait, and when the other end is gone', async () => {
  using link = linked({ never: () => new Promise(() => {}) }, 1)
  await assert.rejects(link.here.ask('never', undefined, 5), {
    code: 'busy',
    message: /worker 1.*not answered within 5 ms/,
  })
  const waiting = link.here.ask('never', undefined, 5000)
  await assert.rejects(link.here.ask('never', undefined, 5000), { code: 'busy', message: /too many/ })
  link.here.close()
  await assert.rejects(waiting, { code: 'busy', message: /it has ended/ })
  await assert.rejects(link.here.ask('never', undefined, 5000), { code: 'busy', message: /it is not there/ })
})

test('tell() arrives in order, and what goes wrong with it is told where it went wrong', async () => {
  const told: number[] = []
  using link = linked({
    count: (value: number) => told.push(value),
    wrong: () => {
      throw new Error('no')
    },
    done: () => 'done',
  })
  for (const each of [1, 2, 3]) link.here.tell('count', each)
  link.here.tell('wrong')
  assert.equal(await link.here.ask('done', undefined, 5000), 'done')
  assert.deepEqual(told, [1, 2, 3])
  assert.deepEqual(
    link.troubles.map((error) => (error as Error).message),
    ['no'],
  )
})
