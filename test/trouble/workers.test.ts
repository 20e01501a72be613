import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { wheel } from '../builders/wheels.ts'
import { cleanEnv } from '../programs/clean-env.ts'
import { runProgram } from '../programs/run-program.ts'
import { CHECKOUT, startServer } from '../programs/server-process.ts'
import { logIn, startWorkers, type WorkerClient } from '../programs/several-workers.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { tempFolder } from '../world/temp-folder.ts'

const JSON_TYPE = { accept: 'application/vnd.pypi.simple.v1+json' }
const UPLOADS = 200

async function makeIndex(client: WorkerClient, login: Record<string, string>, name: string, options: object) {
  const { status, text } = await client.asks(`/root/${name}`, { method: 'PUT', headers: login, json: options })
  assert.equal(status, 200, text)
}

async function filesOf(client: WorkerClient, path: string): Promise<string[]> {
  const { status, text } = await client.asks(path, { headers: JSON_TYPE })
  if (status === 404) return []
  assert.equal(status, 200, text)
  return (JSON.parse(text) as { files: { filename: string }[] }).files.map(({ filename }) => filename)
}

test(`an upload through one worker is on the page that another answers next, ${UPLOADS} times, and the figures add up`, async () => {
  await using folder = await tempFolder()
  await using all = await startWorkers(folder.path, 2)
  const clients = await all.clients()
  using one = clients[0]!
  using two = clients[1]!
  const login = await one.login()
  await makeIndex(one, login, 'dev', { type: 'stage', bases: [], volatile: false })
  for (let each = 0; each < UPLOADS; each++) {
    const [writing, reading] = each % 2 === 0 ? [one, two] : [two, one]
    const version = `1.${each}`
    const file = wheel({ name: 'acme', version })
    const { status, text } = await writing.uploads(file, 'acme', version, 'root/dev', login)
    assert.equal(status, 200, text)
    assert.ok((await filesOf(reading, '/root/dev/+simple/acme/')).includes(file.filename), `upload ${each}`)
  }
  const metrics = (await two.asks('/+metrics')).text
  assert.match(metrics, new RegExp(`^airlock_uploads_total ${UPLOADS}$`, 'm'))
  assert.match(metrics, new RegExp(`^airlock_requests_total\\{group="simple",status="200"\\} ${UPLOADS}$`, 'm'))
  assert.match(metrics, new RegExp(`^airlock_files_held ${UPLOADS}$`, 'm'))
  // Work that the second worker enqueued is done by the first, at once and not when it looks next.
  const untilMs = performance.now() + 20_000
  while (!/^airlock_jobs_waiting 0$/m.test((await one.asks('/+metrics')).text)) {
    assert.ok(performance.now() < untilMs, 'jobs are still waiting')
    await delay(50)
  }
  assert.equal((await all.server.stop()).code, 0)
})

test('a new password, a revoked token, changed permissions and a deleted index count in every worker at once', async () => {
  await using folder = await tempFolder()
  await using all = await startWorkers(folder.path, 2)
  const clients = await all.clients()
  using one = clients[0]!
  using two = clients[1]!
  const root = await one.login()
  for (const [writing, reading, user] of [
    [one, two, 'ann'],
    [two, one, 'bob'],
  ] as const) {
    const ask = (method: string, json?: unknown) => ({ method, headers: root, ...(json !== undefined && { json }) })
    assert.equal((await writing.asks(`/${user}`, ask('PUT', { password: 'before' }))).status, 201)
    // Each worker remembers passwords that were right.
    for (const client of [one, two]) await logIn(client.asks, user, 'before')
    const index = { type: 'stage', bases: [], volatile: true, acl_upload: [user] }
    assert.equal((await writing.asks(`/${user}/dev`, ask('PUT', index))).status, 200)
    const basic = (password: string) => ({
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    })
    const upload = async (client: WorkerClient, headers: Record<string, string>, version: string) =>
      (await client.uploads(wheel({ name: 'acme', version }), 'acme', version, `${user}/dev`, headers)).status
    assert.equal(await upload(reading, basic('before'), '1'), 200)
    assert.equal((await writing.asks(`/${user}`, ask('PATCH', { password: 'after' }))).status, 200)
    assert.notEqual(await upload(reading, basic('before'), '2'), 200)
    assert.equal(await upload(reading, basic('after'), '2'), 200)

    const own = await logIn(reading.asks, user, 'after')
    const made = await writing.asks(`/${user}/+tokens`, { method: 'POST', headers: own, json: { note: 'ci' } })
    assert.ok(made.status < 300, made.text)
    const { token, id } = (JSON.parse(made.text) as { result: { token: string; id: number } }).result
    const bearer = { authorization: `Bearer ${token}` }
    assert.equal(await upload(reading, bearer, '3'), 200)
    const gone = await writing.asks(`/${user}/+tokens/${id}`, { method: 'DELETE', headers: own })
    assert.ok(gone.status < 300, gone.text)
    assert.notEqual(await upload(reading, bearer, '4'), 200)

    assert.equal((await writing.asks(`/${user}/dev`, ask('PATCH', ['acl_upload=root']))).status, 200)
    assert.notEqual(await upload(reading, basic('after'), '5'), 200)
    assert.equal((await reading.asks(`/${user}/dev/+simple/acme/`)).status, 200)
    assert.ok((await writing.asks(`/${user}/dev`, ask('DELETE'))).status < 300)
    assert.equal((await reading.asks(`/${user}/dev/+simple/acme/`)).status, 404)
  }
})

test('a mirror is one mirror: pages, its list, another upstream and its end are seen by every worker', async () => {
  await using folder = await tempFolder()
  await using upstream = await startFakeUpstream()
  await using other = await startFakeUpstream()
  const add = (where: typeof upstream, version: string) => {
    const file = wheel({ name: 'acme', version })
    where.add('acme', file)
    return file.filename
  }
  const first = add(upstream, '1.0')
  const elsewhere = add(other, '9.0')
  await using all = await startWorkers(folder.path, 2)
  const clients = await all.clients()
  using one = clients[0]!
  using two = clients[1]!
  const login = await one.login()
  await makeIndex(two, login, 'up', { type: 'mirror', mirror_url: upstream.url, mirror_cache_expiry: '86400' })
  const page = '/root/up/+simple/acme/'
  for (const client of [one, two]) assert.deepEqual(await filesOf(client, page), [first])
  assert.equal(upstream.count('/simple/acme/'), 1)
  for (const [refreshing, reading, version] of [
    [one, two, '2.0'],
    [two, one, '3.0'],
  ] as const) {
    const added = add(upstream, version)
    const { status, text } = await refreshing.asks('/root/up/acme/refresh', { method: 'POST', headers: login })
    assert.ok(status < 400, text)
    assert.ok((await filesOf(reading, page)).includes(added))
  }
  assert.equal(upstream.count('/simple/acme/'), 3)

  // The second worker has no thread for the list: it asks the first and waits.
  const names = await two.asks('/root/up/+simple/', { headers: JSON_TYPE })
  assert.equal(names.status, 200, names.text)
  assert.deepEqual(
    (JSON.parse(names.text) as { projects: { name: string }[] }).projects.map(({ name }) => name),
    ['acme'],
  )
  assert.equal((await one.asks('/root/up/+simple/', { headers: JSON_TYPE })).status, 200)
  assert.equal(upstream.count('/simple/'), 1)

  const changed = { method: 'PATCH', headers: login, json: [`mirror_url=${other.url}`] }
  assert.equal((await two.asks('/root/up', changed)).status, 200)
  for (const client of [one, two, one]) assert.deepEqual(await filesOf(client, page), [elsewhere])
  const metrics = (await one.asks('/+metrics')).text
  assert.match(metrics, /^airlock_mirror_page_hits_total\{index="root\/up"\} \d+$/m)
  assert.ok((await one.asks('/root/up', { method: 'DELETE', headers: login })).status < 300)
  for (const client of [one, two]) assert.equal((await client.asks(page)).status, 404)
})

/** What is loaded into every thread of the server: those that are not the first do it when the file is there. */
async function onMark(folder: string, doing: string) {
  const mark = join(folder, 'mark')
  const program = `import { existsSync, rmSync } from 'node:fs'
    import { isMainThread } from 'node:worker_threads'
    if (!isMainThread) setInterval(() => {
      if (!existsSync(${JSON.stringify(mark)})) return
      rmSync(${JSON.stringify(mark)})
      ${doing}
    }, 20).unref()`
  const path = join(folder, 'on-mark.mjs')
  await writeFile(path, program)
  return { env: { NODE_OPTIONS: `--import ${pathToFileURL(path)}` }, make: () => writeFile(mark, '') }
}

test('a worker that dies is told of and comes back, and the others serve meanwhile', async () => {
  await using folder = await tempFolder()
  const { env, make } = await onMark(folder.path, "throw new Error('made to die')")
  await using all = await startWorkers(folder.path, 2, { env })
  const clients = await all.clients()
  using one = clients[0]!
  using _two = clients[1]!
  const login = await one.login()
  await makeIndex(one, login, 'dev', { type: 'stage', bases: [], volatile: false })
  await make()
  await until(() => all.server.output().includes('A worker died and is started anew'))
  assert.match(all.server.output(), /made to die/)
  assert.equal((await one.asks('/+status')).status, 200)
  await until(() => all.server.output().includes('A worker that died is back'))
  const again = await all.clients()
  using back = again[1]!
  const file = wheel({ name: 'acme', version: '1.0' })
  assert.equal((await back.uploads(file, 'acme', '1.0', 'root/dev', login)).status, 200)
  assert.deepEqual(await filesOf(one, '/root/dev/+simple/acme/'), [file.filename])
  again[0]![Symbol.dispose]()
  assert.equal((await all.server.stop()).code, 0)
})

test('figures are refused while a worker does not answer, and never told without it', async () => {
  await using folder = await tempFolder()
  const stand = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6000)'
  const { env, make } = await onMark(folder.path, stand)
  await using all = await startWorkers(folder.path, 2, { env })
  const clients = await all.clients()
  using one = clients[0]!
  clients[1]![Symbol.dispose]()
  const asked = () => one.asks('/+metrics')
  assert.equal((await asked()).status, 200)
  await make()
  let answer = await asked()
  for (const untilMs = performance.now() + 5000; answer.status === 200 && performance.now() < untilMs; ) {
    answer = await asked()
  }
  assert.equal(answer.status, 503)
  assert.match(answer.text, /Cannot ask worker 1 of this server: it has not answered within/)
  while (answer.status !== 200) answer = await asked()
  assert.match(answer.text, /^airlock_uploads_total 0$/m)
})

test('kills while both workers take uploads lose nothing that was acknowledged', async () => {
  await using folder = await tempFolder()
  await using home = await tempFolder()
  const acknowledged = new Set<string>()
  let count = 0
  for (let round = 0; round < 5; round++) {
    await using all = await startWorkers(folder.path, 2)
    const clients = await all.clients()
    const login = await clients[0]!.login()
    if (round === 0) await makeIndex(clients[0]!, login, 'dev', { type: 'stage', bases: [], volatile: false })
    for (const filename of await filesOf(clients[1]!, '/root/dev/+simple/acme/')) assert.ok(filename)
    let isOver = false
    const before = acknowledged.size
    const load = clients.flatMap((client) =>
      [1, 2].map(async () => {
        while (!isOver) {
          const version = `${round}.${count++}`
          const file = wheel({ name: 'acme', version })
          try {
            const { status, text } = await client.uploads(file, 'acme', version, 'root/dev', login)
            assert.equal(status, 200, text)
            acknowledged.add(file.filename)
          } catch (error) {
            if (error instanceof assert.AssertionError) throw error
            return
          }
        }
      }),
    )
    await until(() => acknowledged.size >= before + 20)
    await delay(50 * round)
    await all.server.kill()
    isOver = true
    await Promise.all(load)
    for (const client of clients) client[Symbol.dispose]()
    const checked = await runProgram(
      join(CHECKOUT, 'bin/airlock'),
      ['check', '--serverdir', join(folder.path, 'server')],
      {
        cwd: home.path,
        env: cleanEnv(home.path),
      },
    )
    assert.equal(checked.code, 0, checked.stdout + checked.stderr)
  }
  await using all = await startWorkers(folder.path, 2)
  for (const client of await all.clients()) {
    const listed = new Set(await filesOf(client, '/root/dev/+simple/acme/'))
    assert.deepEqual(
      [...acknowledged].filter((filename) => !listed.has(filename)),
      [],
    )
    client[Symbol.dispose]()
  }
})

test('several workers do not take a port that another program has, nor a Unix socket alone', async () => {
  await using folder = await tempFolder()
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as AddressInfo
  const args = ['serve', '--serverdir', join(folder.path, 'server'), '--no-root-pypi', '--workers', '2']
  try {
    const program = 'bin/airlock'
    await assert.rejects(startServer({ program, args: [...args, '--port', String(port)] }), /another program does/)
    await using home = await tempFolder()
    const alone = await runProgram(join(CHECKOUT, program), [...args, '--unix-socket', join(folder.path, 'socket')], {
      cwd: home.path,
      env: cleanEnv(home.path),
    })
    assert.equal(alone.code, 1)
    assert.match(alone.stderr, /Cannot use workers with a Unix socket alone/)
  } finally {
    taken.close()
  }
  await using first = await startWorkers(folder.path, 2)
  const beside = ['serve', '--serverdir', join(folder.path, 'other'), '--no-root-pypi', '--workers', '2']
  const second = startServer({ program: 'bin/airlock', args: [...beside, '--port', String(first.server.port)] })
  await assert.rejects(second, /another program does/)
})

async function until(isSo: () => boolean): Promise<void> {
  const untilMs = performance.now() + 30_000
  while (!isSo()) {
    assert.ok(performance.now() < untilMs, 'it has not come to that')
    await delay(20)
  }
}
