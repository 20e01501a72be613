import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { tempFolder } from '../../test/world/temp-folder.ts'
import { userName } from '../model/names.ts'
import type { Serial } from '../model/records.ts'
import { findUser, saveUser } from './accounts.ts'
import { SharedCounters } from './shared-counters.ts'
import { SqliteCatalog } from './sqlite/sqlite.ts'

async function openTwo() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder())
  const counters = new SharedCounters()
  const options = { path: join(folder.path, 'catalog.db'), readers: 2, now: () => new Date() }
  const one = stack.use(await SqliteCatalog.open({ ...options, counters }))
  const two = stack.use(await SqliteCatalog.open({ ...options, counters: new SharedCounters(counters.buffer) }))
  const opened = stack.move()
  return { one, two, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

test('SharedCounters: what one raises the other reads, and nothing falls', () => {
  const one = new SharedCounters()
  const two = new SharedCounters(one.buffer)
  one.committed(7 as Serial)
  two.committed(5 as Serial)
  assert.equal(two.serial, 7)
  assert.equal(one.takeStamp(1000), 1000)
  assert.equal(two.takeStamp(1000), 1001)
  assert.equal(one.lastStamp, 0)
  two.showStamp(1001)
  one.showStamp(1000)
  assert.equal(one.lastStamp, 1001)
})

test('SharedCounters: a list that comes is to be seen until it is in place, when the lists have changed', () => {
  const one = new SharedCounters()
  const two = new SharedCounters(one.buffer)
  const before = two.lists
  const coming = one.listComes()
  assert.equal(two.isListComing, true)
  assert.equal(two.lists, before)
  coming[Symbol.dispose]()
  assert.equal(two.isListComing, false)
  assert.notEqual(two.lists, before)
})

test('SqliteCatalog: a write that one worker acknowledged is at once in the serial, the stamp and the reads of another', async () => {
  await using opened = await openTwo()
  const { one, two } = opened
  for (let each = 0; each < 50; each++) {
    const [writing, reading] = each % 2 === 0 ? [one, two] : [two, one]
    const name = userName(`u${each}`)
    await writing.write((writer) => saveUser(writer, { name, created: 'then' }, 'created'))
    assert.equal(reading.serial, each + 1)
    assert.equal(reading.lastStamp, writing.lastStamp)
    assert.ok(await reading.read((reader) => findUser(reader, name)))
  }
})

test('SqliteCatalog: two workers that write all the time both get their turn, and nobody stands still meanwhile', async () => {
  await using opened = await openTwo()
  let isDone = false
  const ends: number[] = []
  const busy = async (catalog: SqliteCatalog, letter: string) => {
    for (let each = 0; each < 40; each++) {
      await catalog.write(async (writer) => {
        await delay(1)
        await saveUser(writer, { name: userName(`${letter}${each}`), created: 'then' }, 'created')
      })
      ends.push(catalog.serial)
    }
  }
  let longestMs = 0
  const watch = async () => {
    while (!isDone) {
      const before = performance.now()
      await delay(1)
      longestMs = Math.max(longestMs, performance.now() - before)
    }
  }
  const watching = watch()
  // The second would wait for the end of the first if that did not let it in.
  const [a, b] = [busy(opened.one, 'a').then(() => ends.length), busy(opened.two, 'b').then(() => ends.length)]
  const first = await Promise.race([a, b])
  await Promise.all([a, b])
  isDone = true
  await watching
  assert.equal(opened.one.serial, 80)
  assert.ok(first > 50, `one had 40 writes done when both had ${first}`)
  // SQLite's own waiting would be ten seconds here, in which the other could never commit.
  assert.ok(longestMs < 5000)
})

test('SqliteCatalog: stamps of two workers never meet, and a greater one is never to be seen before a smaller', async () => {
  await using opened = await openTwo()
  const stamps = await Promise.all(
    Array.from({ length: 40 }, (_, each) => (each % 2 === 0 ? opened.one : opened.two).stamp()),
  )
  assert.equal(new Set(stamps).size, 40)
  assert.equal(opened.one.lastStamp, Math.max(...stamps))
})
