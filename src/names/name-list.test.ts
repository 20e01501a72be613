import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { tempFolder } from '../../test/world/temp-folder.ts'
import { type ProjectName, projectName } from '../pep/name.ts'
import { finishList } from './list-writer.ts'
import { NameList } from './name-list.ts'

const folder = await tempFolder()
after(() => folder.remove())
const path = join(folder.path, 'names')

async function write(names: readonly string[]): Promise<void> {
  await writeFile(path, names.map((name) => `${name}\n`).join(''))
  await finishList(path, { before: undefined, nowMs: 0, stamp: async () => 7 })
}

async function all(list: NameList): Promise<string[]> {
  const names: string[] = []
  for await (const batch of list.names()) names.push(...batch)
  return names
}

/** Names that hug one another: few letters, prefixes of each other, and now and then as long as can be. */
const name = fc.oneof(
  fc.stringMatching(/^[a-c0-1]{1,4}$/),
  fc.stringMatching(/^[a-z](-[a-z0-9]){0,5}$/),
  fc.nat(30).map((more) => 'a'.repeat(170 + more)),
)

test('NameList.find() tells members from all others, whatever the list', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(name, { maxLength: 120 }),
      fc.array(name, { maxLength: 20 }),
      async (names, others) => {
        const sorted = [...names].sort()
        await write(sorted)
        await using list = (await NameList.open(path))!
        const known = new Set(sorted)
        const first = sorted[0] ?? 'a'
        const last = sorted.at(-1) ?? 'a'
        const near = [first.slice(0, -1), last.slice(0, -1), `${first}0`, `${last}z`, '0', 'zzzz'].filter(
          (each) => each !== '',
        )
        for (const each of [...sorted, ...others, ...near]) {
          assert.equal(
            (await list.find(each as ProjectName)) !== undefined,
            known.has(each),
            `${each} in ${sorted.join(' ')}`,
          )
        }
        assert.deepEqual(await all(list), sorted)
      },
    ),
    { numRuns: 60 },
  )
})

test('NameList finds every one of many names, and none between them', async () => {
  const names = Array.from({ length: 5000 }, (_, each) => `project-${String(each * 2).padStart(5, '0')}`)
  await write(names)
  await using list = (await NameList.open(path))!
  for (let each = 0; each < 10_000; each += 7) {
    const asked = projectName(`project-${String(each).padStart(5, '0')}`)
    assert.deepEqual(await list.find(asked), each % 2 === 0 ? { name: asked, own: 7 } : undefined)
  }
  assert.deepEqual(await all(list), names)
})

for (const [what, names] of [
  ['an empty file', []],
  ['one line', ['acme']],
  ['two lines', ['acme', 'acme-tools']],
  ['one name of 200 characters', ['a'.repeat(200)]],
] as const) {
  test(`NameList reads ${what}`, async () => {
    await write(names)
    await using list = (await NameList.open(path))!
    for (const each of [
      'a',
      'acm',
      'acme',
      'acme-',
      'acme-tools',
      'acme-toolsx',
      'z',
      'a'.repeat(200),
      'a'.repeat(199),
    ]) {
      const found = await list.find(each as ProjectName)
      assert.equal(
        found?.name,
        (names as readonly string[]).find((name) => name === each),
      )
    }
    assert.deepEqual(await all(list), names)
  })
}

test('NameList.open() finds no list without a file, and none in a file of another layout', async () => {
  assert.equal(await NameList.open(join(folder.path, 'none')), undefined)
  await writeFile(path, '')
  assert.equal(await NameList.open(path), undefined)
  await writeFile(path, Array.from({ length: 100 }, (_, each) => `p-${each}\n`).join(''))
  assert.equal(await NameList.open(path), undefined)
})

test('NameList reads on when its file is replaced and taken away', async () => {
  await write(Array.from({ length: 9000 }, (_, each) => `p-${String(each).padStart(6, '0')}`))
  await using list = (await NameList.open(path))!
  const reading = list.names()
  let count = (await reading.next()).value!.length
  await rm(path)
  for await (const batch of reading) count += batch.length
  assert.equal(count, 9000)
  assert.equal(await NameList.open(path), undefined)
})
