/** The column of PDM in docs/clients.md. */
import assert from 'node:assert/strict'
import { chmod, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { installed, keyringEnv } from './matrix-clients.ts'
import { type ColumnNotes, column } from './matrix-column.ts'
import { CUTOFF, type MatrixGround, matrixGround, READER, ROOT } from './matrix-ground.ts'
import { distFolder, publishAll } from './matrix-publishing.ts'

describe('PDM', { timeout: 600_000 }, () => {
  let ground: MatrixGround
  let notes: ColumnNotes
  let venv: string

  before(async () => {
    ground = await matrixGround()
    notes = column(`pdm ${/\d[\d.]*/.exec((await ground.clients.run('pdm', ['--version'])).stdout)![0]}`)
    venv = await ground.clients.venv()
  })

  after(async () => {
    await ground?.[Symbol.asyncDispose]()
  })

  const project = async (indexes: readonly string[], wanted: readonly string[], own = venv) => {
    // The source that is called pypi stands in for the public index.
    const names = ['pypi', 'second']
    const sources = indexes.map((url, at) => `[[tool.pdm.source]]\nname = "${names[at]}"\nurl = "${url}"\n`)
    const folder = await ground.clients.folder({
      'pyproject.toml':
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.9"\n' +
        `dependencies = ${JSON.stringify(wanted)}\n[tool.pdm]\ndistribution = false\n${sources.join('')}`,
    })
    await symlink(own, join(folder, '.venv'))
    return folder
  }
  const run = async (folder: string, args: readonly string[], env = {}) => {
    const got = await ground.clients.run('pdm', args, { cwd: folder, env })
    const lock = await readFile(join(folder, 'pdm.lock'), 'utf8').catch(() => '')
    return { ...got, lock, has: versions(lock) }
  }

  test('PDM locks and installs all it can', async () => {
    const { clients, files, simple } = ground
    const all = ['acme-app[more]', 'pub-future', 'pub-rc', 'pub-yanked', 'pub-source', 'pub-dated']
    const folder = await project([simple('prod')], all)
    const locked = await run(folder, ['lock'])
    const expected = {
      'acme-app': '1.0',
      'pub-base': '1.0',
      'pub-dated': '2.0',
      'pub-future': '1.0',
      'pub-more': '1.0',
      'pub-rc': '1.0',
      'pub-source': '1.0',
      'pub-yanked': '1.0',
    }
    assert.deepEqual(locked.has, expected, locked.output)
    assert.ok(locked.lock.includes(`{file = "${files.app.filename}", hash = "sha256:${files.app.sha256}"}`))
    const wheels = (await ground.requests()).filter((path) => path.endsWith('.whl'))
    assert.deepEqual(wheels, [])
    const done = await run(folder, ['sync'])
    assert.equal(done.code, 0, done.output)
    assert.deepEqual(await installed(venv), expected)
    notes.works('install', 'as a source; metadata files are used, no wheel is downloaded to lock')
    notes.works('extras', 'with what they require')
    assert.match(locked.output, /Skipping pub-future@2\.0 because it requires Python>=99/)
    notes.works('python', 'takes the newest that fits, and says what it passed over')
    notes.works('source', 'in isolation')
    notes.works('lock', '`pdm lock` writes name and sha256 of each file')

    const liar = await project([simple('prod')], ['acme-app'], await clients.venv())
    await run(liar, ['lock'])
    const text = await readFile(join(liar, 'pdm.lock'), 'utf8')
    await writeFile(join(liar, 'pdm.lock'), text.replaceAll(files.app.sha256, '0'.repeat(64)))
    const lies = await run(liar, ['sync'])
    assert.notEqual(lies.code, 0)
    assert.match(lies.output, /No candidate is found for `acme-app` that matches the environment or hashes/)
    assert.equal((await installed(join(liar, '.venv')))['acme-app'], undefined)
    notes.works('hashes', 'always, from the lock; other content is refused')

    const asked = await run(await project([simple('prod')], ['pub-yanked==2.0', 'pub-rc>=2.0rc1']), ['lock'])
    assert.doesNotMatch(asked.output, /yanked/)
    assert.deepEqual(asked.has, { 'pub-rc': '2.0rc1', 'pub-yanked': '2.0' }, asked.output)
    notes.works('rc', 'where the requirement names one')
    notes.works('yanked', 'passed over; pinned: locked, without a warning')

    for (const limit of [CUTOFF, '3d']) {
      const dated = await run(await project([simple('prod')], ['pub-dated']), ['lock', '--exclude-newer', limit])
      assert.deepEqual(dated.has, { 'pub-dated': '1.0' }, dated.output)
    }
    notes.works('dated', "`--exclude-newer` with a date and with a time span: upstream's own times decide")

    const second = await run(await project([simple('prod'), simple('other')], ['suspect']), ['lock'])
    assert.deepEqual(second.has, { suspect: '9.0' }, second.output)
    notes.differs('second', 'takes the project from the second source. Configure one source only: then it is refused')

    ground.relay.breakNext('.whl', 1024 * 1024)
    const relayed = await project([ground.relay.url + new URL(simple('prod')).pathname], ['pub-big'])
    await run(relayed, ['lock'])
    const broken = await run(relayed, ['sync'])
    assert.match(broken.output, /Install pub-big 1\.0 failed[\s\S]*Install pub-big 1\.0 successful/)
    const asks = ground.relay.requests.map(({ range, status }) => ({ range, status }))
    assert.deepEqual(asks, [
      { range: undefined, status: 200 },
      { range: undefined, status: 200 },
    ])
    notes.works('resume', 'fetches the file anew by itself')
  })

  test('PDM reads with credentials from everywhere', async () => {
    const { clients, simple } = ground
    const has = { hush: '1.0' }
    const url = await run(await project([simple('secret', READER)], ['hush']), ['lock'])
    assert.deepEqual(url.has, has, url.output)
    assert.ok(!url.lock.includes(READER.user))
    notes.works('url', 'they stay out of the lock')
    const folder = await project([simple('secret')], ['hush'])
    const lock = async (env: Readonly<Record<string, string>>) => {
      await rm(join(folder, 'pdm.lock'), { force: true })
      return await run(folder, ['lock'], env)
    }
    const home = await clients.folder({ '.netrc': ground.netrc(READER) })
    await chmod(join(home, '.netrc'), 0o600)
    const netrc = await lock({ HOME: home })
    assert.deepEqual(netrc.has, has, netrc.output)
    notes.works('netrc', 'read for pages and files')
    const log = join(home, 'keyring.log')
    const keyring = await lock(keyringEnv(ground.keyring(), log))
    assert.deepEqual(keyring.has, has, keyring.output)
    assert.equal((await readFile(log, 'utf8')).split('\n')[0], simple('secret'))
    notes.works('keyring', 'asked for the address of the index')
    const wrong = await project([simple('secret', { ...READER, password: 'wrong' })], ['hush'])
    const refused = await run(wrong, ['lock'])
    assert.notEqual(refused.code, 0)
    assert.match(refused.output, /Unable to find candidates for hush/)
    notes.differs('wrong', 'locks nothing, and says "Unable to find candidates" only')
  })

  test('PDM publishes all it can', async () => {
    const { clients, upload } = ground
    const publish = async (url: string, folder: string, args: readonly string[], env = {}) => {
      await symlink(venv, join(folder, '.venv')).catch(() => {})
      const place = ['publish', '--no-build', '--repository', url]
      return await clients.run('pdm', [...place, ...args], { cwd: folder, env })
    }
    const as = (password: string) => ['--username', ROOT.user, '--password', password]
    const seen = await publishAll(ground, {
      name: 'by-pdm',
      make: (name, summary) => distFolder(ground, name, summary),
      send: (url, folder, { password }, env) => publish(url, folder, password === undefined ? [] : as(password), env),
    })
    assert.equal(seen.url.code, 0, seen.url.output)
    assert.match(seen.escaped.output, /401/)
    notes.works('publish-url', 'the password as it stands there: `%` escapes are not decoded')
    assert.match(seen.netrc.output, /Username and password are required/)
    notes.differs('publish-netrc', 'not read: says "Username and password are required"')
    assert.equal(seen.first.code, 0, seen.first.output)
    notes.works('publish', '`pdm publish --repository`, the index without `+simple/`')
    assert.equal(seen.again.code, 0, seen.again.output)
    notes.works('again', 'taken, nothing changes')
    assert.notEqual(seen.other.code, 0)
    assert.match(seen.other.output, /409 Conflict/)
    notes.works('other', 'refused with 409; the sentence is not shown')
    assert.ok(seen.isReplaced && seen.replace.code === 0, seen.replace.output)
    notes.works('replace', 'replaces')
    assert.notEqual(seen.wrong.code, 0)
    assert.match(seen.wrong.output, /401 Unauthorized/)
    notes.works('publish-wrong', 'refused with 401; the sentence is not shown')
    const folder = await distFolder(ground, 'by-pdm', 'Two')
    const skipped = await publish(upload('fixed'), folder, [...as(ROOT.password), '--skip-existing'])
    assert.equal(skipped.code, 0, skipped.output)
    assert.match(skipped.output, /Skipping .* because it appears to already exist/)
    notes.works('present', '`--skip-existing`, other content too')

    const log = join(await clients.folder(), 'keyring.log')
    const own = await distFolder(ground, 'by-pdm-keyring', 'One')
    const keyring = await publish(
      upload('fixed'),
      own,
      ['--username', ROOT.user],
      keyringEnv(ground.keyring(ROOT), log),
    )
    assert.equal(keyring.code, 0, keyring.output)
    assert.ok((await readFile(log, 'utf8')).split('\n').includes(upload('fixed')))
    notes.works('publish-keyring', 'asked for the upload address')
  })

  test('docs/clients.md tells what was seen', () => notes.hold())
})

function versions(lock: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...lock.matchAll(/^name = "(.+)"\nversion = "(.+)"$/gm)].map(([, name, version]) => [name, version]),
  )
}
