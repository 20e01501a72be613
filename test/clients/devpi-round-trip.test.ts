/** A real devpi-server's data → devpi-export → our devpi-import → our devpi-export → a real devpi-import: nothing is lost. */
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { type BuiltFile, sdist, wheel } from '../builders/wheels.ts'
import { zip } from '../builders/zip.ts'
import { cleanEnv } from '../programs/clean-env.ts'
import { runDevpi } from '../programs/devpi-programs.ts'
import { startDevpiServer } from '../programs/devpi-server-process.ts'
import { runProgram } from '../programs/run-program.ts'
import { CHECKOUT, startServer } from '../programs/server-process.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { programFetch } from '../world/program-fetch.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { canLogIn, type Portrait, portrait } from './server-portrait.ts'

const MIRRORED = 'root/public/magnet'
const PASSWORDS = { root: 'root password', alice: 'päßword of alice', bob: '' } as const

test('everything of a real devpi-server goes in, comes out again, and is the same', { timeout: 900_000 }, async () => {
  await using upstream = await startFakeUpstream()
  await using home = await tempFolder()
  const place = (name: string) => join(home.path, name)
  const magnet = wheel({ name: 'magnet', version: '1.0', requiresPython: '>=3.6' })
  upstream.add('magnet', { ...magnet, requiresPython: '>=3.6', yanked: 'too strong' })

  const before = await filledByTheRealOne(home.path, upstream, magnet)
  assert.deepEqual(Object.keys(before.indexes), ['alice/dev', 'alice/prod', 'bob/docs', 'root/public'])
  assert.equal(Object.keys(before.files).length, 12)
  assert.deepEqual(wordsOf(before, 'rel'), ['doczip', 'releasefile', 'toxresult'])
  assert.deepEqual(wordsOf(before, 'what'), ['overwrite', 'push', 'upload'])
  await addUserWithoutPassword(join(place('dump'), 'dataindex.json'), before)

  const taken = await ours(home.path, 'devpi-import', '--no-root-pypi', '--serverdir', place('airlock'), place('dump'))
  assert.equal(taken.code, 0, taken.output)
  assert.match(taken.stdout, /0 left out, 0 changed, 0 errors/)
  const clean = await ours(home.path, 'devpi-fsck', '--serverdir', place('airlock'))
  assert.equal(clean.code, 0, clean.output)
  const here = await drawnFrom(place('airlock'), upstream)
  assert.deepEqual(here, before)

  const given = await ours(
    home.path,
    ...['devpi-export', '--include-mirrored-files', '--serverdir', place('airlock'), place('back')],
  )
  assert.equal(given.code, 0, given.output)
  const args = ['--serverdir', place('devpi'), '--no-root-pypi', '--no-events', place('back')]
  const imported = await runDevpi('devpi-import', args, { home: home.path, timeoutMs: 300_000 })
  assert.equal(imported.code, 0, imported.output)
  await using server = await startDevpiServer({ folder: place('devpi') })
  const after = await drawn(server.url, upstream)
  assert.deepEqual(after, before)
})

/** Users, stages with bases, archives, documentation, test results, an overwrite, a push, and a mirror with one file. */
async function filledByTheRealOne(home: string, upstream: FakeUpstream, magnet: BuiltFile): Promise<Portrait> {
  const folder = join(home, 'original')
  const init = ['--serverdir', folder, '--no-root-pypi', '--root-passwd', PASSWORDS.root]
  const made = await runDevpi('devpi-init', init, { home })
  assert.equal(made.code, 0, made.output)
  let drawing: Portrait
  {
    await using server = await startDevpiServer({ folder })
    const devpi = async (...args: string[]) => {
      const { code, output } = await runDevpi('devpi', args, { home })
      assert.equal(code, 0, `devpi ${args.join(' ')}: ${output}`)
    }
    const file = async ({ filename, bytes }: Pick<BuiltFile, 'filename' | 'bytes'>, folder = 'files') => {
      await mkdir(join(home, folder), { recursive: true })
      await writeFile(join(home, folder, filename), bytes)
      return join(home, folder, filename)
    }
    const first = wheel({ name: 'Paper.Clip', version: '1.0', requiresPython: '>=3.8', summary: 'holds sheets' })
    const again = wheel({ name: 'Paper.Clip', version: '1.0', requiresPython: '>=3.8', files: { 'more.py': '' } })
    const source = sdist({ name: 'Paper.Clip', version: '1.0', description: 'Ein Büroartikel 📎' })
    const docs = zip([{ name: 'index.html', content: '<p>Paper clips</p>' }])

    await devpi('use', server.url)
    await devpi('login', 'root', '--password', PASSWORDS.root)
    await devpi('index', '-c', 'root/public', 'type=mirror', `mirror_url=${upstream.url}`, 'title=Public')
    await devpi('user', '-c', 'alice', `password=${PASSWORDS.alice}`, 'email=alice@example.org', 'title=Älice')
    await devpi('user', '-c', 'bob', 'password=x')
    await devpi('user', '-m', 'bob', 'password=')
    await devpi('login', 'bob', '--password', PASSWORDS.bob)
    await devpi('index', '-c', 'docs', 'acl_upload=alice,bob', 'acl_toxresult_upload=bob')
    await devpi('login', 'alice', '--password', PASSWORDS.alice)
    await devpi('index', '-c', 'dev', 'bases=root/public', 'mirror_whitelist=magnet,glue')
    await devpi('index', '-c', 'prod', 'bases=alice/dev,bob/docs', 'volatile=False', 'description=for all')
    await devpi('use', 'alice/dev')
    await devpi('upload', await file(first))
    await devpi('upload', await file(again, 'second'))
    await devpi('upload', await file(source))
    await devpi('upload', await file(wheel({ name: 'Paper.Clip', version: '2.0' })))
    await devpi('upload', await file({ filename: 'paper_clip-1.0.doc.zip', bytes: docs }))
    const address = `${server.url}/alice/dev/+f/${again.sha256.slice(0, 3)}/${again.sha256.slice(3, 16)}/${again.filename}`
    for (const outcome of ['passed', 'failed']) await postResult(address, { outcome })
    await devpi('push', 'paper-clip==1.0', 'alice/prod')
    const fetched = await programFetch(
      `${server.url}/root/public/+f/${magnet.sha256.slice(0, 3)}/${magnet.sha256.slice(3, 16)}/${magnet.filename}`,
    ).then(async (answer) => (answer.status === 404 ? undefined : await answer.arrayBuffer()))
    // Its page first: before that, devpi does not know the address.
    if (fetched === undefined) await fetchThroughPage(`${server.url}/root/public/+simple/magnet/`)
    drawing = await drawn(server.url, upstream)
  }
  const dump = ['--serverdir', folder, '--include-mirrored-files', join(home, 'dump')]
  const exported = await runDevpi('devpi-export', dump, { home, timeoutMs: 300_000 })
  assert.equal(exported.code, 0, exported.output)
  assert.ok((await readFile(join(home, 'dump', 'dataindex.json'))).length > 0)
  return drawing
}

/** As a server has one whom something else lets in. Added to what is expected as well. */
async function addUserWithoutPassword(path: string, { users }: Portrait): Promise<void> {
  const carl = { username: 'carl', created: '2020-01-02T03:04:05Z' }
  const index = JSON.parse(await readFile(path, 'utf8')) as { users: Record<string, unknown> }
  index.users.carl = carl
  await writeFile(path, JSON.stringify(index))
  users.carl = { ...carl, indexes: {} }
}

/** Every value that `key` has somewhere in the data of releases. */
function wordsOf({ projects }: Portrait, key: string): string[] {
  const found = JSON.stringify(projects).matchAll(new RegExp(`"${key}":"([^"]+)"`, 'g'))
  return [...new Set([...found].map((match) => match[1]!))].sort()
}

async function postResult(address: string, result: object): Promise<void> {
  const answer = await programFetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(result),
  })
  assert.equal(answer.status, 200, await answer.text())
}

async function fetchThroughPage(page: string): Promise<void> {
  const text = await (await fetch(page)).text()
  const href = /href="([^"#]+magnet-1\.0[^"#]*)/.exec(text)?.[1]
  assert.ok(href !== undefined, text)
  assert.equal((await fetch(new URL(href, page))).status, 200)
}

/** What is imported of a mirror must be there without its upstream. */
async function drawn(url: string, upstream: FakeUpstream): Promise<Portrait> {
  for (const [user, password] of Object.entries(PASSWORDS)) {
    assert.ok(await canLogIn(url, user, password), `${user} cannot log in at ${url}`)
    assert.ok(!(await canLogIn(url, user, 'wrong')), `${user} can log in at ${url} with any password`)
  }
  assert.ok(!(await canLogIn(url, 'carl', '')), `carl can log in at ${url} without a password`)
  await upstream.pause()
  try {
    return await portrait(url, [MIRRORED])
  } finally {
    await upstream.resume()
  }
}

async function drawnFrom(folder: string, upstream: FakeUpstream): Promise<Portrait> {
  await using server = await startServer({ program: 'compat/bin/devpi-server', args: ['--serverdir', folder] })
  return await drawn(server.url, upstream)
}

async function ours(home: string, program: string, ...args: readonly string[]) {
  return await runProgram(join(CHECKOUT, 'compat', 'bin', program), args, { cwd: home, env: cleanEnv(home) })
}
