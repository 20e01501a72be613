import assert from 'node:assert/strict'
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { tempFolder } from '../../test/world/temp-folder.ts'
import { keepSecretFile } from './secret-file.ts'

const folder = await tempFolder()
after(() => folder.remove())

test('keepSecretFile() makes a secret that only its owner can read, once', async () => {
  const path = join(folder.path, 'new', 'secret')
  const made = await keepSecretFile(path)
  assert.equal(made.isNew, true)
  assert.ok(made.secret.length >= 32)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await stat(join(folder.path, 'new'))).mode & 0o777, 0o700)
  const again = await keepSecretFile(path)
  assert.equal(again.isNew, false)
  assert.deepEqual(again.secret, made.secret)
  assert.notDeepEqual((await keepSecretFile(join(folder.path, 'new', 'other'))).secret, made.secret)
})

const GOOD = 'abcdefghijklmnopqrstuvwxyz0123456789'
for (const { what, text = GOOD, mode = 0o600, folderMode = 0o700, says } of [
  { what: 'a group that can read it', mode: 0o640, says: /others than its owner can read or write it/ },
  { what: 'a world that can read it', mode: 0o604, says: /others than its owner can read or write it/ },
  { what: 'a folder that its group can write', folderMode: 0o770, says: /its folder can be written by others/ },
  { what: 'a folder that the world can write', folderMode: 0o707, says: /its folder can be written by others/ },
  { what: '31 characters and a line end', text: `${GOOD.slice(0, 31)}\n`, says: /it has 31 characters/ },
  { what: 'a pattern', text: 'abcde'.repeat(20), says: /it repeats itself/ },
]) {
  test(`keepSecretFile() refuses ${what}, and changes nothing`, async () => {
    const at = join(folder.path, what.replaceAll(' ', '-'))
    await mkdir(at)
    await writeFile(join(at, 'secret'), text)
    await chmod(join(at, 'secret'), mode)
    await chmod(at, folderMode)
    await assert.rejects(keepSecretFile(join(at, 'secret')), { code: 'setting-invalid', message: says })
    assert.equal(await readFile(join(at, 'secret'), 'utf8'), text)
  })
}
