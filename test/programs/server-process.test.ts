import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { tempFolder } from '../world/temp-folder.ts'
import { cleanEnv } from './clean-env.ts'
import { CHECKOUT, startServer } from './server-process.ts'

/** A program like the product's: a shell wrapper that becomes node, told its port. */
async function program(folder: string, script: string): Promise<string> {
  await writeFile(join(folder, 'server.js'), script)
  const path = join(folder, 'program')
  await writeFile(path, `#!/bin/sh\nexec "${process.execPath}" "${folder}/server.js" "$@"\n`)
  await chmod(path, 0o755)
  return path
}

const SERVES = `
  const port = process.argv[process.argv.indexOf('--port') + 1]
  const server = require('node:http').createServer((request, response) => response.end(JSON.stringify(process.env)))
  server.listen(port, '127.0.0.1', () => console.error('serving at url: http://127.0.0.1:' + port + '/ (might be http://[::]:1 too)'))
`

test('startServer() gives the address, the pid of the server itself, and a clean environment', async () => {
  await using folder = await tempFolder()
  process.env.PIP_INDEX_URL_OF_A_TEST = 'leaked'
  await using server = await startServer({ program: await program(folder.path, SERVES), args: [], env: { ONE: '1' } })
  const seen = (await (await fetch(server.url)).json()) as Record<string, string>
  assert.equal(server.url, `http://127.0.0.1:${server.port}`)
  assert.equal(seen.ONE, '1')
  assert.equal(seen.PIP_INDEX_URL_OF_A_TEST, undefined)
  assert.notEqual(seen.HOME, process.env.HOME)
  if (process.platform === 'linux') {
    const peak = await server.peakMemoryBytes()
    assert.ok(peak > 10e6 && peak < 1e9, `${peak}`)
  }
  assert.deepEqual(await server.stop(), { code: null, signal: 'SIGTERM' })
  assert.deepEqual(await server.exited, { code: null, signal: 'SIGTERM' })
})

test('startServer() kills, and a server killed already is disposed quietly', async () => {
  await using folder = await tempFolder()
  await using server = await startServer({ program: await program(folder.path, SERVES), args: [] })
  assert.deepEqual(await server.kill(), { code: null, signal: 'SIGKILL' })
  await assert.rejects(fetch(server.url))
})

test('startServer() leaves nothing behind when the test is ended', async () => {
  await using folder = await tempFolder()
  const script = join(folder.path, 'ended.mjs')
  await writeFile(
    script,
    `import { startServer } from '${pathToFileURL(join(CHECKOUT, 'test', 'programs', 'server-process.ts'))}'
    const server = await startServer({ program: '${await program(folder.path, SERVES)}', args: [] })
    console.log(server.url)`,
  )
  const child = spawn(process.execPath, [script], { env: cleanEnv(folder.path), stdio: ['ignore', 'pipe', 'inherit'] })
  const [url] = await once(child.stdout.setEncoding('utf8'), 'data')
  assert.equal((await fetch(String(url).trim())).status, 200)
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'close'), [null, 'SIGTERM'])
  await assert.rejects(fetch(String(url).trim()))
})

test('startServer() reads the address from a line of JSON', async () => {
  await using folder = await tempFolder()
  const script = SERVES.replace("'/ (might be http://[::]:1 too)'", `'/"}'`)
  await using server = await startServer({ program: await program(folder.path, script), args: [] })
  assert.equal(server.url, `http://127.0.0.1:${server.port}`)
})

test('startServer() fails with what the program printed', async () => {
  await using folder = await tempFolder()
  const ends = await program(folder.path, `console.error('No such folder'); process.exit(3)`)
  await assert.rejects(startServer({ program: ends, args: [] }), /it ended with code 3; it printed:\nNo such folder/)
  const silent = await program(folder.path, `console.log('thinking'); setInterval(() => {}, 1000)`)
  await assert.rejects(startServer({ program: silent, args: [], startMs: 400 }), /no word of serving within 400 ms/)
  await assert.rejects(startServer({ program: join(folder.path, 'missing'), args: [] }), /ENOENT/)
})
