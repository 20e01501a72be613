import assert from 'node:assert/strict'
import { access, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { tempFolder } from '../../test/world/temp-folder.ts'
import type { ProjectName } from '../pep/name.ts'
import { sortNames } from './name-sort.ts'

const temp = await tempFolder()
after(() => temp.remove())
let made = 0

/** A folder and a path in it, each time another. */
async function place(): Promise<{ folder: string; path: string }> {
  const folder = join(temp.path, String(made++))
  await mkdir(folder)
  return { folder, path: join(folder, 'names') }
}

async function* source(names: readonly string[], failure?: Error): AsyncGenerator<{ readonly name: ProjectName }> {
  for (const name of names) yield { name: name as ProjectName }
  if (failure !== undefined) throw failure
}

test('sortNames() writes every name once and in order, whatever the size of its runs', async () => {
  const name = fc.stringMatching(/^[a-d](-?[a-d0-9]){0,4}$/)
  await fc.assert(
    fc.asyncProperty(fc.array(name, { maxLength: 100 }), fc.integer({ min: 1, max: 40 }), async (names, runNames) => {
      const { folder, path } = await place()
      await sortNames(source(names), path, { folder, runNames })
      const expected = [...new Set(names)].sort()
      assert.equal(await readFile(path, 'utf8'), expected.map((each) => `${each}\n`).join(''))
    }),
    { numRuns: 40 },
  )
})

test('sortNames() merges runs far smaller than the list', async () => {
  const names = Array.from({ length: 6000 }, (_, each) => `n-${(each * 7919) % 6000}`)
  const { folder, path } = await place()
  await sortNames(source([...names, ...names]), path, { folder, runNames: 500 })
  assert.deepEqual((await readFile(path, 'utf8')).trimEnd().split('\n'), [...names].sort())
})

test('sortNames() makes no file when its source fails', async () => {
  for (const many of [0, 3, 25]) {
    const { folder, path } = await place()
    const names = Array.from({ length: many }, (_, each) => `new-${each}`)
    await assert.rejects(sortNames(source(names, new Error('cut')), path, { folder, runNames: 10 }), /cut/)
    await assert.rejects(access(path), { code: 'ENOENT' })
  }
})
