/** devpi's server programs as processes: options, environment, YAML and exit codes as scripts of their users rely on them. */
import assert from 'node:assert/strict'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { wheel } from '../builders/wheels.ts'
import { cleanEnv } from '../programs/clean-env.ts'
import { type Outcome, runProgram } from '../programs/run-program.ts'
import { CHECKOUT, startServer } from '../programs/server-process.ts'
import { programFetch } from '../world/program-fetch.ts'
import { type TempFolder, tempFolder } from '../world/temp-folder.ts'

/** argon2id of "from a hash", as argon2-cffi writes it, at the least cost. */
const HASH = '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$xVjG0ff/oJl56E6fQCeiYQ'

let folder: TempFolder

before(async () => {
  folder = await tempFolder()
})
after(() => folder.remove())

function run(name: string, args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}) {
  const options = { cwd: folder.path, env: cleanEnv(folder.path, env), input }
  return runProgram(join(CHECKOUT, 'compat', 'bin', name), args, options)
}

/** devpi-init without a mirror; root's password is "secret". */
async function initialised(name: string, ...args: string[]): Promise<string> {
  const made = await run('devpi-init', ['--serverdir', name, '--no-root-pypi', '--root-passwd', 'secret', ...args])
  assert.equal(made.code, 0, made.output)
  return join(folder.path, name)
}

async function login(url: string, user: string, password: string): Promise<number> {
  const body = JSON.stringify({ user, password })
  return (
    await programFetch(`${url}/+login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  ).status
}

test('devpi-init fails on a second run, and with what is no hash for root', async () => {
  await initialised('twice')
  const again = await run('devpi-init', ['--serverdir', 'twice'])
  assert.equal(again.code, 1)
  assert.match(again.stderr, /holds a server's data already/)
  const wrong = await run('devpi-init', ['--serverdir', 'wrong', '--root-passwd-hash', 'secret'])
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /it is no argon2 hash/)
  assert.doesNotMatch(wrong.output, /secret/)
  await assert.rejects(stat(join(folder.path, 'wrong')), { code: 'ENOENT' })
})

test('devpi-init keeps the hash of a password, and devpi-passwd replaces it', async () => {
  const serverdir = await initialised('hashed', '--root-passwd-hash', HASH)
  {
    await using server = await startServer({ program: 'compat/bin/devpi-server', args: ['--serverdir', serverdir] })
    assert.equal(await login(server.url, 'root', 'from a hash'), 200)
    assert.equal(await login(server.url, 'root', 'secret'), 401)
  }
  assert.equal((await run('devpi-passwd', ['--serverdir', 'hashed', 'root'], 'another\n')).code, 0)
  const asked = await run('devpi-passwd', ['--serverdir', 'hashed'], 'nobody\nanother\n')
  assert.equal(asked.code, 1)
  assert.match(asked.stderr, /User to set password for: .*nobody/s)
  const old = await run('devpi-server', ['--serverdir', 'hashed', '--passwd', 'root'], 'yet another\n')
  assert.equal(old.code, 0, old.output)
  assert.match(old.stderr, /deprecated, use: devpi-passwd/)
  await using server = await startServer({ program: 'compat/bin/devpi-server', args: ['--serverdir', serverdir] })
  assert.equal(await login(server.url, 'root', 'yet another'), 200)
})

test('devpi-server reads its YAML file, keeps its secret elsewhere, and says on stdout where it serves', async () => {
  const serverdir = await initialised('configured')
  const secret = join(folder.path, 'keys', 'secret')
  const made = await run('devpi-gen-secret', ['--secretfile', secret])
  assert.equal(made.code, 0, made.output)
  assert.equal((await stat(secret)).mode & 0o777, 0o600)
  assert.equal((await run('devpi-gen-secret', ['--secretfile', secret])).code, 0)
  const lines = [`serverdir: ${serverdir}`, `secretfile: ${secret}`, 'outside-url: http://outside.example/x', 'prot: 1']
  const file = join(folder.path, '.config', 'devpi-server', 'devpi-server.yml')
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, `devpi-server:\n${lines.map((line) => `  ${line}\n`).join('')}`)
  await using server = await startServer({
    program: 'compat/bin/devpi-server',
    args: ['--threads', '5'],
    env: { XDG_CONFIG_HOME: join(folder.path, '.config') },
  })
  const api = (await (await fetch(`${server.url}/+api`)).json()) as { result: { login: string } }
  assert.equal(api.result.login, 'http://outside.example/x/+login')
  assert.match(server.output(), /Unknown devpi-server option 'prot' in .*devpi-server\.yml/)
  assert.match(server.output(), /--threads has no effect/)
  assert.ok(!(await readdir(serverdir)).includes('secret'))
})

test('devpi-server answers on a Unix socket with its permissions, also where a dead one lies, and takes it away', async () => {
  const serverdir = await initialised('socket')
  const socket = join(folder.path, 'run.sock')
  const args = ['--serverdir', serverdir, '--unix-socket', socket, '--unix-socket-perms', '660']
  const start = () => startServer({ program: 'compat/bin/devpi-server', args })
  {
    await using server = await start()
    assert.equal((await stat(socket)).mode & 0o777, 0o660)
    assert.match(server.output(), new RegExp(`serving at unix socket: ${socket}`))
    const answer = await asked(socket, '/+api')
    assert.equal(answer.status, 200)
    assert.match(answer.text, /"type": "apiconfig"/)
    await initialised('other')
    const second = await run('devpi-server', ['--serverdir', 'other', '--unix-socket', socket])
    assert.equal(second.code, 1)
    assert.match(second.stderr, /Cannot listen on socket ".*run\.sock": another program does/)
    await server.kill()
  }
  await stat(socket)
  {
    await using server = await start()
    assert.equal((await asked(socket, '/+health')).status, 200)
    await server.stop()
  }
  await assert.rejects(stat(socket), { code: 'ENOENT' })
  await writeFile(socket, 'mine')
  const refused = await run('devpi-server', ['--serverdir', 'socket', '--unix-socket', socket])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /a file that is no socket is there/)
})

test('devpi-fsck ends with 0 when all is well, and with 1 when a file is damaged, unless it shall not look', async () => {
  const serverdir = await initialised('checked')
  const file = wheel({ name: 'acme', version: '1.0' })
  {
    await using server = await startServer({ program: 'compat/bin/devpi-server', args: ['--serverdir', serverdir] })
    const authorization = `Basic ${Buffer.from('root:secret').toString('base64')}`
    const json = { authorization, 'content-type': 'application/json' }
    assert.equal(
      (await programFetch(`${server.url}/root/prod`, { method: 'PUT', headers: json, body: '{}' })).status,
      200,
    )
    const form = multipart([
      ...fieldParts({ ':action': 'file_upload', name: 'acme', version: '1.0' }),
      { name: 'content', filename: file.filename, content: file.bytes },
    ])
    const headers = { authorization, 'content-type': form.contentType }
    const body = new Uint8Array(form.body)
    assert.equal((await programFetch(`${server.url}/root/prod/`, { method: 'POST', headers, body })).status, 200)
  }
  const fsck = (...more: string[]): Promise<Outcome> => run('devpi-fsck', ['--serverdir', 'checked', ...more])
  const clean = await fsck()
  assert.equal(clean.code, 0, clean.output)
  const blobs = await readdir(join(serverdir, 'blobs'), { recursive: true, withFileTypes: true })
  const damaged = blobs.filter((each) => each.isFile())
  assert.ok(damaged.length > 0)
  for (const blob of damaged) {
    const path = join(blob.parentPath, blob.name)
    const { size } = await stat(path)
    await writeFile(path, Buffer.alloc(size, 'x'))
  }
  assert.equal((await fsck('--no-checksum')).code, 0)
  const faults = await fsck()
  assert.equal(faults.code, 1, faults.output)
  assert.match(faults.stdout, /its content has sha256/)
})

function asked(socketPath: string, path: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.once('end', () => resolve({ status: answer.statusCode, text }))
    })
      .once('error', reject)
      .end()
  })
}
