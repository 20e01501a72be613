import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openStores } from '../../src/compose/stores.ts'
import { loadConfig } from '../../src/config/load.ts'
import { check } from '../../src/jobs/upkeep.ts'
import { wheel } from '../builders/wheels.ts'
import { cleanEnv } from '../programs/clean-env.ts'
import { own } from '../programs/owned-processes.ts'
import { runProgram } from '../programs/run-program.ts'
import { CHECKOUT, type ServerProcess, startServer } from '../programs/server-process.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { programFetch } from '../world/program-fetch.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { ask } from './in-process-server.ts'
import { sendUpload } from './upload-request.ts'

const ROUNDS = 100
const UPLOADERS = 3
const DOWNLOADERS = 2
/** From serving to the kill. */
const LIFE_MOST_MS = 400
/** From the start of a process to its kill, where a start itself is hit. */
const START_MOST_MS = 700
const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'

/** Where the load goes; between a kill and the next start it waits. */
class Gate {
  #open = Promise.withResolvers<string | undefined>()

  open(url: string): void {
    this.#open.resolve(url)
  }
  shut(): void {
    this.#open = Promise.withResolvers()
  }
  /** Lets everybody through for the last time: there is no server any more. */
  end(): void {
    this.#open.resolve(undefined)
  }
  async pass(): Promise<string | undefined> {
    return await this.#open.promise
  }
}

test(`${ROUNDS} kills during uploads and mirror downloads lose nothing that was acknowledged`, async (t) => {
  const seed = Number(process.env.AIRLOCK_TEST_SEED ?? Date.now() % 2 ** 32)
  t.diagnostic(`seed ${seed} (AIRLOCK_TEST_SEED repeats it)`)
  const random = randomOf(seed)
  const noise = Buffer.from(Array.from({ length: 4_000_000 }, () => Math.floor(random() * 256)))
  await using folder = await tempFolder()
  await using home = await tempFolder()
  await using upstream = await startFakeUpstream()
  const serverDir = join(folder.path, 'server')
  const env = cleanEnv(home.path)
  const options = {
    program: 'bin/airlock',
    args: ['serve', '--serverdir', serverDir, '--no-root-pypi', '--log-level', 'error'],
    startMs: 60_000,
  } as const

  let server = await startServer(options)
  const login = await logIn(server)
  await makeIndexes(server, login, upstream)
  const gate = new Gate()
  const acknowledged = new Map<string, string>()
  const sent = new Map<string, string>()
  const fromUpstream = new Map<string, string>()
  const unexpected: string[] = []
  let downloads = 0
  const load = [
    ...Array.from({ length: UPLOADERS }, (_, which) => upload(which)),
    ...Array.from({ length: DOWNLOADERS }, (_, which) => download(which)),
  ]
  let slowestStartMs = 0
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      gate.open(server.url)
      const lifeMs = random() * LIFE_MOST_MS
      // On a machine so busy that lives pass without a result, there would be nothing to lose.
      await until(() => acknowledged.size >= round && downloads >= round / 2)
      await delay(lifeMs)
      gate.shut()
      await server.kill()
      await server[Symbol.asyncDispose]()
      const where = `after kill ${round} of seed ${seed}`
      // Half of the checks see what the crash left, the others what the start made of it.
      const isClean = round % 10 < 2 ? isCleanByCommand : isCleanInside
      if (round % 2 === 0) await isClean(where)
      if (round % 4 === 0) await killWhileStarting(random() * START_MOST_MS)
      const unfinished = new Set(await readdir(join(serverDir, 'drafts')))
      const started = performance.now()
      server = await startServer(options)
      slowestStartMs = Math.max(slowestStartMs, performance.now() - started)
      // Jobs that the kill interrupted are at work again, with drafts of their own.
      const drafts = await readdir(join(serverDir, 'drafts'))
      assert.deepEqual(
        drafts.filter((name) => unfinished.has(name)),
        [],
        `drafts ${where}`,
      )
      if (round % 2 === 1) await isClean(where)
      nothingIsLost(where)
      assert.deepEqual(unexpected, [], where)
    }
    // Everything once more as a client gets it.
    for (const index of ['root/dev', 'root/up']) await everyHeldFileIsRight(server, index)
  } finally {
    gate.end()
    await Promise.all(load)
    await server[Symbol.asyncDispose]()
  }
  await isCleanByCommand('at the end')
  assert.ok(acknowledged.size >= ROUNDS, `only ${acknowledged.size} uploads were acknowledged`)
  assert.ok(downloads >= ROUNDS / 2, `only ${downloads} downloads ended`)
  t.diagnostic(
    `${acknowledged.size} of ${sent.size} uploads acknowledged, ${downloads} mirror downloads of ${fromUpstream.size} begun, slowest start ${Math.round(slowestStartMs)} ms`,
  )

  async function upload(which: number): Promise<void> {
    for (let count = 0; ; count++) {
      const url = await gate.pass()
      if (url === undefined) return
      const name = `load-${which}-${count % 20}`
      // Every eighth has some MB, so that kills meet bodies under way and not only their ends.
      const sizeBytes = count % 8 === 7 ? 1_000_000 + Math.floor(random() * 2_000_000) : Math.floor(random() * 20_000)
      const from = Math.floor(random() * (noise.length - sizeBytes))
      const built = wheel({
        name,
        version: `1.${count}`,
        files: { 'noise.bin': noise.subarray(from, from + sizeBytes) },
      })
      sent.set(built.filename, built.sha256)
      try {
        const { filename, bytes, sha256 } = built
        const content = pieces(bytes)
        const target = { url: `${url}/root/dev/`, headers: login, name, version: `1.${count}` }
        const answer = await sendUpload({ ...target, filename, sha256, sizeBytes: bytes.length, content })
        if (answer.status === 200) acknowledged.set(filename, sha256)
        else unexpected.push(`upload of ${filename}: ${answer.status} ${answer.text}`)
      } catch {
        // The kill: nobody was told that the upload is there. It may be.
        await delay(5)
      }
    }
  }

  async function download(which: number): Promise<void> {
    for (let count = 0; ; count++) {
      const url = await gate.pass()
      if (url === undefined) return
      const name = `mirrored-${which}-${count}`
      const sizeBytes = count % 5 === 4 ? 2_000_000 : Math.floor(random() * 200_000)
      const built = wheel({ name, version: '1.0', files: { 'noise.bin': noise.subarray(count, count + sizeBytes) } })
      const { sha256 } = upstream.add(name, built)
      fromUpstream.set(built.filename, sha256)
      const page = `${url}/root/up/+simple/${name}/`
      const listed = await ask(page, { accept: JSON_TYPE })
      if (listed.status === 0 || !listed.isComplete) {
        await delay(5)
        continue
      }
      const [file] = listed.status === 200 ? filesOf(listed.bytes) : []
      if (file === undefined) {
        unexpected.push(`page of ${name}: ${listed.status} ${listed.bytes.toString().slice(0, 300)}`)
        continue
      }
      const got = await ask(new URL(file.url, page).href)
      if (got.status === 0 || !got.isComplete) continue
      if (got.status !== 200 || got.sha256 !== sha256) unexpected.push(`file ${built.filename}: ${got.status}`)
      else downloads++
    }
  }

  async function killWhileStarting(ms: number): Promise<void> {
    const args = [...options.args, '--port', '0']
    const child = spawn(join(CHECKOUT, options.program), args, { env, stdio: 'ignore' })
    const disown = own(() => child.kill('SIGKILL'))
    const closed = new Promise((resolve) => child.once('close', resolve))
    await delay(ms)
    child.kill('SIGKILL')
    await closed
    disown()
  }

  async function isCleanByCommand(where: string): Promise<void> {
    const checked = await runProgram(join(CHECKOUT, 'bin/airlock'), ['check', '--serverdir', serverDir], {
      cwd: folder.path,
      env,
    })
    assert.equal(checked.code, 0, `airlock check ${where}: ${checked.output}`)
    assert.match(checked.stdout, /^clean: /, where)
  }

  /** The same without a process for it. */
  async function isCleanInside(where: string): Promise<void> {
    const config = loadConfig({ flags: { serverdir: serverDir }, env: {}, cwd: folder.path })
    await using stores = (await openStores(config, { initialise: false, alone: false }))!
    const { faults } = await check(stores.catalog, stores.blobs, { hashes: true })
    assert.deepEqual(faults, [], where)
  }

  /** Rows against what was acknowledged and what upstream has; that the bytes are those of the row is the check's matter. */
  function nothingIsLost(where: string): void {
    const database = new DatabaseSync(join(serverDir, 'catalog.db'), { readOnly: true })
    try {
      const rows = database.prepare('SELECT files.filename, files.digest, files.origin FROM files').all() as {
        filename: string
        digest: string
        origin: string | null
      }[]
      const found = new Map(rows.map((row) => [row.filename, row.digest]))
      for (const [filename, sha256] of acknowledged) assert.equal(found.get(filename), sha256, `${filename} ${where}`)
      for (const { filename, digest, origin } of rows) {
        const right = origin === null ? sent.get(filename) : fromUpstream.get(filename)
        assert.equal(digest, right, `${filename} ${where}`)
      }
    } finally {
      database.close()
    }
  }

  async function everyHeldFileIsRight(from: ServerProcess, index: string): Promise<void> {
    const database = new DatabaseSync(join(serverDir, 'catalog.db'), { readOnly: true })
    const rows = database
      .prepare(
        `SELECT files.filename, files.digest FROM files JOIN indexes ON indexes.id = files.index_id
         WHERE indexes.name = ?`,
      )
      .all(index) as { filename: string; digest: string }[]
    database.close()
    assert.ok(rows.length > 0)
    for (const { filename, digest } of rows) {
      const got = await ask(`${from.url}/${index}/+f/${digest.slice(0, 3)}/${digest.slice(3, 16)}/${filename}`)
      assert.equal(got.status, 200, filename)
      assert.equal(got.sha256, digest, filename)
    }
  }
})

/** Looks again and again, for a minute at most. */
async function until(isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 6000 && !isSo(); attempt++) await delay(10)
}

/** A token: it outlives the restarts, and costs the server no hash of a password after each. */
async function logIn(server: ServerProcess): Promise<Record<string, string>> {
  const response = await programFetch(`${server.url}/+login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'root', password: '' }),
  })
  const { result } = (await response.json()) as { result: { password: string } }
  return { 'x-devpi-auth': Buffer.from(`root:${result.password}`).toString('base64') }
}

async function makeIndexes(
  server: ServerProcess,
  login: Record<string, string>,
  upstream: FakeUpstream,
): Promise<void> {
  for (const [name, body] of [
    ['dev', { type: 'stage', bases: [], volatile: true }],
    ['up', { type: 'mirror', mirror_url: upstream.url, mirror_no_project_list: true }],
  ] as const) {
    const response = await programFetch(`${server.url}/root/${name}`, {
      method: 'PUT',
      headers: { ...login, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.equal(response.status, 200, await response.text())
  }
}

function filesOf(page: Buffer): readonly { readonly filename: string; readonly url: string }[] {
  return (JSON.parse(page.toString()) as { files: { filename: string; url: string }[] }).files
}

function* pieces(bytes: Buffer): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

/** Numbers from 0 to 1 that `seed` alone decides (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
