/** Bad input, told to a server in a process of its own: what is wrong is named in status line and body, and nothing stays behind. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { type BuiltFile, cutShort, metadataWithoutName, notAZip, wheel } from '../builders/wheels.ts'
import { cleanEnv } from '../programs/clean-env.ts'
import { type Outcome, runProgram } from '../programs/run-program.ts'
import { CHECKOUT, startServer } from '../programs/server-process.ts'
import { freePort } from '../world/free-port.ts'
import { programFetch } from '../world/program-fetch.ts'
import { type TempFolder, tempFolder } from '../world/temp-folder.ts'
import { type ServedFolder, serveFolder } from './served-folder.ts'

interface Told {
  readonly status: number
  readonly reason: string
  readonly text: string
}

const GOOD = wheel({ name: 'acme', version: '1.0' })
const OTHER = wheel({ name: 'acme', version: '1.0', summary: 'Other content' })
const NO_MIRROR = { AIRLOCK_NO_ROOT_PYPI: 'true' }

/** What is sent in place of a good upload of acme 1.0 to root/prod. */
interface Bad {
  readonly what: string
  readonly index?: string
  readonly password?: string
  readonly fields?: Readonly<Record<string, string>>
  readonly file?: { readonly filename: string; readonly bytes: Uint8Array }
  readonly status: number
  readonly says: RegExp
}

const BAD_UPLOADS: readonly Bad[] = [
  { what: 'a wrong password', password: 'wrong', status: 401, says: /root\/prod: wrong user name or password/ },
  { what: 'a mirror as target', index: 'root/far', status: 404, says: /cannot submit to mirror index/ },
  { what: 'an unknown index', index: 'root/nope', status: 404, says: /The stage root\/nope could not be found\./ },
  {
    what: "another project's filename",
    fields: { name: 'tools' },
    status: 400,
    says: /filename 'acme-1\.0-py3-none-any\.whl' does not match project name 'tools'/,
  },
  {
    what: "another version's filename",
    fields: { version: '2.0' },
    status: 400,
    says: /filename 'acme-1\.0-py3-none-any\.whl' does not contain version '2\.0'/,
  },
  {
    what: 'a wheel cut short',
    file: { filename: GOOD.filename, bytes: cutShort(GOOD.bytes) },
    status: 400,
    says: /acme-1\.0-py3-none-any\.whl.*(zip|cut|central directory)/i,
  },
  {
    what: 'a wheel that is no zip',
    file: { filename: GOOD.filename, bytes: notAZip() },
    status: 400,
    says: /acme-1\.0-py3-none-any\.whl.*zip/i,
  },
  {
    what: 'metadata without a name',
    file: wheel({ name: 'acme', version: '1.0', metadata: metadataWithoutName() }),
    status: 400,
    says: /invalid metadata.*name/i,
  },
  {
    what: 'no metadata at all',
    file: wheel({ name: 'acme', version: '1.0', metadata: null }),
    status: 400,
    says: /METADATA/,
  },
  {
    what: 'a declared sha256 that differs',
    fields: { sha256_digest: 'a'.repeat(64) },
    status: 400,
    says: new RegExp(`sha256 of the file is ${GOOD.sha256}, the form declares a{64}`),
  },
  {
    what: 'a declared md5 that differs',
    fields: { md5_digest: 'b'.repeat(32) },
    status: 400,
    says: /md5 of the file is [0-9a-f]{32}, the form declares b{32}/,
  },
  {
    what: 'a filename of no archive',
    file: { filename: 'acme-1.0.exe.txt', bytes: GOOD.bytes },
    status: 400,
    says: /'acme-1\.0\.exe\.txt' is not a valid archive name/,
  },
  {
    what: 'an empty file',
    file: { filename: GOOD.filename, bytes: new Uint8Array() },
    status: 400,
    says: /file 'acme-1\.0-py3-none-any\.whl' is empty/,
  },
]

const BAD_INDEXES: readonly { readonly body: unknown; readonly says: RegExp }[] = [
  { body: { bases: 'root/nope' }, says: /base index 'root\/nope' does not exist/ },
  { body: { bases: 'zz' }, says: /invalid base index spec: 'zz'/ },
  { body: { volatile: 'maybe' }, says: /Unknown boolean value 'maybe'\./ },
  { body: { type: 'foo' }, says: /unknown index type 'foo'/ },
  { body: { foo: 'bar' }, says: /indexconfig got unexpected keyword arguments: foo=/ },
]

describe('bad input', { timeout: 600_000 }, () => {
  let served: ServedFolder

  before(async () => {
    served = await serveFolder(NO_MIRROR)
    await make(served, 'root/prod', {})
    await make(served, 'root/fixed', { volatile: false })
    await make(served, 'root/far', { type: 'mirror', mirror_url: 'http://127.0.0.1:1/simple/' })
  })

  after(() => served?.[Symbol.asyncDispose]())

  for (const bad of BAD_UPLOADS) {
    test(`an upload with ${bad.what} is refused with ${bad.status}`, async () => {
      const before = await stateOf(served)
      const { file = GOOD, index = 'root/prod', fields, password } = bad
      const told = await upload(served, index, file, fields, password)
      assert.equal(told.status, bad.status, told.text)
      assert.match(told.text, bad.says)
      assert.match(told.reason, bad.says)
      assert.deepEqual(await stateOf(served), before)
    })
  }

  for (const { body, says } of BAD_INDEXES) {
    test(`an index made with ${JSON.stringify(body)} is refused`, async () => {
      const before = await stateOf(served)
      for (const [method, path, sent] of [
        ['PUT', 'root/new', body],
        ['PATCH', 'root/prod', Object.entries(body as object).map(([key, value]) => `${key}=${value}`)],
      ] as const) {
        // A stage stays a stage; that is another sentence.
        if (method === 'PATCH' && 'type' in (body as object)) continue
        const told = await ask(served, method, path, { json: sent })
        assert.equal(told.status, 400, told.text)
        assert.match((JSON.parse(told.text) as { message: string }).message, says)
      }
      assert.deepEqual(await stateOf(served), before)
    })
  }

  test('a login with a wrong password is refused with 401', async () => {
    const told = await ask(served, 'POST', '+login', { json: { user: 'root', password: 'wrong' } })
    assert.deepEqual(
      { status: told.status, said: JSON.parse(told.text) },
      { status: 401, said: { message: "user 'root' could not be authenticated" } },
    )
  })

  test('a second upload is 200 with the same content and 409 with other, where files are kept', async () => {
    assert.equal((await upload(served, 'root/fixed', GOOD)).status, 200)
    const before = await stateOf(served)
    const same = await upload(served, 'root/fixed', GOOD)
    const note = 'Upload of identical file to non volatile index.'
    assert.deepEqual(same, { status: 200, reason: note, text: note })
    const other = await upload(served, 'root/fixed', OTHER)
    assert.equal(other.status, 409)
    for (const text of [other.reason, other.text])
      assert.match(text, /^acme-1\.0-py3-none-any\.whl already exists in non-volatile index/)
    assert.match(other.text, /hint: raise the version/)
    assert.deepEqual(await stateOf(served), before)
  })

  test('the server folder is clean after all that, and a good upload is taken', async () => {
    assert.equal((await upload(served, 'root/prod', GOOD)).status, 200)
    const checked = await served.maintain('check')
    assert.deepEqual(
      { code: checked.code, stdout: checked.stdout.replace(/\d+ bytes/, 'N bytes') },
      {
        code: 0,
        stdout: 'clean: 2 files, 2 blobs, N bytes\n',
      },
    )
  })
})

test('a body over the limit is refused with 413, and the setting is named', { timeout: 120_000 }, async () => {
  await using served = await serveFolder({ ...NO_MIRROR, AIRLOCK_MAX_REQUEST_BODY_SIZE: '20000' })
  await make(served, 'root/prod', {})
  const before = await stateOf(served)
  const big = wheel({ name: 'acme', version: '1.0', files: { 'acme/big.bin': noise(3_000_000) } })
  const told = await upload(served, 'root/prod', big)
  assert.equal(told.status, 413, told.text)
  assert.match(told.reason, /more than 20000 bytes/)
  assert.match(told.text, /more than 20000 bytes\nhint: .*max_request_body_size/)
  assert.deepEqual(await stateOf(served), before)
  assert.equal((await upload(served, 'root/prod', GOOD)).status, 200)
})

if (maySmallDisk()) {
  test('a full disk is told as such, changes nothing, and is no trouble once there is space', {
    timeout: 120_000,
  }, async () => {
    await using disk = await smallDisk()
    await using served = await serveFolder(NO_MIRROR, join(disk.path, 'server'))
    await make(served, 'root/prod', {})
    assert.equal((await upload(served, 'root/prod', GOOD)).status, 200)
    const before = await stateOf(served)
    const big = wheel({ name: 'acme', version: '2.0', files: { 'acme/big.bin': noise(DISK_BYTES) } })
    const told = await upload(served, 'root/prod', big)
    assert.equal(told.status, 507, told.text)
    for (const text of [told.reason, told.text]) assert.match(text, /the disk of the server folder is full/)
    assert.match(told.text, /hint: free some space and upload again/)
    assert.deepEqual(await stateOf(served), before)
    // Filled to the last byte: not even the catalog can be written.
    const filler = join(disk.path, 'filler')
    await writeFile(filler, noise(DISK_BYTES)).catch(() => {})
    const small = wheel({ name: 'acme', version: '3.0' })
    const full = await upload(served, 'root/prod', small)
    assert.equal(full.status, 507, full.text)
    assert.match(full.text, /the disk of the server folder is full/)
    assert.deepEqual(await served.drafts(), [])
    assert.deepEqual(await versions(served), ['1.0'])
    await writeFile(filler, '')
    assert.equal((await upload(served, 'root/prod', small)).status, 200)
    assert.deepEqual((await versions(served)).sort(), ['1.0', '3.0'])
    const checked = await served.maintain('check')
    assert.equal(checked.code, 0, checked.output)
    assert.match(checked.stdout, /^clean: 2 files, 4 blobs, \d+ bytes$/m)
  })
}

describe('a server that must not start', { timeout: 120_000 }, () => {
  let home: TempFolder
  let folder: string

  before(async () => {
    home = await tempFolder()
    folder = join(home.path, 'server')
    const made = await run('compat/bin/devpi-init', '--serverdir', folder)
    assert.equal(made.code, 0, made.output)
  })

  after(() => home?.remove())

  test('says that the folder has a newer format', async () => {
    const path = join(folder, 'airlock.json')
    const identity = await readFile(path, 'utf8')
    await writeFile(path, identity.replace(/"format": \d+/, '"format": 99'))
    const before = await readdir(folder)
    await refusesToStart(/Cannot open server folder ".*server": its format is 99, this program knows formats up to \d+/)
    assert.deepEqual(await readdir(folder), before)
    await writeFile(path, identity)
  })

  test('says that the catalog has a newer format', async () => {
    const version = setVersion(99)
    await refusesToStart(/Cannot open .*catalog.*99/)
    setVersion(version)
  })

  test('says that the port is in use', async () => {
    const port = await freePort()
    await using _first = await startServer({
      program: 'compat/bin/devpi-server',
      args: ['--serverdir', folder, '--port', String(port)],
    })
    const other = join(home.path, 'other')
    assert.equal((await run('compat/bin/devpi-init', '--serverdir', other)).code, 0)
    const got = await run(
      'compat/bin/devpi-server',
      '--serverdir',
      other,
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
    )
    assert.equal(got.code, 1)
    assert.match(got.stderr, new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}: another program does`))
    assert.match(got.stderr, /hint: .*--port/)
  })

  test('says that another process has the folder', async () => {
    await using first = await startServer({ program: 'compat/bin/devpi-server', args: ['--serverdir', folder] })
    await refusesToStart(/Cannot use server folder ".*server": another process serves it/)
    assert.equal((await fetch(`${first.url}/+api`)).status, 200)
  })

  test('starts once all that is over', async () => {
    await using server = await startServer({ program: 'compat/bin/devpi-server', args: ['--serverdir', folder] })
    assert.equal((await fetch(`${server.url}/+api`)).status, 200)
  })

  async function refusesToStart(says: RegExp): Promise<void> {
    const port = String(await freePort())
    for (const program of ['compat/bin/devpi-server', 'bin/airlock serve']) {
      const [path, ...words] = program.split(' ')
      const got = await run(path!, ...words, '--serverdir', folder, '--host', '127.0.0.1', '--port', port)
      assert.equal(got.code, 1, got.output)
      assert.match(got.stderr, says)
      assert.match(got.stderr, /hint: /)
      assert.doesNotMatch(got.output, /serving at url|\n {4}at /)
    }
  }

  function run(program: string, ...args: string[]): Promise<Outcome> {
    const env = cleanEnv(home.path, NO_MIRROR)
    return runProgram(join(CHECKOUT, program), args, { cwd: home.path, env, timeoutMs: 30_000 })
  }

  function setVersion(version: number): number {
    const database = new DatabaseSync(join(folder, 'catalog.db'))
    try {
      const { user_version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
      database.exec(`PRAGMA user_version = ${version}`)
      return user_version
    } finally {
      database.close()
    }
  }
})

async function ask(
  { url }: ServedFolder,
  method: string,
  path: string,
  body: { readonly json?: unknown; readonly form?: ReturnType<typeof multipart>; readonly password?: string } = {},
): Promise<Told> {
  const { json, form, password = '' } = body
  const answer = await programFetch(`${url}/${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`root:${password}`).toString('base64')}`,
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(form !== undefined && { 'content-type': form.contentType }),
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...(form !== undefined && { body: new Uint8Array(form.body) }),
  })
  return { status: answer.status, reason: answer.statusText, text: await answer.text() }
}

async function make(served: ServedFolder, index: string, options: unknown): Promise<void> {
  const told = await ask(served, 'PUT', index, { json: options })
  assert.equal(told.status, 200, told.text)
}

function upload(
  served: ServedFolder,
  index: string,
  { filename, bytes }: Pick<BuiltFile, 'filename'> & { readonly bytes: Uint8Array },
  fields: Readonly<Record<string, string>> = {},
  password = '',
): Promise<Told> {
  const version = /-(\d[\w.]*?)(-py3|\.tar|\.exe)/.exec(filename)?.[1] ?? '1.0'
  const texts = { ':action': 'file_upload', name: 'acme', version, ...fields }
  const form = multipart([...fieldParts(texts), { name: 'content', filename, content: bytes }])
  return ask(served, 'POST', `${index}/`, { form, password })
}

/** All that an upload could change: the journal's serial, the blobs, unfinished bytes, and what is listed. */
async function stateOf(served: ServedFolder): Promise<unknown> {
  const listing = await fetch(`${served.url}/`, { headers: { accept: 'application/json' } })
  return {
    serial: listing.headers.get('x-devpi-serial'),
    users: await listing.json(),
    drafts: await served.drafts(),
    blobs: (await readdir(join(served.path, 'blobs'), { recursive: true })).filter((name) => name.length > 64).sort(),
    versions: await versions(served),
  }
}

async function versions(served: ServedFolder): Promise<string[]> {
  const told = await ask(served, 'GET', 'root/prod/acme')
  return told.status === 404 ? [] : Object.keys((JSON.parse(told.text) as { result: object }).result)
}

/** Bytes that do not become smaller when they are packed. */
function noise(count: number): Uint8Array {
  let state = 1
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 24
  })
}

/** Enough for a server folder with its catalog, and little more. */
const DISK_BYTES = 6_000_000

interface SmallDisk extends AsyncDisposable {
  readonly path: string
}

async function smallDisk(): Promise<SmallDisk> {
  const place = await tempFolder()
  const path = join(place.path, 'disk')
  await mkdir(path)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', path])
  return {
    path,
    async [Symbol.asyncDispose]() {
      execFileSync('umount', ['--lazy', path])
      await place.remove()
    },
  }
}

/** Root of a Linux machine may mount a file system in memory; root of most containers may not. */
function maySmallDisk(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/tmp'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
