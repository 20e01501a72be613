/** The column of uv in docs/clients.md. */
import assert from 'node:assert/strict'
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { installed, keyringEnv } from './matrix-clients.ts'
import { type ColumnNotes, column } from './matrix-column.ts'
import { CUTOFF, type MatrixGround, matrixGround, READER, ROOT, YANK_REASON } from './matrix-ground.ts'
import { distFolder, publishAll } from './matrix-publishing.ts'

describe('uv', { timeout: 600_000 }, () => {
  let ground: MatrixGround
  let notes: ColumnNotes

  before(async () => {
    ground = await matrixGround()
    notes = column((await ground.clients.run('uv', ['--version'])).stdout.split(' ').slice(0, 2).join(' ').trim())
  })

  after(async () => {
    await ground?.[Symbol.asyncDispose]()
  })

  const install = async (index: string, args: readonly string[], env = {}) => {
    const folder = await ground.clients.folder()
    const common = ['pip', 'install', '--no-cache', '--target', folder, '--index', index]
    const got = await ground.clients.run('uv', [...common, ...args], { env })
    return { ...got, has: await installed(folder) }
  }
  const onlyIndex = async (index: string, args: readonly string[], env = {}) => {
    const [first, ...rest] = args
    return await install(index, ['--default-index', index, first!, ...rest], env)
  }

  test('uv installs and locks all it can', async () => {
    const { clients, files, simple } = ground
    const wanted = ['acme-app[more]', 'pub-future', 'pub-rc', 'pub-yanked', 'pub-source']
    const all = await onlyIndex(simple('prod'), wanted)
    assert.equal(all.code, 0, all.output)
    assert.deepEqual(all.has, {
      'acme-app': '1.0',
      'pub-base': '1.0',
      'pub-more': '1.0',
      'pub-future': '1.0',
      'pub-rc': '1.0',
      'pub-yanked': '1.0',
      'pub-source': '1.0',
    })
    assert.ok((await ground.requests()).some((path) => path.endsWith('pub_base-1.0-py3-none-any.whl.metadata')))
    notes.works('install', '`--index`, `--default-index`; metadata files are used')
    notes.works('extras', 'with what they require')
    notes.works('python', 'takes the newest that fits')
    notes.works('source', 'in isolation')

    const asked = await onlyIndex(simple('prod'), ['--prerelease', 'allow', 'pub-rc', 'pub-yanked==2.0'])
    assert.deepEqual(asked.has, { 'pub-rc': '2.0rc1', 'pub-yanked': '2.0' }, asked.output)
    assert.match(asked.output, new RegExp(`yanked \\(reason: "${YANK_REASON}"\\)`))
    notes.works('rc', 'with `--prerelease allow` only')
    notes.works('yanked', 'passed over; pinned: installed, with a warning that tells the reason')

    const lies = await clients.folder({ 'r.txt': `acme-app==1.0 --hash=sha256:${'0'.repeat(64)}\n` })
    const hashes = ['--no-deps', '--require-hashes', '--requirement']
    const wrong = await onlyIndex(simple('prod'), [...hashes, join(lies, 'r.txt')])
    assert.notEqual(wrong.code, 0)
    assert.match(wrong.output, /Hash mismatch for `acme-app==1\.0`/)
    await writeFile(join(lies, 'r.txt'), `acme-app==1.0 --hash=sha256:${files.app.sha256}\n`)
    const right = await onlyIndex(simple('prod'), [...hashes, join(lies, 'r.txt')])
    assert.deepEqual(right.has, { 'acme-app': '1.0' }, right.output)
    notes.works('hashes', '`--require-hashes`; other content is refused')

    const folder = await clients.folder({
      'pyproject.toml':
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["acme-app[more]"]\n' +
        `[[tool.uv.index]]\nurl = "${simple('prod')}"\ndefault = true\n`,
    })
    const locked = await clients.run('uv', ['lock', '--no-cache'], { cwd: folder })
    assert.equal(locked.code, 0, locked.output)
    const text = await readFile(join(folder, 'uv.lock'), 'utf8')
    assert.equal(text.match(/hash = "sha256:[0-9a-f]{64}", size = \d+, upload-time = "[^"]+Z" \}/g)?.length, 3, text)
    assert.ok(text.includes(files.app.sha256))
    const synced = await clients.run('uv', ['sync', '--locked', '--no-cache'], { cwd: folder })
    assert.equal(synced.code, 0, synced.output)
    assert.deepEqual(await installed(join(folder, '.venv')), {
      'acme-app': '1.0',
      'pub-base': '1.0',
      'pub-more': '1.0',
    })
    notes.works(
      'lock',
      '`uv lock` writes address, sha256, size and upload time of each file; `uv sync --locked` installs it',
    )

    const dated = await onlyIndex(simple('prod'), ['--exclude-newer', CUTOFF, 'pub-dated'])
    assert.deepEqual(dated.has, { 'pub-dated': '1.0' }, dated.output)
    const span = await onlyIndex(simple('prod'), ['--exclude-newer', '3 days', 'pub-dated'])
    assert.deepEqual(span.has, { 'pub-dated': '1.0' }, span.output)
    notes.works('dated', "`--exclude-newer` with a date and with a time span: upstream's own times decide")

    ground.relay.breakNext('.whl', 1024 * 1024)
    const broken = await onlyIndex(ground.relay.url + new URL(simple('prod')).pathname, ['pub-big'])
    assert.deepEqual(broken.has, { 'pub-big': '1.0' }, broken.output)
    const got = ground.relay.requests.filter((each) => each.line.startsWith('GET '))
    assert.deepEqual([got.length, got[1]?.range, got[1]?.status], [2, undefined, 200])
    notes.works('resume', 'fetches the file anew by itself')

    const second = await install(simple('prod'), ['--default-index', simple('other'), 'suspect'])
    assert.notEqual(second.code, 0)
    assert.match(second.output, /there are no versions of suspect/)
    notes.works('second', 'stops: the first index that knows the name is the only one asked')
  })

  test('uv reads with credentials from everywhere', async () => {
    const { clients, simple } = ground
    const url = await onlyIndex(simple('secret', READER), ['hush'])
    assert.deepEqual(url.has, { hush: '1.0' }, url.output)
    notes.works('url', 'the files are asked for with the same')
    const home = await clients.folder({ '.netrc': ground.netrc(READER) })
    await chmod(join(home, '.netrc'), 0o600)
    const netrc = await onlyIndex(simple('secret'), ['hush'], { HOME: home })
    assert.deepEqual(netrc.has, { hush: '1.0' }, netrc.output)
    notes.works('netrc', 'read for pages and files')
    const log = join(home, 'keyring.log')
    const named = simple('secret').replace('//', `//${READER.user}@`)
    const env = keyringEnv(ground.keyring(), log)
    const keyring = await onlyIndex(named, ['hush', '--keyring-provider', 'subprocess'], env)
    assert.deepEqual(keyring.has, { hush: '1.0' }, keyring.output)
    assert.ok((await readFile(log, 'utf8')).includes('/root/secret/'))
    notes.works('keyring', '`--keyring-provider subprocess`, with the user in the address')
    const refused = await onlyIndex(simple('secret', { ...READER, password: 'wrong' }), ['hush'])
    assert.notEqual(refused.code, 0)
    assert.match(refused.output, /lack of valid authentication credentials \(401 Unauthorized\)/)
    notes.works('wrong', 'says "401 Unauthorized"')
  })

  test('uv publishes all it can', async () => {
    const { clients, upload, simple } = ground
    const publish = async (url: string, folder: string, args: readonly string[], env = {}) => {
      const dist = (await readdir(join(folder, 'dist'))).map((each) => join('dist', each))
      return await clients.run('uv', ['publish', '--publish-url', url, ...args, ...dist], { cwd: folder, env })
    }
    const seen = await publishAll(ground, {
      name: 'by-uv',
      make: (name, summary) => distFolder(ground, name, summary),
      send: (url, folder, { user, password }, env) => {
        const names = user === undefined ? ['--trusted-publishing', 'never'] : ['-u', user]
        return publish(url, folder, password === undefined ? names : [...names, '-p', password], env)
      },
    })
    assert.equal(seen.url.code, 0, seen.url.output)
    assert.match(seen.escaped.output, /401/)
    notes.works('publish-url', 'the password as it stands there: `%` escapes are not decoded')
    assert.equal(seen.netrc.code, 0, seen.netrc.output)
    notes.works('publish-netrc', 'read')
    assert.equal(seen.first.code, 0, seen.first.output)
    notes.works('publish', '`uv publish --publish-url`, the index without `+simple/`')
    assert.equal(seen.again.code, 0, seen.again.output)
    notes.works('again', 'taken, nothing changes')
    assert.notEqual(seen.other.code, 0)
    assert.match(seen.other.output, /409 Conflict[\s\S]*already exists in non-volatile index/)
    notes.works('other', 'refused with 409 and a sentence')
    assert.ok(seen.isReplaced && seen.replace.code === 0, seen.replace.output)
    notes.works('replace', 'replaces')
    assert.notEqual(seen.wrong.code, 0)
    assert.match(seen.wrong.output, /401 Unauthorized[\s\S]*wrong user name or password/)
    notes.works('publish-wrong', 'refused with 401 and a sentence')

    const log = join(await clients.folder(), 'keyring.log')
    const folder = await distFolder(ground, 'by-uv-keyring', 'One')
    const env = keyringEnv(ground.keyring(ROOT), log)
    const keyring = await publish(upload('fixed'), folder, ['-u', ROOT.user, '--keyring-provider', 'subprocess'], env)
    assert.equal(keyring.code, 0, keyring.output)
    assert.equal((await readFile(log, 'utf8')).split('\n')[0], upload('fixed'))
    notes.works('publish-keyring', '`--keyring-provider subprocess`, asked for the upload address')

    const credentials = ['-u', ROOT.user, '-p', ROOT.password, '--check-url', simple('fixed')]
    const before = (await ground.requests()).length
    const skipped = await publish(upload('fixed'), folder, credentials)
    assert.equal(skipped.code, 0, skipped.output)
    assert.match(skipped.output, /already exists, skipping/)
    assert.ok(!(await ground.requests()).slice(before).includes('/root/fixed/'))
    const other = await publish(upload('fixed'), await distFolder(ground, 'by-uv-keyring', 'Two'), credentials)
    assert.notEqual(other.code, 0)
    notes.works(
      'present',
      '`--check-url` with the simple address: sends nothing that is there; other content is an error',
    )
  })

  test('docs/clients.md tells what was seen', () => notes.hold())
})
