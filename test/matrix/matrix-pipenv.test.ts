/** The column of Pipenv in docs/clients.md. */
import assert from 'node:assert/strict'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { installed, keyringEnv } from './matrix-clients.ts'
import { type ColumnNotes, column } from './matrix-column.ts'
import { CUTOFF, type MatrixGround, matrixGround, READER } from './matrix-ground.ts'

interface PipfileLock {
  readonly default: Readonly<Record<string, { readonly version: string; readonly hashes: readonly string[] }>>
}

describe('Pipenv', { timeout: 600_000 }, () => {
  let ground: MatrixGround
  let notes: ColumnNotes
  let venv: string

  before(async () => {
    ground = await matrixGround()
    notes = column(`pipenv ${/\d[\d.]*/.exec((await ground.clients.run('pipenv', ['--version'])).stdout)![0]}`)
    venv = await ground.clients.venv()
  })

  after(async () => {
    await ground?.[Symbol.asyncDispose]()
  })

  const project = (indexes: readonly string[], wanted: Readonly<Record<string, string>>) => {
    const sources = indexes.map((url, at) => `[[source]]\nname = "index${at}"\nurl = "${url}"\nverify_ssl = true\n`)
    const lines = Object.entries(wanted).map(([name, wants]) => `${name} = ${wants}\n`)
    return ground.clients.folder({ Pipfile: `${sources.join('')}[packages]\n${lines.join('')}` })
  }
  const run = async (folder: string, args: readonly string[], env = {}) => {
    const all = { VIRTUAL_ENV: venv, ...env }
    const got = await ground.clients.run('pipenv', args, { cwd: folder, env: all })
    const text = await readFile(join(folder, 'Pipfile.lock'), 'utf8').catch(() => '{"default":{}}')
    const { default: locked } = JSON.parse(text) as PipfileLock
    const has = Object.fromEntries(Object.entries(locked).map(([name, { version }]) => [name, version]))
    return { ...got, text, locked, has }
  }
  const ANY = '"*"'

  test('Pipenv locks and installs all it can', async () => {
    const { files, simple, clients } = ground
    const some = { 'pub-future': ANY, 'pub-rc': ANY, 'pub-yanked': ANY, 'pub-source': ANY }
    const folder = await project([simple('prod')], { 'acme-app': '{version = "*", extras = ["more"]}', ...some })
    const locked = await run(folder, ['lock'])
    const expected = {
      'acme-app': '==1.0',
      'pub-base': '==1.0',
      'pub-future': '==1.0',
      'pub-more': '==1.0',
      'pub-rc': '==1.0',
      'pub-source': '==1.0',
      'pub-yanked': '==1.0',
    }
    assert.deepEqual(locked.has, expected, locked.output)
    assert.deepEqual(locked.locked['acme-app']?.hashes, [`sha256:${files.app.sha256}`])
    const done = await run(folder, ['sync'])
    assert.equal(done.code, 0, done.output)
    assert.deepEqual(Object.keys(await installed(venv)).sort(), Object.keys(expected))
    notes.works('install', 'as a source; metadata files are used')
    notes.works('extras', 'with what they require')
    notes.works('python', 'takes the newest that fits')
    notes.works('source', 'in isolation')
    notes.works('lock', '`pipenv lock` writes the sha256 of each file')

    await writeFile(join(folder, 'Pipfile.lock'), locked.text.replaceAll(files.app.sha256, '0'.repeat(64)))
    const fresh = await clients.venv()
    const lies = await run(folder, ['sync'], { VIRTUAL_ENV: fresh })
    assert.notEqual(lies.code, 0)
    assert.match(lies.output, /DO NOT MATCH THE HASHES/)
    notes.works('hashes', 'always, from the lock; other content is refused')

    const asked = await run(await project([simple('prod')], { 'pub-rc': '">=2.0rc1"', 'pub-yanked': '"==2.0"' }), [
      'lock',
    ])
    assert.equal(asked.output.includes('yanked'), !notes.isAtLeast('2026'), asked.output)
    assert.deepEqual(asked.has, { 'pub-rc': '==2.0rc1', 'pub-yanked': '==2.0' }, asked.output)
    notes.works('rc', 'where the requirement names one')
    notes.works('yanked', 'passed over; pinned: locked, without a warning')

    const dated = await run(await project([simple('prod')], { 'pub-dated': ANY }), ['lock'], {
      PIP_UPLOADED_PRIOR_TO: CUTOFF,
    })
    assert.deepEqual(dated.has, { 'pub-dated': notes.isAtLeast('2026') ? '==1.0' : '==2.0' }, dated.output)
    notes.works('dated', "`PIP_UPLOADED_PRIOR_TO`: upstream's own times decide")

    const second = await run(await project([simple('prod'), simple('other')], { suspect: ANY }), ['lock'])
    assert.notEqual(second.code, 0)
    assert.match(second.output, /No matching distribution found for suspect/)
    notes.works('second', 'stops: only the first source is asked, unless a package names another')

    const relayed = await project([ground.relay.url + new URL(simple('prod')).pathname], { 'pub-big': ANY })
    await run(relayed, ['lock'])
    ground.relay.breakNext('.whl', 1024 * 1024)
    const resumes = notes.isAtLeast('2026') ? {} : { PIP_RESUME_RETRIES: '5' }
    const broken = await run(relayed, ['sync'], resumes)
    assert.equal(broken.code, 0, broken.output)
    const [first, next] = ground.relay.requests
    assert.deepEqual([first?.range, first?.status, next?.status], [undefined, 200, 206])
    assert.match(next!.range!, /^bytes=1\d+-$/)
    notes.works('resume', 'asks for the rest (`Range`, 206)')
  })

  test('Pipenv reads with credentials from everywhere', async () => {
    const { clients, simple } = ground
    const has = { hush: '==1.0' }
    const url = await run(await project([simple('secret', READER)], { hush: ANY }), ['lock'])
    assert.deepEqual(url.has, has, url.output)
    assert.ok(url.text.includes(READER.user))
    const from = simple('secret', READER).replace(/\/\/.*@/, '//$${READ_AS}:$${READ_WITH}@')
    // An older one puts variables into the address as they are.
    const password = notes.isAtLeast('2026') ? READER.password : encodeURIComponent(READER.password)
    const by = { READ_AS: READER.user, READ_WITH: password }
    const variable = await run(await project([from], { hush: ANY }), ['lock'], by)
    assert.deepEqual(variable.has, has, variable.output)
    assert.ok(!variable.text.includes(READER.user))
    notes.works('url', 'as it stands in the Pipfile, and so in the lock: use variables there')
    const home = await clients.folder({ '.netrc': ground.netrc(READER) })
    await chmod(join(home, '.netrc'), 0o600)
    const netrc = await run(await project([simple('secret')], { hush: ANY }), ['lock'], { HOME: home })
    assert.deepEqual(netrc.has, has, netrc.output)
    notes.works('netrc', 'read for pages and files')
    const log = join(home, 'keyring.log')
    const env = { PIP_KEYRING_PROVIDER: 'import', ...keyringEnv(ground.keyring(), log) }
    const keyring = await run(await project([simple('secret')], { hush: ANY }), ['lock'], env)
    if (notes.isAtLeast('2026')) {
      assert.deepEqual(keyring.has, has, keyring.output)
      assert.equal((await readFile(log, 'utf8')).split('\n')[0], simple('secret'))
    }
    notes.works('keyring', '`PIP_KEYRING_PROVIDER=import`, asked for the address of the index')
    const refused = await run(await project([simple('secret', { ...READER, password: 'wrong' })], { hush: ANY }), [
      'lock',
    ])
    assert.notEqual(refused.code, 0)
    assert.match(refused.output, /No matching distribution found for hush/)
    notes.differs('wrong', 'locks nothing, and says "No matching distribution found" only')
    const publishing = ['publish', 'again', 'other', 'replace', 'present'] as const
    notes.lacks(
      [...publishing, 'publish-url', 'publish-netrc', 'publish-keyring', 'publish-wrong'],
      'it does not publish',
    )
  })

  test('docs/clients.md tells what was seen', () => notes.hold())
})
