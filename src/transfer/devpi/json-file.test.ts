import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempFolder } from '../../../test/world/temp-folder.ts'
import { JsonFile } from './json-file.ts'

test('JsonFile writes what was begun and added, in ASCII, for its owner only', async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'a.json')
  {
    await using json = await JsonFile.create(path)
    await json.begin('{')
    await json.begin('{', 'empty')
    await json.end()
    await json.begin('[', 'list "ü"')
    for (const each of ['Büro 📎\n', 1, null, { a: [true] }]) await json.add(each)
    await json.end()
    for (let each = 0; each < 10_000; each++) await json.add('x'.repeat(100), `key ${each}`)
    await json.end()
    await json.finish()
  }
  const text = await readFile(path, 'latin1')
  assert.match(text, /^[\n\x20-\x7e]+$/)
  const { empty, 'list "ü"': list, ...rest } = JSON.parse(text) as Record<string, unknown>
  assert.deepEqual([empty, list], [{}, ['Büro 📎\n', 1, null, { a: [true] }]])
  assert.equal(Object.keys(rest).length, 10_000)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await assert.rejects(JsonFile.create(path), { code: 'EEXIST' })
})
