/** The columns of twine, Flit, build and setuptools in docs/clients.md: what makes distributions, and what sends them. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { keyringEnv } from './matrix-clients.ts'
import { type Ability, column } from './matrix-column.ts'
import { type MatrixGround, matrixGround, ROOT } from './matrix-ground.ts'
import { distFolder, publishAll, type Send } from './matrix-publishing.ts'

const READING: readonly Ability[] = [
  ...([
    'install',
    'extras',
    'python',
    'rc',
    'yanked',
    'source',
    'hashes',
    'lock',
    'url',
    'netrc',
    'keyring',
    'wrong',
  ] as const),
  ...(['dated', 'resume', 'second'] as const),
]
const PUBLISHING: readonly Ability[] = [
  'publish',
  'again',
  'other',
  'replace',
  'present',
  'publish-url',
  'publish-netrc',
  'publish-keyring',
  'publish-wrong',
]

describe('publishers', { timeout: 600_000 }, () => {
  let ground: MatrixGround

  before(async () => {
    ground = await matrixGround()
  })

  after(async () => {
    await ground?.[Symbol.asyncDispose]()
  })

  const version = async (name: string) => {
    const asked = ['-c', `import importlib.metadata as m; print(m.version("${name}"))`]
    return `${name} ${(await ground.clients.run('python', asked)).stdout.trim()}`
  }
  const twine: Send = async (url, folder, { user, password }, more) => {
    const dist = (await readdir(join(folder, 'dist'))).map((each) => join('dist', each))
    const args = ['upload', '--non-interactive', '--disable-progress-bar', '--repository-url', url]
    const who = user === undefined ? {} : { TWINE_USERNAME: user }
    const env = { ...who, ...(password !== undefined && { TWINE_PASSWORD: password }), ...more }
    return await ground.clients.run('twine', [...args, ...dist], { cwd: folder, env })
  }

  test('twine sends all it can', async () => {
    const notes = column(await version('twine'))
    notes.lacks(READING, 'it does not install')
    const seen = await publishAll(ground, {
      name: 'by-twine',
      make: (name, summary) => distFolder(ground, name, summary),
      send: twine,
    })
    assert.equal(seen.url.code, 0, seen.url.output)
    assert.match(seen.escaped.output, /401/)
    notes.works('publish-url', 'the password as it stands there: `%` escapes are not decoded')
    assert.match(seen.netrc.output, /Credential not found for username/)
    notes.differs('publish-netrc', 'not read: it wants a user name first')
    assert.equal(seen.first.code, 0, seen.first.output)
    notes.works('publish', '`--repository-url`, the index without `+simple/`')
    assert.equal(seen.again.code, 0, seen.again.output)
    notes.works('again', 'taken, nothing changes')
    assert.notEqual(seen.other.code, 0)
    assert.match(seen.other.output, /409 [\s\S]*already exists in non-volatile index/)
    notes.works('other', 'refused with 409 and a sentence')
    assert.ok(seen.isReplaced && seen.replace.code === 0, seen.replace.output)
    notes.works('replace', 'replaces')
    assert.notEqual(seen.wrong.code, 0)
    assert.match(seen.wrong.output, /401 [\s\S]*wrong user name or password/)
    notes.works('publish-wrong', 'refused with 401 and a sentence')

    const log = join(await ground.clients.folder(), 'keyring.log')
    const folder = await distFolder(ground, 'by-twine-keyring', 'One')
    const keyring = await twine(
      ground.upload('fixed'),
      folder,
      { user: ROOT.user },
      keyringEnv(ground.keyring(ROOT), log),
    )
    assert.equal(keyring.code, 0, keyring.output)
    assert.equal((await readFile(log, 'utf8')).split('\n')[0], ground.upload('fixed'))
    notes.works('publish-keyring', 'asked for the upload address')
    const other = await distFolder(ground, 'by-twine', 'Two')
    const files = (await readdir(join(other, 'dist'))).map((each) => join('dist', each))
    const skip = ['upload', '--skip-existing', '--non-interactive', '--disable-progress-bar']
    const args = [...skip, '--repository-url', ground.upload('fixed'), '-u', ROOT.user, '-p', ROOT.password, ...files]
    const skipped = await ground.clients.run('twine', args, { cwd: other })
    assert.notEqual(skipped.code, 0)
    assert.match(skipped.output, /UnsupportedConfiguration[\s\S]*--skip-existing/)
    notes.differs('present', 'refuses `--skip-existing` for any index but the public one, without asking')
    notes.hold()
  })

  test('Flit sends all it can', async () => {
    const notes = column(await version('flit'))
    notes.lacks(READING, 'it does not install')
    const make = async (name: string, summary: string) => {
      const module = name.replaceAll('-', '_')
      const folder = await ground.clients.folder({
        'pyproject.toml':
          '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n' +
          `[project]\nname = "${name}"\nversion = "1.0"\ndescription = "${summary}"\nrequires-python = ">=3.9"\n`,
      })
      await mkdir(join(folder, module))
      await writeFile(join(folder, module, '__init__.py'), `"""${summary}"""\n`)
      return folder
    }
    const send: Send = (url, folder, { user, password }, more) => {
      const who = user === undefined ? {} : { FLIT_USERNAME: user }
      const place = { FLIT_INDEX_URL: url, SOURCE_DATE_EPOCH: '1700000000', ...who }
      const env = { ...place, ...(password !== undefined && { FLIT_PASSWORD: password }), ...more }
      return ground.clients.run('flit', ['publish'], { cwd: folder, env })
    }
    const seen = await publishAll(ground, { name: 'by-flit', make, send })
    for (const outcome of [seen.url, seen.netrc]) assert.match(outcome.output, /Could not find username for upload/)
    notes.differs('publish-url', 'not read: it wants `FLIT_USERNAME` or `.pypirc`')
    notes.differs('publish-netrc', 'not read: it wants `FLIT_USERNAME` or `.pypirc`')
    assert.equal(seen.first.code, 0, seen.first.output)
    notes.works('publish', '`FLIT_INDEX_URL` or `.pypirc`, the index without `+simple/`')
    assert.equal(seen.again.code, 0, seen.again.output)
    notes.works('again', 'taken, nothing changes (with `SOURCE_DATE_EPOCH`: the archives are made anew)')
    assert.notEqual(seen.other.code, 0)
    assert.match(seen.other.output, /409/)
    notes.works('other', 'refused with 409, in a traceback')
    assert.ok(seen.isReplaced && seen.replace.code === 0, seen.replace.output)
    notes.works('replace', 'replaces')
    assert.notEqual(seen.wrong.code, 0)
    assert.match(seen.wrong.output, /401/)
    notes.works('publish-wrong', 'refused with 401, in a traceback')
    notes.lacks(['present'], 'no such option')
    const log = join(await ground.clients.folder(), 'keyring.log')
    const own = await make('by-flit-keyring', 'One')
    const keyring = await send(ground.upload('fixed'), own, { user: ROOT.user }, keyringEnv(ground.keyring(ROOT), log))
    assert.equal(keyring.code, 0, keyring.output)
    assert.equal((await readFile(log, 'utf8')).split('\n')[0], ground.upload('fixed'))
    notes.works('publish-keyring', 'asked for the upload address')
    notes.hold()
  })

  test('build makes an environment from the index, and what it makes is taken', async () => {
    const notes = column(await version('build'))
    const folder = await ground.clients.folder({
      'pyproject.toml':
        '[build-system]\nrequires = ["pub-backend", "pub-rc", "pub-future", "pub-yanked", "acme-app[more]"]\nbuild-backend = "pub_backend"\n' +
        '[project]\nname = "by-build"\nversion = "1.0"\n',
    })
    const build = (index: string, more = {}) =>
      ground.clients.run('pyproject-build', [], { cwd: folder, env: { PIP_INDEX_URL: ground.simple(index), ...more } })
    const built = await build('prod')
    assert.equal(built.code, 0, built.output)
    const taken = (await ground.requests()).flatMap((path) => /([^/]+)-py3-none-any\.whl$/.exec(path)?.[1] ?? [])
    const expected = ['acme_app-1.0', 'pub_backend-1.0', 'pub_base-1.0', 'pub_future-1.0', 'pub_more-1.0', 'pub_rc-1.0']
    assert.deepEqual([...new Set(taken)].sort(), [...expected, 'pub_yanked-1.0'])
    notes.works('install', 'build requirements, by pip with `PIP_INDEX_URL`, or by uv with `--installer uv`')
    notes.works('extras', 'as pip')
    notes.works('python', 'as pip')
    notes.works('rc', 'passed over, as pip does')
    notes.works('yanked', 'passed over, as pip does')
    const byUv = await ground.clients.run('pyproject-build', ['--installer', 'uv'], {
      cwd: folder,
      env: { UV_DEFAULT_INDEX: ground.simple('prod') },
    })
    assert.equal(byUv.code, 0, byUv.output)
    const sent = await twine(ground.upload('fixed'), folder, ROOT)
    assert.equal(sent.code, 0, sent.output)
    assert.deepEqual(Object.keys(await ground.listed('fixed', 'by-build')).sort(), [
      'by_build-1.0-py3-none-any.whl',
      'by_build-1.0.tar.gz',
    ])
    notes.works('publish', 'what it made, sent by twine')
    const rest: Ability[] = [
      'source',
      'hashes',
      'lock',
      'url',
      'netrc',
      'keyring',
      'wrong',
      'dated',
      'resume',
      'second',
    ]
    notes.lacks(rest, 'what its pip or uv does')
    notes.lacks(PUBLISHING.slice(1), 'what sends it does')
    notes.hold()
  })

  test('setuptools makes what the index takes and pip installs again', async () => {
    const notes = column(await version('setuptools'))
    const folder = await ground.clients.folder({
      'pyproject.toml':
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n' +
        '[project]\nname = "by-setuptools"\nversion = "1.0"\nrequires-python = ">=3.9"\ndependencies = ["pub-base"]\n' +
        '[project.optional-dependencies]\nmore = ["pub-more"]\n',
      'by_setuptools.py': '',
    })
    const built = await ground.clients.run('pyproject-build', ['--no-isolation'], { cwd: folder })
    assert.equal(built.code, 0, built.output)
    const sent = await twine(ground.upload('prod'), folder, ROOT)
    assert.equal(sent.code, 0, sent.output)
    assert.equal(Object.keys(await ground.listed('prod', 'by-setuptools')).length, 2)
    const index = ['--no-cache-dir', '--index-url', ground.simple('prod')]
    const target = await ground.clients.folder()
    const wanted = ['--no-build-isolation', '--no-binary', 'by-setuptools', 'by-setuptools[more]']
    const got = await ground.clients.pip('newest', ['install', ...index, '--target', target, ...wanted])
    assert.equal(got.code, 0, got.output)
    assert.match(got.output, /Successfully installed by-setuptools-1\.0 pub-base-1\.0 pub-more-1\.0/)
    notes.works('extras', 'written into the metadata, read by pip')
    notes.works('source', 'the backend of the sdist that pip took from the index')
    notes.works('publish', 'what it made, sent by twine')
    notes.lacks(
      READING.filter((each) => each !== 'extras' && each !== 'source'),
      'it speaks to no index',
    )
    notes.lacks(PUBLISHING.slice(1), 'it speaks to no index')
    notes.hold()
  })
})
