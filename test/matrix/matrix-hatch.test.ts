/** The column of Hatch in docs/clients.md. */
import assert from 'node:assert/strict'
import { chmod, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { keyringEnv } from './matrix-clients.ts'
import { type ColumnNotes, column } from './matrix-column.ts'
import { CUTOFF, type MatrixGround, matrixGround, READER, ROOT } from './matrix-ground.ts'
import { distFolder, publishAll } from './matrix-publishing.ts'

describe('Hatch', { timeout: 600_000 }, () => {
  let ground: MatrixGround
  let notes: ColumnNotes

  before(async () => {
    ground = await matrixGround()
    notes = column(`hatch ${/\d[\d.]*/.exec((await ground.clients.run('hatch', ['--version'])).stdout)![0]}`)
  })

  after(async () => {
    await ground?.[Symbol.asyncDispose]()
  })

  /** Builds the environment that a project asks for; what is in it then. */
  const environment = async (wanted: readonly string[], env: Readonly<Record<string, string>>, installer = 'uv') => {
    const path = join(await ground.clients.folder(), 'env')
    const folder = await ground.clients.folder({
      'pyproject.toml':
        '[build-system]\nrequires = ["pub-backend"]\nbuild-backend = "pub_backend"\n[project]\nname = "by-hatch-build"\nversion = "1.0"\n' +
        `[tool.hatch.envs.default]\nskip-install = true\ninstaller = "${installer}"\npath = ${JSON.stringify(path)}\n` +
        `dependencies = ${JSON.stringify(wanted)}\n`,
    })
    const made = await ground.clients.run('hatch', ['env', 'create'], { cwd: folder, env })
    const lib = await readdir(join(path, 'lib')).catch((): string[] => [])
    const entries = lib.length === 0 ? [] : await readdir(join(path, 'lib', lib[0]!, 'site-packages'))
    const has = entries
      .flatMap((each) => /^(.+)\.dist-info$/.exec(each)?.[1] ?? [])
      .filter((each) => !/^(pip|setuptools)-/.test(each))
    return { ...made, folder, has: has.sort() }
  }
  const at = (url: string) => ({ UV_DEFAULT_INDEX: url, PIP_INDEX_URL: url })

  test('Hatch makes environments and builds from the index', async () => {
    const { clients, simple } = ground
    const all = ['acme-app[more]', 'pub-future', 'pub-rc', 'pub-yanked', 'pub-source']
    const expected = ['acme_app-1.0', 'pub_base-1.0', 'pub_future-1.0', 'pub_more-1.0', 'pub_rc-1.0', 'pub_source-1.0']
    for (const installer of ['uv', 'pip']) {
      const made = await environment(all, at(simple('prod')), installer)
      assert.deepEqual(made.has, [...expected, 'pub_yanked-1.0'], made.output)
    }
    notes.works('install', 'into environments, by uv with `UV_DEFAULT_INDEX` or by pip with `PIP_INDEX_URL`')
    for (const ability of ['extras', 'python', 'rc', 'yanked', 'source'] as const) notes.works(ability, 'as uv and pip')
    const dated = await environment(['pub-dated'], { ...at(simple('prod')), UV_EXCLUDE_NEWER: CUTOFF })
    assert.deepEqual(dated.has, ['pub_dated-1.0'], dated.output)
    notes.works('dated', '`UV_EXCLUDE_NEWER`')

    const url = await environment(['hush'], at(simple('secret', READER)))
    assert.deepEqual(url.has, ['hush-1.0'], url.output)
    notes.works('url', 'as uv and pip')
    const home = await clients.folder({ '.netrc': ground.netrc(READER) })
    await chmod(join(home, '.netrc'), 0o600)
    const netrc = await environment(['hush'], { ...at(simple('secret')), HOME: home })
    assert.deepEqual(netrc.has, ['hush-1.0'], netrc.output)
    notes.works('netrc', 'as uv and pip')
    const named = simple('secret').replace('//', `//${READER.user}@`)
    const asks = { UV_KEYRING_PROVIDER: 'subprocess', ...keyringEnv(ground.keyring(), join(home, 'keyring.log')) }
    const keyring = await environment(['hush'], { ...at(named), ...asks })
    assert.deepEqual(keyring.has, ['hush-1.0'], keyring.output)
    notes.works('keyring', 'as uv: `UV_KEYRING_PROVIDER=subprocess`')
    const refused = await environment(['hush'], at(simple('secret', { ...READER, password: 'wrong' })))
    assert.notEqual(refused.code, 0)
    assert.deepEqual(refused.has, [])
    assert.match(refused.output, /401 Unauthorized/)
    notes.works('wrong', 'as uv: says "401 Unauthorized"')
    notes.lacks(['hashes', 'resume', 'second'], 'what its uv or pip does')

    if (!notes.isAtLeast('1.18')) {
      // It would build with what the public index has, and there is no lock.
      notes.lacks(['lock'], 'no such command')
      return
    }
    await showLock()
    const project = await environment([], at(simple('prod')))
    const built = await clients.run('hatch', ['build'], { cwd: project.folder, env: at(simple('prod')) })
    assert.equal(built.code, 0, built.output)
    const sent = await publish(ground.upload('fixed'), project.folder, ROOT)
    assert.equal(sent.code, 0, sent.output)
    assert.equal(Object.keys(await ground.listed('fixed', 'by-hatch-build')).length, 2)
  })

  async function showLock(): Promise<void> {
    const { clients, files, simple } = ground
    const locker = await environment(['acme-app[more]'], at(simple('prod')))
    const lock = ['lock', '--export', 'pylock.toml']
    const locked = await clients.run('hatch', lock, { cwd: locker.folder, env: at(simple('prod')) })
    assert.equal(locked.code, 0, locked.output)
    const text = await readFile(join(locker.folder, 'pylock.toml'), 'utf8')
    assert.ok(text.includes(files.app.sha256))
    assert.equal(text.match(/upload-time = \S+Z, size = \d+/g)?.length, 3, text)
    notes.works('lock', '`hatch lock` writes address, sha256, size and upload time of each file')
  }

  test('Hatch publishes all it can', async () => {
    const seen = await publishAll(ground, {
      name: 'by-hatch',
      make: (name, summary) => distFolder(ground, name, summary),
      send: publish,
    })
    assert.equal(seen.first.code, 0, seen.first.output)
    notes.works(
      'publish',
      '`hatch publish --repo`, the index without `+simple/`; what it built with a backend from the index',
    )
    const passed = /by_hatch-1\.0-py3-none-any\.whl \.\.\. already exists/
    for (const outcome of [seen.again, seen.other, seen.replace]) {
      assert.equal(outcome.code, 0, outcome.output)
      assert.match(outcome.output, passed)
    }
    assert.equal(seen.isReplaced, false)
    const before = (await ground.requests()).length
    await publish(ground.upload('fixed'), await distFolder(ground, 'by-hatch', 'One'), ROOT)
    assert.deepEqual([...new Set((await ground.requests()).slice(before))], ['/root/fixed/+simple/by-hatch/'])
    for (const outcome of [seen.url, seen.netrc]) assert.match(outcome.output, /Missing required option: user/)
    notes.differs('publish-url', 'not read: it wants `--user` or `HATCH_INDEX_USER`')
    notes.differs('publish-netrc', 'not read: it wants `--user` or `HATCH_INDEX_USER`')
    notes.works('again', 'says "already exists" and sends nothing: it looks into `+simple/` below the upload address')
    notes.differs('other', 'says "already exists" and sends nothing, without an error')
    notes.differs('replace', 'says "already exists" and sends nothing. Remove the release first')
    notes.works('present', 'always')
    assert.notEqual(seen.wrong.code, 0)
    assert.match(seen.wrong.output, /401/)
    notes.works('publish-wrong', 'refused with 401')

    const log = join(await ground.clients.folder(), 'keyring.log')
    const folder = await distFolder(ground, 'by-hatch-keyring', 'One')
    const keyring = await publish(
      ground.upload('fixed'),
      folder,
      { user: ROOT.user },
      keyringEnv(ground.keyring(ROOT), log),
    )
    assert.equal(keyring.code, 0, keyring.output)
    assert.equal((await readFile(log, 'utf8')).split('\n')[0], ground.upload('fixed'))
    notes.works('publish-keyring', 'asked for the upload address')
  })

  test('docs/clients.md tells what was seen', () => notes.hold())

  async function publish(url: string, folder: string, as: { user?: string; password?: string }, env = {}) {
    const who = as.user === undefined ? [] : ['--user', as.user]
    const auth = as.password === undefined ? [] : ['--auth', as.password]
    return await ground.clients.run('hatch', ['publish', '--no-prompt', '--repo', url, ...who, ...auth], {
      cwd: folder,
      env,
    })
  }
})
