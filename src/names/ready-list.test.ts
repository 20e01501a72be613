import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { tempFolder } from '../../test/world/temp-folder.ts'
import type { ProjectName } from '../pep/name.ts'
import { listToHtml } from '../pep/simple-html.ts'
import { listToJson } from '../pep/simple-json.ts'
import { finishList } from './list-writer.ts'
import type { ListedName } from './name-batches.ts'
import { FORM_NAMES, LIST_FORMS, NameList } from './name-list.ts'
import { mergedList, wholeList } from './ready-list.ts'

const folder = await tempFolder()
after(() => folder.remove())

/** The list in a file of its own, made after `before`. */
async function listOf(names: readonly string[], before?: NameList) {
  const path = join(folder.path, randomUUID())
  await writeFile(path, names.map((name) => `${name}\n`).join(''))
  const finished = await finishList(path, { before, nowMs: 1, stamp: async () => 5 })
  return { ...finished, list: finished.isChanged ? (await NameList.open(path))! : before! }
}

async function* batches(names: readonly string[]): AsyncGenerator<readonly ListedName[]> {
  for (let at = 0; at < names.length; at += 7) {
    yield names.slice(at, at + 7).map((name) => ({ name: name as ProjectName, own: 3 }))
  }
}

async function text(chunks: AsyncIterable<Buffer>): Promise<string> {
  return gunzipSync(Buffer.concat(await Array.fromAsync(chunks))).toString()
}

/** Every name of `own` has the number 5, every other one 3. */
async function plainly(form: 'html' | 'json', own: readonly string[], all = own): Promise<string> {
  const isOwn = new Set(own)
  const listed = all.map((name) => ({ name, lastStamp: isOwn.has(name) ? 5 : 3 }))
  async function* source<T>(batch: readonly T[]): AsyncGenerator<readonly T[]> {
    yield batch
  }
  const chunks = form === 'html' ? listToHtml(source(all)) : listToJson(source(listed))
  return Buffer.concat(await Array.fromAsync(chunks)).toString()
}

/** Enough for several pieces: about one name in 4,096 begins one. */
const MANY = Array.from({ length: 30_000 }, (_, each) => `project-${String(each * 3).padStart(6, '0')}`)

test('wholeList() and mergedList() are what the writers write name by name, for any names', async () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-d](-?[a-d0-9]){0,3}$/), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(names, names, async (own, others) => {
      const { list, now } = await listOf(own.toSorted())
      await using _ = list
      const all = [...new Set([...own, ...others])].sort()
      for (const form of ['html', 'json'] as const) {
        const whole = wholeList(list, now, form, LIST_FORMS[form])
        assert.equal(await text(whole.read()), await plainly(form, own.toSorted()))
        assert.equal(
          await text(mergedList(list, now, form, LIST_FORMS[form], batches(others.toSorted()))),
          await plainly(form, own, all),
        )
      }
    }),
    { numRuns: 40 },
  )
})

test('mergedList() puts names before, between and behind many, and copies the pieces they are not in', async () => {
  const { list, now } = await listOf(MANY)
  await using _ = list
  const pieces = await list.pieces()
  assert.ok(pieces.length >= 4, `${pieces.length} pieces`)
  const second = pieces[1]!.first
  const rows: readonly (readonly string[])[] = [
    [],
    ['a'],
    ['zzz'],
    ['a', 'zzz'],
    [second],
    [`${second}-x`],
    ['project-000001', 'project-089998'],
    MANY,
    Array.from({ length: 4000 }, (_, each) => `${second}-${String(each).padStart(5, '0')}`),
  ]
  for (const others of rows) {
    const all = [...new Set([...MANY, ...others])].sort()
    assert.equal(
      await text(mergedList(list, now, 'json', LIST_FORMS.json, batches(others))),
      await plainly('json', MANY, all),
    )
  }
})

test('wholeList() tells the sizes of what it gives', async () => {
  const { list, now } = await listOf(MANY)
  await using _ = list
  for (const form of FORM_NAMES) {
    const whole = wholeList(list, now, form, { head: 'before', tail: 'behind' })
    const bytes = Buffer.concat(await Array.fromAsync(whole.read()))
    assert.equal(bytes.length, whole.sizeBytes)
    assert.equal(gunzipSync(bytes).length, whole.plainBytes)
  }
})

test('mergedList() ends with the error of the names that are put in', async () => {
  const { list, now } = await listOf(MANY)
  await using _ = list
  async function* broken(): AsyncGenerator<readonly ListedName[]> {
    yield [{ name: 'project-000001' as ProjectName, own: 1 }]
    throw new Error('cut')
  }
  await assert.rejects(text(mergedList(list, now, 'html', LIST_FORMS.html, broken())), /cut/)
})

test('finishList() leaves a list of the same names alone', async () => {
  const { list, now } = await listOf(MANY)
  await using _ = list
  const again = await listOf(MANY, list)
  assert.equal(again.isChanged, false)
  assert.deepEqual(again.now, now)
})

test('finishList() compresses anew only the pieces in which a name came or went', async () => {
  const { list } = await listOf(MANY)
  await using _ = list
  const changes: readonly (readonly [string, readonly string[]])[] = [
    ['a name in the middle', [...MANY, 'project-050000'].sort()],
    ['a name at the end', [...MANY, 'zzz']],
    ['a name gone', MANY.filter((name) => name !== 'project-050001')],
  ]
  for (const [what, names] of changes) {
    const changed = await listOf(names, list)
    await using _ = changed.list
    const before = new Set((await list.pieces()).map((piece) => piece.digest))
    assert.equal((await changed.list.pieces()).filter((piece) => !before.has(piece.digest)).length, 1, what)
    const whole = wholeList(changed.list, changed.now, 'json', LIST_FORMS.json)
    assert.equal(await text(whole.read()), await plainly('json', names), what)
    assert.deepEqual(await Array.fromAsync(changed.list.names()).then((all) => all.flat()), names)
  }
})

test('finishList() keeps pieces bounded where no name would begin one', async () => {
  const { list } = await listOf(Array.from({ length: 90_000 }, (_, each) => `n-${String(each).padStart(5, '0')}`))
  await using _ = list
  for (const piece of await list.pieces()) assert.ok(piece.namesBytes <= 16_384 * 8)
})
