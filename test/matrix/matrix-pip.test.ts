/** The column of pip in docs/clients.md: the newest, and two that systems still bring. */
import assert from 'node:assert/strict'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Outcome } from '../programs/run-program.ts'
import { installed, keyringEnv, type PipVersion } from './matrix-clients.ts'
import { column } from './matrix-column.ts'
import { CUTOFF, type MatrixGround, matrixGround, READER, YANK_REASON } from './matrix-ground.ts'

const VERSIONS: readonly PipVersion[] = ['newest', '24.0', '23.2.1']

describe('pip', { timeout: 600_000 }, () => {
  let ground: MatrixGround

  before(async () => {
    ground = await matrixGround()
  })

  after(async () => {
    await ground?.[Symbol.asyncDispose]()
  })

  for (const version of VERSIONS) {
    const isNewest = version === 'newest'

    test(`pip ${version} does all it can`, async () => {
      const { clients, files, simple } = ground
      const said = await clients.pip(version, ['--version'])
      const notes = column(/^pip \S+/.exec(said.stdout)![0])
      const install = async (index: string, args: readonly string[], env = {}) => {
        const folder = await clients.folder()
        const common = ['install', '--no-cache-dir', '--target', folder, '--index-url', index]
        const got = await clients.pip(version, [...common, ...args], { env })
        return { ...got, has: await installed(folder) }
      }

      const all = await install(simple('prod'), ['acme-app[more]', 'pub-future', 'pub-rc', 'pub-yanked', 'pub-source'])
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
      assert.match(all.output, /Downloading \S*pub_base-1\.0-py3-none-any\.whl\.metadata/)
      notes.works('install', '`--index-url`; metadata files are used')
      notes.works('extras', 'with what they require')
      notes.works('python', 'takes the newest that fits')
      notes.works('source', 'in isolation')

      const asked = await install(simple('prod'), ['--pre', 'pub-rc', 'pub-yanked==2.0'])
      assert.equal(asked.code, 0, asked.output)
      assert.deepEqual(asked.has, { 'pub-rc': '2.0rc1', 'pub-yanked': '2.0' })
      assert.match(flat(asked), new RegExp(`yanked version.*${YANK_REASON}`))
      notes.works('rc', 'with `--pre` only')
      notes.works('yanked', 'passed over; pinned: installed, with a warning that tells the reason')

      const right = await clients.folder({ 'r.txt': `acme-app==1.0 --hash=sha256:${files.app.sha256}\n` })
      await writeFile(join(right, 'r.txt'), `pub-base==1.0 --hash=sha256:${await sha256('pub-base')}\n`, { flag: 'a' })
      const hashed = await install(simple('prod'), ['--require-hashes', '--requirement', join(right, 'r.txt')])
      assert.equal(hashed.code, 0, hashed.output)
      const wrong = await clients.folder({ 'r.txt': `hush==1.0 --hash=sha256:${'0'.repeat(64)}\n` })
      const lies = await install(simple('secret', READER), ['--require-hashes', '--requirement', join(wrong, 'r.txt')])
      assert.notEqual(lies.code, 0)
      assert.match(lies.output, /DO NOT MATCH THE HASHES/)
      assert.deepEqual(lies.has, {})
      notes.works('hashes', '`--require-hashes`; other content is refused')
      // The address had credentials, and what was fetched with them was the file.
      notes.works('url', 'the files are asked for with the same')

      if (isNewest) {
        const folder = await clients.folder()
        const lock = ['lock', '--no-cache-dir', '--index-url', simple('prod'), '--output', 'pylock.toml']
        const locked = await clients.pip(version, [...lock, 'acme-app[more]'], { cwd: folder })
        assert.equal(locked.code, 0, locked.output)
        const text = await readFile(join(folder, 'pylock.toml'), 'utf8')
        assert.ok(text.includes(files.app.sha256))
        assert.equal(text.match(/^url = "/gm)?.length, 3)
        if (notes.isAtLeast('26.1')) {
          const synced = await install(simple('other'), ['--requirement', join(folder, 'pylock.toml')])
          assert.deepEqual(synced.has, { 'acme-app': '1.0', 'pub-base': '1.0', 'pub-more': '1.0' }, synced.output)
        }
        notes.works(
          'lock',
          '`pip lock` writes address and sha256 of each file, `pip install -r pylock.toml` installs it',
        )
      } else notes.lacks(['lock'], 'no such command')

      const home = await clients.folder({ '.netrc': ground.netrc(READER) })
      await chmod(join(home, '.netrc'), 0o600)
      const netrc = await install(simple('secret'), ['hush'], { HOME: home })
      assert.equal(netrc.code, 0, netrc.output)
      notes.works('netrc', 'read for pages and files')

      const log = join(home, 'keyring.log')
      const keyring = await install(
        simple('secret'),
        ['hush', '--keyring-provider', 'import'],
        keyringEnv(ground.keyring(), log),
      )
      assert.equal(keyring.code, 0, keyring.output)
      assert.equal((await readFile(log, 'utf8')).split('\n')[0], simple('secret'))
      notes.works('keyring', 'asked for the address of the index, after a 401')

      const refused = await install(simple('secret', { ...READER, password: 'wrong' }), ['hush'])
      assert.notEqual(refused.code, 0)
      assert.deepEqual(refused.has, {})
      const isTold = notes.isAtLeast('26.1')
      assert.equal(refused.output.includes('401 Error, Credentials not correct'), isTold, refused.output)
      if (isTold) notes.works('wrong', 'says "401 Error, Credentials not correct"')
      else notes.differs('wrong', 'installs nothing, and says "No matching distribution found" only')

      if (isNewest) {
        const dated = await install(simple('prod'), ['--uploaded-prior-to', CUTOFF, 'pub-dated'])
        assert.deepEqual(dated.has, { 'pub-dated': '1.0' }, dated.output)
        if (notes.isAtLeast('26.1')) {
          const span = await install(simple('prod'), ['--uploaded-prior-to', 'P3D', 'pub-dated'])
          assert.deepEqual(span.has, { 'pub-dated': '1.0' }, span.output)
        }
        notes.works('dated', "`--uploaded-prior-to` with a date and with a time span: upstream's own times decide")
      } else notes.lacks(['dated'], 'no such option')

      ground.relay.breakNext('.whl', 1024 * 1024)
      const broken = await install(ground.relay.url + new URL(simple('prod')).pathname, ['pub-big'])
      if (isNewest) {
        assert.deepEqual(broken.has, { 'pub-big': '1.0' }, broken.output)
        assert.match(broken.output, /Attempting to resume incomplete download/)
        const [first, next] = ground.relay.requests
        assert.deepEqual([first?.range, first?.status, next?.status], [undefined, 200, 206])
        assert.match(next!.range!, /^bytes=1\d+-$/)
        notes.works('resume', 'asks for the rest (`Range`, 206)')
      } else {
        assert.deepEqual(broken.has, {})
        assert.match(broken.output, /DO NOT MATCH THE HASHES/)
        assert.equal(ground.relay.requests.length, 1)
        notes.differs('resume', 'installs nothing: says that the hash does not match. Run it again')
      }

      const second = await install(simple('prod'), ['--extra-index-url', simple('other'), 'suspect'])
      assert.deepEqual(second.has, { suspect: '9.0' }, second.output)
      const alone = await install(simple('prod'), ['suspect'])
      assert.notEqual(alone.code, 0)
      notes.differs('second', 'takes the project from the second index. Configure one index only: then it is refused')

      notes.lacks(
        [
          'publish',
          'again',
          'other',
          'replace',
          'present',
          'publish-url',
          'publish-netrc',
          'publish-keyring',
          'publish-wrong',
        ],
        'it does not publish',
      )
      notes.hold()
    })
  }

  async function sha256(project: string): Promise<string> {
    return Object.values(await ground.listed('prod', project))[0]!
  }
})

/** Warnings are wrapped at the width of the terminal. */
function flat({ output }: Outcome): string {
  return output.replace(/\s+/g, ' ')
}
