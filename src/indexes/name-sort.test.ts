import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { tempFolder } from '../../test/ground/temp-folder.ts'
import type { ProjectName } from '../pep/name.ts'
import { sortNames } from './name-sort.ts'

const folder = await tempFolder()
after(() => folder.remove())
const path = join(folder.path, 'names')
const temp = join(folder.path, 'temp')
await mkdir(temp)

async function* source(names: readonly string[], failure?: Error): AsyncGenerator<ProjectName> {
  for (const name of names) yield name as ProjectName
  if (failure !== undefined) throw failure
}

test('sortNames() writes every name once and in order, whatever the size of its runs', async () => {
  const name = fc.stringMatching(/^[a-d](-?[a-d0-9]){0,4}$/)
  await fc.assert(
    fc.asyncProperty(fc.array(name, { maxLength: 100 }), fc.integer({ min: 1, max: 40 }), async (names, runNames) => {
      const count = await sortNames(source(names), path, { temp, runNames })
      const expected = [...new Set(names)].sort()
      assert.equal(await readFile(path, 'utf8'), expected.map((each) => `${each}\n`).join(''))
      assert.equal(count, expected.length)
      assert.deepEqual(await readdir(temp), [])
    }),
    { numRuns: 40 },
  )
})

test('sortNames() merges runs far smaller than the list', async () => {
  const names = Array.from({ length: 6000 }, (_, each) => `n-${(each * 7919) % 6000}`)
  assert.equal(await sortNames(source([...names, ...names]), path, { temp, runNames: 500 }), 6000)
  assert.deepEqual((await readFile(path, 'utf8')).trimEnd().split('\n'), [...names].sort())
})

test('sortNames() leaves the old list and nothing else when its source fails', async () => {
  await writeFile(path, 'old\n')
  for (const many of [0, 3, 25]) {
    const names = Array.from({ length: many }, (_, each) => `new-${each}`)
    await assert.rejects(sortNames(source(names, new Error('cut')), path, { temp, runNames: 10 }), /cut/)
    assert.equal(await readFile(path, 'utf8'), 'old\n')
    assert.deepEqual(await readdir(temp), [])
  }
})

test('sortNames() leaves readers of the old list with what they have', async () => {
  const { NameList } = await import('./name-list.ts')
  await writeFile(path, Array.from({ length: 9000 }, (_, each) => `o-${String(each).padStart(5, '0')}\n`).join(''))
  const reading = (await new NameList(path).names())!
  let count = (await reading.next()).value!.length
  await sortNames(source(['fresh']), path, { temp, runNames: 10 })
  for await (const batch of reading) count += batch.length
  assert.equal(count, 9000)
  assert.equal(await new NameList(path).has('fresh' as ProjectName), true)
})
