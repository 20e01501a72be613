/** A terminal that hangs up ends what was started from it, but not what was started with nohup. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { cleanEnv } from '../programs/clean-env.ts'
import { runProgram } from '../programs/run-program.ts'
import { CHECKOUT, startServer } from '../programs/server-process.ts'
import { tempFolder } from '../world/temp-folder.ts'

/** A folder with a server's data: devpi-server begins none. */
async function prepared() {
  const folder = await tempFolder()
  const args = ['--serverdir', join(folder.path, 'server'), '--no-root-pypi']
  const init = await runProgram(join(CHECKOUT, 'bin/airlock'), ['init', ...args], {
    cwd: folder.path,
    env: cleanEnv(folder.path),
  })
  assert.equal(init.code, 0, init.output)
  return { args, [Symbol.asyncDispose]: () => folder.remove() }
}

const PROGRAMS = [
  ['bin/airlock', ['serve']],
  ['compat/bin/devpi-server', []],
] as const

for (const [program, words] of PROGRAMS) {
  test(`${program} started with nohup outlives its terminal, and ends by SIGTERM`, async () => {
    await using folder = await prepared()
    await using server = await startServer({
      program: '/usr/bin/nohup',
      args: [join(CHECKOUT, program), ...words, ...folder.args],
    })
    process.kill(server.pid, 'SIGHUP')
    // Signals are delivered in order: an answer after it is one of a server that has it behind it.
    for (let asked = 0; asked < 3; asked++) assert.equal((await fetch(`${server.url}/+api`)).status, 200)
    assert.equal((await server.stop()).code, 0)
  })

  test(`${program} started without it ends with its terminal`, async () => {
    await using folder = await prepared()
    await using server = await startServer({ program, args: [...words, ...folder.args] })
    process.kill(server.pid, 'SIGHUP')
    assert.equal((await server.exited).signal, 'SIGHUP')
  })
}
