/** Only what has the folder's lock brings it up to date: an older server may be at work with it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { cleanEnv } from '../programs/clean-env.ts'
import { runProgram } from '../programs/run-program.ts'
import { CHECKOUT, startServer } from '../programs/server-process.ts'
import { tempFolder } from '../world/temp-folder.ts'

test('commands beside a server leave a catalog of an older format alone, and a server brings it up to date', async () => {
  await using folder = await tempFolder()
  const at = ['--serverdir', join(folder.path, 'server')]
  const run = (words: readonly string[]) =>
    runProgram(join(CHECKOUT, 'bin/airlock'), words, { cwd: folder.path, env: cleanEnv(folder.path), input: 'x\nx\n' })
  assert.equal((await run(['init', ...at, '--no-root-pypi'])).code, 0)
  const version = () => {
    using raw = new DatabaseSync(join(folder.path, 'server', 'catalog.db'))
    return Number(raw.prepare('PRAGMA user_version').get()?.user_version)
  }
  const today = version()
  {
    // As the version before had it.
    using raw = new DatabaseSync(join(folder.path, 'server', 'catalog.db'))
    raw.exec(`ALTER TABLE projects RENAME COLUMN stamp TO serial; PRAGMA user_version = ${today - 1}`)
  }
  for (const words of [
    ['check', ...at],
    ['check', '--no-hashes', ...at],
    ['gc', '--dry-run', ...at],
    ['cache', ...at],
    ['advisories', 'list', ...at],
    ['passwd', 'root', ...at],
    ['export', '--devpi', ...at, join(folder.path, 'dump')],
  ]) {
    const { code, output } = await run(words)
    assert.equal(code, 1, `${words[0]}: ${output}`)
    assert.match(output, new RegExp(`its format is ${today - 1}, this program works with ${today}`), words[0]!)
    assert.equal(version(), today - 1, words[0]!)
  }
  await using server = await startServer({ program: 'bin/airlock', args: ['serve', ...at] })
  assert.equal((await fetch(`${server.url}/+api`)).status, 200)
  assert.equal(version(), today)
  assert.equal((await run(['check', ...at])).code, 0)
})
