import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { tempFolder } from '../../test/world/temp-folder.ts'
import type { ProjectName } from '../pep/name.ts'
import { finishList } from './list-writer.ts'
import { NameList } from './name-list.ts'

const folder = await tempFolder()
after(() => folder.remove())
const DAY_MS = 24 * 3600 * 1000

/** `lines`: a name and upstream's number, or a name. New and changed names get `stamp`. */
async function made(lines: readonly string[], stamp: number, before?: NameList, nowMs = stamp) {
  const path = join(folder.path, randomUUID())
  await writeFile(path, lines.map((line) => `${line}\n`).join(''))
  let asked = 0
  const finished = await finishList(path, {
    before,
    nowMs,
    stamp: async () => {
      asked++
      return stamp
    },
  })
  assert.equal(asked, finished.isChanged ? 1 : 0)
  return { ...finished, list: finished.isChanged ? (await NameList.open(path))! : before! }
}

async function numbers(list: NameList): Promise<(readonly [string, number, number | undefined])[]> {
  const all = (await Array.fromAsync(list.listed())).flat()
  return all.map(({ name, own, upstream }) => [name, own, upstream])
}

test('finishList() gives a new number to names that are new or whose upstream number is another, and to no others', async () => {
  const first = await made(['acme 3', 'bravo 4', 'delta 9'], 100)
  await using _ = first.list
  assert.deepEqual([first.now.lastOwn, first.now.lastUpstream], [100, 9])
  const second = await made(['acme 3', 'bravo 12', 'charlie 11', 'delta 9'], 200, first.list)
  await using __ = second.list
  assert.deepEqual(await numbers(second.list), [
    ['acme', 100, 3],
    ['bravo', 200, 12],
    ['charlie', 200, 11],
    ['delta', 100, 9],
  ])
  assert.deepEqual([second.now.lastOwn, second.now.lastUpstream], [200, 12])
  assert.deepEqual(await second.list.find('bravo' as ProjectName), { name: 'bravo', own: 200, upstream: 12 })
})

test('finishList() tells a list by its names where only numbers have changed', async () => {
  const first = await made(['acme 3', 'bravo 4'], 100)
  await using _ = first.list
  const second = await made(['acme 3', 'bravo 5'], 200, first.list)
  await using __ = second.list
  assert.equal(second.now.id, first.now.id)
  assert.notEqual(second.now.listedId, first.now.listedId)
  assert.deepEqual([second.now.changedMs, second.now.listedMs], [100, 200])
  assert.equal((await made(['acme 3', 'bravo 5'], 300, second.list)).isChanged, false)
})

test('finishList() renews numbers once a day where upstream tells none', async () => {
  const first = await made(['acme', 'bravo'], 1000)
  await using _ = first.list
  assert.equal((await made(['acme', 'bravo'], 2000, first.list)).isChanged, false)
  const later = await made(['acme', 'bravo'], 1000 + DAY_MS, first.list)
  await using __ = later.list
  assert.deepEqual(await numbers(later.list), [
    ['acme', 1000 + DAY_MS, undefined],
    ['bravo', 1000 + DAY_MS, undefined],
  ])
})
