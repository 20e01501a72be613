/** The column of Poetry in docs/clients.md. */
import assert from 'node:assert/strict'
import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { installed, keyringEnv } from './matrix-clients.ts'
import { type ColumnNotes, column } from './matrix-column.ts'
import { type MatrixGround, matrixGround, READER, ROOT } from './matrix-ground.ts'
import { distFolder, publishAll } from './matrix-publishing.ts'

describe('Poetry', { timeout: 600_000 }, () => {
  let ground: MatrixGround
  let notes: ColumnNotes
  let venv: string

  before(async () => {
    ground = await matrixGround()
    notes = column(`poetry ${/\d[\d.]*/.exec((await ground.clients.run('poetry', ['--version'])).stdout)![0]}`)
    venv = await ground.clients.venv()
  })

  after(async () => {
    await ground?.[Symbol.asyncDispose]()
  })

  const project = (indexes: readonly string[], wanted: readonly string[], more = '') => {
    const sources = indexes.map((url, at) => `[[tool.poetry.source]]\nname = "index${at}"\nurl = "${url}"\n`)
    return ground.clients.folder({
      'pyproject.toml':
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.9"\n' +
        `dependencies = ${JSON.stringify(wanted)}\n[tool.poetry]\npackage-mode = false\n${more}${sources.join('')}`,
    })
  }
  const run = async (folder: string, args: readonly string[], env = {}) => {
    const got = await ground.clients.run('poetry', [...args, '--no-cache'], {
      cwd: folder,
      env: { VIRTUAL_ENV: venv, ...env },
    })
    const lock = await readFile(join(folder, 'poetry.lock'), 'utf8').catch(() => '')
    return { ...got, lock, has: versions(lock) }
  }

  test('Poetry locks and installs all it can', async () => {
    const { files, simple } = ground
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
    const done = await run(folder, ['install'])
    assert.equal(done.code, 0, done.output)
    assert.deepEqual(await installed(venv), expected)
    notes.works('install', 'as a source; metadata files are used, no wheel is downloaded to lock')
    notes.works('extras', 'with what they require')
    notes.works('python', 'takes the newest that fits')
    notes.works('source', 'in isolation')
    notes.works('lock', '`poetry lock` writes name and sha256 of each file')

    // What the lock says is what must come.
    await writeFile(join(folder, 'poetry.lock'), locked.lock.replaceAll(files.app.sha256, '0'.repeat(64)))
    const fresh = await ground.clients.venv()
    const lies = await run(folder, ['install'], { VIRTUAL_ENV: fresh })
    assert.notEqual(lies.code, 0)
    assert.match(lies.output, /acme-app \(1\.0\) did not match any known checksums in your lock file/)
    notes.works('hashes', 'always, from the lock; other content is refused')

    const asked = await run(await project([simple('prod')], ['pub-yanked (==2.0)', 'pub-rc (>=2.0rc1)']), ['lock'])
    assert.deepEqual(asked.has, { 'pub-rc': '2.0rc1', 'pub-yanked': '2.0' }, asked.output)
    assert.match(
      asked.output,
      /The locked version 2\.0 for pub-yanked is a yanked version\. Reason for being yanked: eats data/,
    )
    notes.works('rc', 'where the requirement names one')
    notes.works('yanked', 'passed over; pinned: locked, with a warning that tells the reason')

    const dated = await run(await project([simple('prod')], ['pub-dated']), ['lock'], {
      POETRY_SOLVER_MIN_RELEASE_AGE: '3',
    })
    assert.deepEqual(dated.has, { 'pub-dated': notes.isAtLeast('2.4') ? '1.0' : '2.0' }, dated.output)
    notes.works('dated', "`solver.min-release-age` in days: upstream's own times decide")

    const two = await project([simple('prod'), simple('other')], ['suspect'])
    const second = await run(two, ['lock'])
    assert.deepEqual(second.has, { suspect: '9.0' }, second.output)
    notes.differs(
      'second',
      'takes the project from the second source. Configure one source, or name the source of each package',
    )

    ground.relay.breakNext('.whl', 1024 * 1024)
    const relayed = await project([ground.relay.url + new URL(simple('prod')).pathname], ['pub-big'])
    await run(relayed, ['lock'])
    const given = await run(relayed, ['install'])
    assert.notEqual(given.code, 0)
    assert.match(given.output, /IncompleteRead/)
    ground.relay.breakNext('.whl', 1024 * 1024)
    const broken = await run(relayed, ['install'], { POETRY_REQUESTS_MAX_RETRIES: '2' })
    assert.equal(broken.code, 0, broken.output)
    const [first, next] = ground.relay.requests
    assert.deepEqual([first?.range, first?.status, next?.status], [undefined, 200, 206])
    assert.match(next!.range!, /^bytes=1\d+-$/)
    notes.works(
      'resume',
      'with `requests.max-retries`: asks for the rest (`Range`, 206); without: an error, run it again',
    )
  })

  test('Poetry reads with credentials from everywhere', async () => {
    const { clients, simple } = ground
    const has = { hush: '1.0' }
    const url = await run(await project([simple('secret', READER)], ['hush']), ['lock'])
    assert.deepEqual(url.has, has, url.output)
    assert.ok(url.lock.includes(`${READER.user}:`))
    notes.works('url', 'and they are written into the lock: `POETRY_HTTP_BASIC_…` keeps them out')
    const folder = await project([simple('secret')], ['hush'])
    const lock = async (env: Readonly<Record<string, string>>) => {
      await rm(join(folder, 'poetry.lock'), { force: true })
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
    assert.match(await readFile(log, 'utf8'), /^poetry-repository-index0$/m)
    notes.works('keyring', 'asked for `poetry-repository-NAME`, then for the address')
    const basic = { POETRY_HTTP_BASIC_INDEX0_USERNAME: READER.user, POETRY_HTTP_BASIC_INDEX0_PASSWORD: READER.password }
    const kept = await lock(basic)
    assert.deepEqual(kept.has, has, kept.output)
    assert.ok(!kept.lock.includes(READER.user))
    const wrong = { POETRY_HTTP_BASIC_INDEX0_USERNAME: READER.user, POETRY_HTTP_BASIC_INDEX0_PASSWORD: 'wrong' }
    const refused = await lock(wrong)
    assert.notEqual(refused.code, 0)
    assert.match(refused.output, /Source \(index0\): Authorization error accessing/)
    notes.works('wrong', 'says "Authorization error"')
  })

  test('Poetry publishes all it can', async () => {
    const { clients, upload } = ground
    const publish = (url: string, folder: string, args: readonly string[], env = {}) =>
      clients.run('poetry', ['publish', '--repository', 'airlock', ...args], {
        cwd: folder,
        env: { VIRTUAL_ENV: venv, POETRY_REPOSITORIES_AIRLOCK_URL: url, ...env },
      })
    const as = (password: string) => ['--username', ROOT.user, '--password', password]
    const seen = await publishAll(ground, {
      name: 'by-poetry',
      make: (name, summary) => distFolder(ground, name, summary),
      send: (url, folder, { password }, env) => publish(url, folder, password === undefined ? [] : as(password), env),
    })
    for (const outcome of [seen.url, seen.escaped, seen.netrc]) assert.equal(outcome.code, 0, outcome.output)
    notes.works('publish-url', '`%` escapes are decoded')
    notes.works('publish-netrc', 'read')
    assert.equal(seen.first.code, 0, seen.first.output)
    notes.works('publish', '`poetry publish --repository`, configured without `+simple/`')
    assert.equal(seen.again.code, 0, seen.again.output)
    notes.works('again', 'taken, nothing changes')
    assert.notEqual(seen.other.code, 0)
    assert.match(seen.other.output, /HTTP Error 409[\s\S]*already exists in non-volatile index/)
    notes.works('other', 'refused with 409 and a sentence')
    assert.ok(seen.isReplaced && seen.replace.code === 0, seen.replace.output)
    notes.works('replace', 'replaces')
    assert.notEqual(seen.wrong.code, 0)
    assert.match(seen.wrong.output, /HTTP Error 401[\s\S]*wrong user name or password/)
    notes.works('publish-wrong', 'refused with 401 and a sentence')
    const folder = await distFolder(ground, 'by-poetry', 'Two')
    const skipped = await publish(upload('fixed'), folder, [...as(ROOT.password), '--skip-existing'])
    assert.equal(skipped.code, 0, skipped.output)
    assert.match(skipped.output, /File exists\. Skipping/)
    notes.works('present', '`--skip-existing`, other content too')

    const log = join(await clients.folder(), 'keyring.log')
    const own = await distFolder(ground, 'by-poetry-keyring', 'One')
    const keyring = await publish(upload('fixed'), own, [], keyringEnv(ground.keyring(ROOT), log))
    assert.equal(keyring.code, 0, keyring.output)
    assert.match(await readFile(log, 'utf8'), /^poetry-repository-airlock$/m)
    notes.works('publish-keyring', 'asked for `poetry-repository-NAME`, then for the upload address')
  })

  test('docs/clients.md tells what was seen', () => notes.hold())
})

function versions(lock: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...lock.matchAll(/^name = "(.+)"\nversion = "(.+)"$/gm)].map(([, name, version]) => [name, version]),
  )
}
