/** Every command of devpi-client that is about releases, with every option, against our devpi-server. */
import assert from 'node:assert/strict'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { sdist, wheel } from '../builders/wheels.ts'
import { zip } from '../builders/zip.ts'
import { DEVPI_CLIENT_VERSIONS } from '../programs/devpi-clients.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { type DevpiDesk, type DevpiPerson, devpiDesk } from './devpi-desk.ts'

const DOCS = zip([{ name: 'index.html', content: '<h1>Manual</h1>' }])
/** Runs a command of its own, installs nothing. */
const TOX = (command: string) =>
  `[tox]\nenvlist = py\n[testenv]\nskip_install = true\ncommands = python -c "${command}"\n`

for (const version of DEVPI_CLIENT_VERSIONS) {
  const is7 = version === '7.3.0'

  describe(`devpi-client ${version}`, { timeout: 900_000 }, () => {
    let upstream: FakeUpstream
    let desk: DevpiDesk
    before(async () => {
      upstream = await startFakeUpstream()
      upstream.add('fresh', wheel({ name: 'fresh', version: '1.0' }))
      desk = await devpiDesk(version, { AIRLOCK_UPSTREAM: upstream.url })
    })
    after(async () => {
      await desk?.[Symbol.asyncDispose]()
      await upstream?.[Symbol.asyncDispose]()
    })

    test('upload takes paths, --index, --dry-run, --from-dir and --only-latest', async () => {
      const ann = await desk.person('ann')
      const first = await ann.keeps(wheel({ name: 'acme', version: '1.0' }))
      const source = await ann.keeps(sdist({ name: 'acme', version: '1.0' }))
      await ann.does(['upload', '--dry-run', first], [/skipped: file_upload of acme-1\.0-py3-none-any\.whl/])
      assert.deepEqual(await desk.files('ann/dev', 'acme'), [])
      await ann.does(
        ['upload', first, source],
        [/file_upload of acme-1\.0-py3-none-any\.whl to http\S+\/ann\/dev\//, /file_upload of acme-1\.0\.tar\.gz/],
      )
      assert.deepEqual(await desk.files('ann/dev', 'acme'), ['acme-1.0-py3-none-any.whl', 'acme-1.0.tar.gz'])

      await ann.does(['index', '-c', 'other', 'volatile=False'], [])
      await ann.does(['upload', '--index', 'other', first], [/to http\S+\/ann\/other$/m])
      await ann.does(['upload', '--index', 'ann/other', first], [])
      const changed = await ann.keeps(wheel({ name: 'acme', version: '1.0', summary: 'changed' }))
      await ann.fails(
        ['upload', '--index', 'other', changed],
        [/409 FAIL file_upload/, /already exists in non-volatile index/],
      )
      await ann.does(['upload', changed], [])
      const [overwritten] = await logOf(desk, 'ann/dev', 'acme', '1.0', /whl$/)
      assert.deepEqual(overwritten, ['overwrite', 'upload'])

      const folder = { 'many/deep/many-1.0.tar.gz': '1.0', 'many/many-1.1.tar.gz': '1.1', 'many/other-2.tar.gz': '2' }
      await ann.writes(
        Object.fromEntries(
          Object.entries(folder).map(([path, each]) => {
            const name = path.includes('other') ? 'other' : 'many'
            return [path, sdist({ name, version: each }).bytes]
          }),
        ),
      )
      await ann.does(['upload', '--from-dir', '--only-latest', 'many'], [/many-1\.1/, /other-2/])
      assert.deepEqual(await desk.files('ann/dev', 'many'), ['many-1.1.tar.gz'])
      await ann.does(['upload', '--from-dir', 'many'], [/many-1\.0/])
      assert.deepEqual(await desk.files('ann/dev', 'many'), ['many-1.0.tar.gz', 'many-1.1.tar.gz'])

      await ann.fails(
        ['upload', '--index', 'root/pypi', first],
        [/404 FAIL file_upload/, /cannot submit to mirror index/],
      )
      await ann.does(['use', 'root/pypi'], [])
      await ann.fails(['upload', first], [/does not support upload\.\s+Most likely, it is a mirror\./])
      await ann.does(['use', 'ann/dev'], [])
      await ann.does(['logoff'], [])
      await ann.fails(['upload', first], [/401 FAIL file_upload/, /Unauthorized/])
    })

    test('upload builds with --sdist, --wheel, --formats, --no-isolation, -p, --no-vcs and --setupdir-only', async () => {
      const bob = await desk.person('bob')
      const cwd = await project(bob, 'built', '1.0')
      const at = { cwd }
      await bob.does(['upload', '--no-isolation', '--sdist'], [/file_upload of built-1\.0\.tar\.gz/], at)
      assert.deepEqual(await desk.files('bob/dev', 'built'), ['built-1.0.tar.gz'])
      await bob.does(['upload', '--no-isolation', '--wheel', '--no-vcs'], [], at)
      assert.deepEqual(await desk.files('bob/dev', 'built'), ['built-1.0-py3-none-any.whl', 'built-1.0.tar.gz'])
      const both = await project(bob, 'both', '2.0')
      await bob.does(['upload', '--no-isolation', '--setupdir-only', '-p', 'python'], [], { cwd: both })
      assert.deepEqual(await desk.files('bob/dev', 'both'), ['both-2.0-py3-none-any.whl', 'both-2.0.tar.gz'])
      const old = await project(bob, 'old', '3.0')
      await bob.does(['upload', '--no-isolation', '--formats', 'sdist', '--verbose'], [/deprecated/], { cwd: old })
      assert.deepEqual(await desk.files('bob/dev', 'old'), ['old-3.0.tar.gz'])
      const alone = await project(bob, 'alone', '4.0', { requires: [] })
      await bob.does(['upload', '--wheel'], [/file_upload of alone-4\.0/], { cwd: alone })
      assert.deepEqual(await desk.files('bob/dev', 'alone'), ['alone-4.0-py3-none-any.whl'])
      const metadata = (await desk.state('bob/dev/built/1.0')) as { summary?: string; requires_python?: string }
      assert.equal(metadata.summary, 'Built for a test')
    })

    test('upload sends documentation: a zip, --with-docs and --only-docs', async () => {
      const cid = await desk.person('cid')
      const cwd = await project(cid, 'told', '1.0', {
        files: { 'doc/conf.py': 'project = "told"\n', 'doc/index.rst': 'Told\n====\n' },
      })
      await cid.does(['upload', '--no-isolation', '--only-docs'], [/doc_upload of told-1\.0\.doc\.zip/], { cwd })
      assert.deepEqual(await desk.files('cid/dev', 'told'), [])
      assert.deepEqual(await desk.files('cid/dev', 'told', 'doczip'), ['told-1.0.doc.zip'])
      await cid.does(['upload', '--no-isolation', '--with-docs', '--sdist'], [/file_upload/, /doc_upload/], { cwd })
      assert.deepEqual(await desk.files('cid/dev', 'told'), ['told-1.0.tar.gz'])
      await cid.writes({ 'told-1.0.doc.zip': DOCS, 'new-2.0.doc.zip': DOCS, 'none.doc.zip': DOCS })
      await cid.does(['upload', 'told-1.0.doc.zip', 'new-2.0.doc.zip'], [])
      assert.equal((await desk.state('cid/dev/new/2.0'))?.version, '2.0')
      await cid.fails(['upload', 'none.doc.zip'], [/400 FAIL doc_upload/, /doczip has no version/])
      await cid.does(['remove', '-y', 'told'], [])
    })

    test('list knows SPEC, -v, --all, --ignore-bases and --index', async () => {
      const dan = await desk.person('dan')
      for (const each of ['1.0', '1.1', '1.2', '1.3', '2.0']) await dan.keeps(sdist({ name: 'acme', version: each }))
      await dan.does(['index', '-c', 'base'], [])
      await dan.does(['upload', '--index', 'base', 'acme-1.0.tar.gz', 'acme-2.0.tar.gz'], [])
      await dan.does(['upload', 'acme-1.0.tar.gz', 'acme-1.1.tar.gz', 'acme-1.2.tar.gz', 'acme-1.3.tar.gz'], [])
      await dan.does(['index', 'bases=dan/base'], [])
      await dan.does(['list'], [/^acme$/m])
      // 6.x has a dash between name and version.
      await dan.does(['list', '-v'], [/^acme(==|-)2\.0$/m])
      await dan.does(['list', '-v', '--all'], [/^acme(==|-)1\.0$/m, /^acme(==|-)1\.3$/m])
      await dan.does(['list', '-v', '--ignore-bases'], [/^acme(==|-)1\.3$/m])
      await dan.does(['list', 'acme'], [/base\/\+f\/\S+\/acme-2\.0\.tar\.gz$/m, /older versions not shown/])
      const all = await dan.does(['list', '--all', 'acme'], [/dev\/\+f\/\S+\/acme-1\.0\.tar\.gz$/m])
      assert.match(all.stdout, /base\/\+f\/\S+\/acme-1\.0\.tar\.gz$/m)
      const own = await dan.does(['list', '--all', '--ignore-bases', 'acme'], [/acme-1\.0/])
      assert.doesNotMatch(own.stdout, /\/base\//)
      const some = await dan.does(['list', 'acme>=1.3'], [/acme-1\.3/, /acme-2\.0/])
      assert.doesNotMatch(some.stdout, /acme-1\.2/)
      await dan.does(['use', 'root/pypi'], [])
      await dan.does(['list', '--index', 'dan/base'], [/^acme$/m])
      await dan.does(['list', '--index', 'dan/base', 'acme==1.0'], [/acme-1\.0/])
      await dan.fails(['list', '--index', 'dan/base', 'nothing'], [/404 Not Found: no project 'nothing'/])
      await dan.does(['use', 'dan/dev'], [])
    })

    test('remove takes SPEC, a version, a URL, -y, -f and --index', async () => {
      const eve = await desk.person('eve')
      for (const each of ['1.0', '1.1', '2.0']) await eve.keeps(sdist({ name: 'acme', version: each }))
      await eve.keeps(wheel({ name: 'acme', version: '2.0' }))
      await eve.does(['upload', '--from-dir', '.'], [])
      await eve.does(['remove', 'acme==1.0'], [/not deleting anything/], { input: 'no\n' })
      await eve.does(['remove', 'acme==1.0'], [/deleting release 1\.0 of acme/], { input: 'yes\n' })
      await eve.does(['remove', '-y', 'acme<2'], [/deleting release 1\.1 of acme/])
      assert.deepEqual(await desk.files('eve/dev', 'acme'), ['acme-2.0-py3-none-any.whl', 'acme-2.0.tar.gz'])
      const listed = await eve.does(['list', 'acme'], [])
      const url = /http\S+acme-2\.0\.tar\.gz/.exec(listed.stdout)![0]
      await eve.does(['remove', '-y', url], [/About to remove the following file/])
      assert.deepEqual(await desk.files('eve/dev', 'acme'), ['acme-2.0-py3-none-any.whl'])
      assert.equal((await fetch(url)).status, 410)
      const nothing = await eve.devpi(['remove', '-y', 'acme==9'])
      assert.match(nothing.output, /No releases or distributions found matching 'acme==9'/)

      await eve.does(['index', 'volatile=False'], [])
      await eve.fails(['remove', '-y', 'acme==2.0'], [/403 Forbidden: cannot delete version on non-volatile index/])
      await eve.fails(['remove', '-y', 'acme'], [/403 Forbidden: project 'acme' is on non-volatile index eve\/dev/])
      await eve.does(['use', 'root/pypi'], [])
      await eve.does(['remove', '-y', '-f', '--index', 'eve/dev', 'acme'], [])
      assert.equal(await desk.state('eve/dev/acme'), undefined)
      await eve.fails(['remove', '-y', '--index', 'eve/dev', 'acme'], [/404 Not Found: no project 'acme'/])
    })

    test('push copies a release to another index, with --index, --no-docs and --only-docs', async () => {
      const fay = await desk.person('fay')
      const ned = await desk.person('ned')
      for (const target of ['prod', 'bare', 'docs']) await fay.does(['index', '-c', target, 'volatile=False'], [])
      await fay.keeps(sdist({ name: 'acme', version: '1.0' }))
      await fay.keeps(wheel({ name: 'acme', version: '1.0' }))
      await fay.writes({ 'acme-1.0.doc.zip': DOCS })
      await fay.does(['upload', '--from-dir', '.'], [])
      await fay.does(
        ['push', 'acme==1.0', 'fay/prod'],
        [
          /200 register acme 1\.0 -> fay\/prod/,
          /200 store_releasefile fay\/prod\/\+f\/\S+\/acme-1\.0-py3-none-any\.whl/,
          /200 store_releasefile fay\/prod\/\+f\/\S+\/acme-1\.0\.tar\.gz/,
          /200 store_doczip acme 1\.0 -> fay\/prod/,
        ],
      )
      assert.deepEqual(await desk.files('fay/prod', 'acme'), ['acme-1.0-py3-none-any.whl', 'acme-1.0.tar.gz'])
      assert.deepEqual(await desk.files('fay/prod', 'acme', 'doczip'), ['acme-1.0.doc.zip'])
      const [first] = await logOf(desk, 'fay/prod', 'acme', '1.0', /whl$/)
      assert.deepEqual(first, ['upload', 'push'])
      await fay.fails(['push', 'acme==1.0', 'fay/prod'], [/409 Conflict/, /already exists in non-volatile index/])
      await fay.fails(
        ['push', 'acme==9', 'fay/prod'],
        [/no release\/files found for acme 9|there are no files for acme 9/],
      )
      await fay.fails(['push', 'acme==1.0', 'fay/nowhere'], [/404 Not Found/])
      await fay.fails(
        ['push', 'acme==1.0', 'ned/dev'],
        [/401 Unauthorized.*cannot upload to 'ned\/dev'|user 'fay' cannot upload to 'ned\/dev'/],
      )
      await fay.fails(['push', 'acme==1.0', 'prod'], [/not of form USER\/NAME or pypi:REPONAME/])
      await fay.fails(['push', 'acme', 'fay/prod'], [/name==version/])
      await ned.does(['push', '--index', 'fay/dev', 'acme==1.0', 'ned/dev'], [/200 register/])
      assert.deepEqual(await desk.files('ned/dev', 'acme'), ['acme-1.0-py3-none-any.whl', 'acme-1.0.tar.gz'])
      if (!is7) return
      await fay.does(['push', '--no-docs', 'acme==1.0', 'fay/bare'], [])
      assert.deepEqual(await desk.files('fay/bare', 'acme', 'doczip'), [])
      await fay.does(['push', '--only-docs', 'acme==1.0', 'fay/docs'], [/200 store_doczip/])
      assert.deepEqual(await desk.files('fay/docs', 'acme'), [])
      assert.deepEqual(await desk.files('fay/docs', 'acme', 'doczip'), ['acme-1.0.doc.zip'])
      await fay.fails(['push', '--no-docs', '--only-docs', 'acme==1.0', 'fay/bare'], [/Can't use/])
    })

    test('push pypi:REPO sends a release to what .pypirc names, with --pypirc and --register-project', async () => {
      await using other = await devpiDesk(version)
      const taker = await other.person('taker')
      const gus = await desk.person('gus')
      const section = (name: string, password: string) =>
        `[${name}]\nrepository: ${other.url}/taker/dev/\nusername: taker\npassword: ${password}\n`
      const rc = `[distutils]\nindex-servers = far\n  wrong\n${section('far', 'secret of taker')}${section('wrong', 'no')}`
      await gus.writes({ '.pypirc': rc, elsewhere: rc })
      await gus.keeps(wheel({ name: 'acme', version: '1.0' }))
      await gus.keeps(sdist({ name: 'acme', version: '1.0' }))
      await gus.writes({ 'acme-1.0.doc.zip': DOCS })
      await gus.does(['upload', '--from-dir', '.'], [])
      const docs = is7 ? ['--no-docs'] : []
      await gus.does(['push', ...docs, 'acme==1.0', 'pypi:far'], [/using pypirc/, /200 upload gus\/dev\/\+f\/\S+whl/])
      assert.deepEqual(await other.files('taker/dev', 'acme'), ['acme-1.0-py3-none-any.whl', 'acme-1.0.tar.gz'])
      assert.deepEqual(await other.files('taker/dev', 'acme', 'doczip'), is7 ? [] : ['acme-1.0.doc.zip'])
      await gus.fails(['push', 'acme==1.0', 'pypi:wrong'], [/40[13]/, /Failure during upload/])
      await gus.fails(['push', 'acme==1.0', 'pypi:unknown'], [/Error while trying to read section 'unknown'/])
      await taker.does(['remove', '-y', 'acme'], [])
      const register = is7 ? ['--register-project'] : []
      const pushed = await gus.does(
        ['push', ...register, '--pypirc', 'elsewhere', 'acme==1.0', 'pypi:far'],
        [/200 upload/],
      )
      if (is7) assert.match(pushed.output, /200 register acme 1\.0/)
      assert.equal((await other.files('taker/dev', 'acme')).length, 2)
      assert.equal((await other.files('taker/dev', 'acme', 'doczip')).length, 1)
    })

    test('test runs tox and sends the result, with -e, -c, --fallback-ini, --tox-args, --no-upload, --index, -s and -l', async () => {
      const hal = await desk.person('hal')
      const files = { 'tox.ini': TOX('print(40+2)'), 'other.ini': TOX('print(6*7)') }
      await hal.keeps(sdist({ name: 'tried', version: '1.0', files }))
      await hal.keeps(sdist({ name: 'failing', version: '1.0', files: { 'tox.ini': TOX('raise SystemExit(3)') } }))
      await hal.keeps(sdist({ name: 'bare', version: '1.0' }))
      await hal.does(['upload', '--from-dir', '.'], [])
      await hal.keeps(wheel({ name: 'tried', version: '1.0' }))
      await hal.does(['upload', 'tried-1.0-py3-none-any.whl'], [])
      const fallback = await hal.writes({ 'fallback.ini': TOX('print(21*2)') })

      const listed = await hal.does(['test', '-l', 'tried'], [/would test:/, /tried-1\.0\.tar\.gz/])
      assert.doesNotMatch(listed.stdout, /posting/)
      await hal.does(['test', '--list', '-s', 'py3-none-any', 'tried'], [/tried-1\.0-py3-none-any\.whl/])
      await hal.does(['test', '--no-upload', 'tried==1.0'], [/42/])
      assert.deepEqual(await desk.files('hal/dev', 'tried', 'toxresult'), [])
      await hal.does(['test', 'tried'], [/posting tox result data to http\S+tried-1\.0\.tar\.gz/, /success/])
      assert.match(
        (await desk.files('hal/dev', 'tried', 'toxresult')).join(),
        /^tried-1\.0\.tar\.gz\.toxresult-\d{14}-0$/,
      )
      await hal.does(['test', '-e', 'py', '-c', fallback, '--tox-args=-v', '--select', 'tar', 'tried'], [/success/])
      await hal.does(['test', '--no-upload', '--fallback-ini', fallback, 'bare'], [/42/])
      await hal.fails(['test', 'bare'], [/no tox\.ini/])
      await hal.fails(['test', 'failing'], [/tox command failed/, /success/])
      await hal.fails(['test', 'nothing'], [/could not find\/receive links for nothing/])
      await hal.does(['use', 'root/pypi'], [])
      await hal.does(['test', '--no-upload', '--index', 'hal/dev', 'tried'], [])
      await hal.does(['test', '--no-upload', '--index', `${desk.url}/hal/dev`, 'tried'], [])
      await hal.does(['use', 'hal/dev'], [])

      await hal.does(['list', '-t', 'tried'], [/tests passed/])
      await hal.does(['list', '-f', 'failing'], [/tests failed/, /FAIL: .*python/])
      await hal.does(['index', '-c', 'prod'], [])
      await hal.does(['push', 'tried==1.0', 'hal/prod'], [/200 store_toxresult/])
      assert.equal((await desk.files('hal/prod', 'tried', 'toxresult')).length, 2)
      await hal.does(['index', 'acl_toxresult_upload=root'], [])
      await hal.fails(['test', 'tried'], [/403 Forbidden: No permission to upload tox results\./])
    })

    test('install takes packages, -r, -e, -l, --venv and --index', async () => {
      const ida = await desk.person('ida')
      const venv = join(ida.home, 'venv')
      assert.equal((await ida.python(['-m', 'venv', venv])).code, 0)
      await ida.keeps(wheel({ name: 'acme', version: '1.0' }))
      await ida.keeps(sdist({ name: 'tools', version: '2.0', files: {} }))
      await ida.does(['upload', '--from-dir', '.'], [])
      await ida.does(['install', '--venv', venv, 'acme'], [/Successfully installed acme-1\.0/])
      await ida.does(['install', '--venv', venv, '-l'], [/acme +1\.0/])
      await ida.writes({ 'wanted.txt': 'tools==2.0\n' })
      await ida.does(['install', '--venv', venv, '--requirement', 'wanted.txt'], [/Successfully installed tools-2\.0/])
      await ida.keeps(wheel({ name: 'acme', version: '1.1' }))
      await ida.does(['upload', 'acme-1.1-py3-none-any.whl'], [])
      await ida.does(['use', 'root/pypi'], [])
      const active = { env: { VIRTUAL_ENV: venv } }
      await ida.does(['install', '--index', 'ida/dev', 'acme'], [/Successfully installed acme-1\.1/], active)
      await ida.does(['use', 'ida/dev'], [])
      const failed = await ida.devpi(['install', '--venv', venv, 'nothing-of-the-kind'])
      assert.notEqual(failed.code, 0)
      assert.match(failed.output, /No matching distribution found|Could not find a version/)
    })

    test('refresh has mirrors ask anew, with --index', async () => {
      const jon = await desk.person('jon')
      await jon.does(['use', 'root/pypi'], [])
      await jon.does(['list', 'fresh'], [/fresh-1\.0/])
      upstream.add('fresh', wheel({ name: 'fresh', version: '2.0' }))
      const before = await jon.does(['list', 'fresh'], [])
      assert.doesNotMatch(before.stdout, /fresh-2\.0/)
      const refreshed = await jon.does(['refresh', 'fresh'], [/Refreshed fresh/])
      assert.doesNotMatch(refreshed.output, /Couldn't/)
      await jon.does(['list', 'fresh'], [/fresh-2\.0/])
      upstream.add('fresh', wheel({ name: 'fresh', version: '3.0' }))
      await jon.does(['index', 'jon/dev', 'bases=root/pypi'], [])
      await jon.does(['refresh', '--index', 'jon/dev', 'fresh'], [/Refreshed fresh/])
      await jon.does(['list', '--index', 'jon/dev', 'fresh'], [/fresh-3\.0/])
    })

    test('quickstart is gone from both, and says so', async () => {
      const kim = await desk.person('kim', true)
      const got = await kim.devpi(['quickstart'])
      assert.equal(got.code, 2)
      assert.match(got.output, /invalid choice: '?quickstart/)
    })
  })
}

/** The `what` of each event of the files that fit. */
async function logOf(desk: DevpiDesk, index: string, name: string, version: string, fits: RegExp): Promise<string[][]> {
  const { '+links': links } = (await desk.state(`${index}/${name}/${version}`)) as {
    '+links': { href: string; log: { what: string }[] }[]
  }
  return links.filter(({ href }) => fits.test(href)).map(({ log }) => log.map(({ what }) => what))
}

/** A folder that setuptools builds, in a folder of its own. `requires` empty: it needs nothing, so isolation costs no download. */
async function project(
  person: DevpiPerson,
  name: string,
  version: string,
  { requires, files = {} }: { requires?: readonly string[]; files?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const cwd = join(person.home, `project-${name}`)
  await mkdir(cwd)
  if (requires !== undefined) {
    const built = sdist({ name, version, summary: 'Built for a test' })
    await person.keeps(built)
    const unpacked = await person.python(['-m', 'tarfile', '-e', join(person.home, built.filename), cwd])
    assert.equal(unpacked.code, 0, unpacked.output)
    return join(cwd, (await readdir(cwd))[0]!)
  }
  const pyproject = [
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
    `[project]\nname = "${name}"\nversion = "${version}"\ndescription = "Built for a test"\n`,
    `[tool.setuptools]\npackages = ["${name}"]\n`,
  ].join('\n')
  const written = { 'pyproject.toml': pyproject, 'setup.py': 'from setuptools import setup\nsetup()\n', ...files }
  await person.writes({
    [`project-${name}/${name}/__init__.py`]: '',
    ...Object.fromEntries(Object.entries(written).map(([path, text]) => [`project-${name}/${path}`, text])),
  })
  return cwd
}
