import assert from 'node:assert/strict'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, test } from 'node:test'
import { tempFolder } from '../../../test/world/temp-folder.ts'
import type { Config } from '../../config/load.ts'
import { runCli } from '../cli.ts'
import type { ServerCommands } from '../server-commands.ts'

const folder = await tempFolder()
after(() => folder.remove())

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** What the stores were to be opened with; absent when it did not come to that. */
  readonly config?: Config
}

/** Runs a program of devpi up to where it opens its folder, which is always found empty. */
async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  let config: Config | undefined
  const server: ServerCommands = {
    version: '0.0',
    openStores: async (given) => {
      config = given
      return undefined
    },
    openServer: async () => assert.fail('nothing is there to serve'),
    workerProgram: new URL('file:///nowhere'),
  }
  const text = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof text) =>
    new PassThrough().on('data', (chunk: Buffer) => {
      text[name] += chunk.toString()
    })
  const clean = { HOME: folder.path, XDG_CONFIG_DIRS: join(folder.path, 'etc'), ...env }
  const stdin = new PassThrough().end()
  const context = { env: clean, cwd: folder.path, stdin, stdout: stream('stdout'), stderr: stream('stderr') }
  const code = await runCli(['compat', ...argv], context, server)
  return { code, ...text, ...(config !== undefined && { config }) }
}

async function yaml(text: string, path = 'my.yml'): Promise<string> {
  await mkdir(join(folder.path, path, '..'), { recursive: true })
  await writeFile(join(folder.path, path), `devpi-server:\n${text}`)
  return path
}

test('devpi-server takes the command line before the environment, that before YAML, that before the default', async () => {
  const file = await yaml('  port: 1001\n  offline-mode: yes\n')
  const port = async (argv: string[], env = {}) => (await run(['devpi-server', ...argv], env)).config?.listen[0]?.port
  const env = { DEVPISERVER_PORT: '1002' }
  assert.equal(await port(['-c', file, '--port', '1003'], env), 1003)
  assert.equal(await port(['-c', file], env), 1002)
  assert.equal(await port(['-c', file]), 1001)
  assert.equal(await port(['-c', file], { DEVPISERVER_PORT: '' }), 1001)
  assert.equal(await port([]), 3141)
  assert.equal((await run(['devpi-server', '-c', file])).config?.offline, true)
})

test('devpi-server finds its file in the folders of site and user, and says which of several counts', async () => {
  const site = await yaml('  port: 2001\n  host: site.example\n', 'etc/devpi-server/devpi-server.yml')
  const one = await run(['devpi-server'])
  assert.equal(one.config?.listen[0]?.port, 2001)
  assert.doesNotMatch(one.stderr, /several/)
  const own = await yaml('  port: 2002\n', '.config/devpi-server/devpi-server.yml')
  const two = await run(['devpi-server'])
  assert.deepEqual(two.config?.listen, [{ host: 'localhost', port: 2002 }])
  assert.match(two.stderr, new RegExp(`several configuration files are there, the last one counts: .*${site}.*${own}`))
  for (const path of [site, own]) await rm(join(folder.path, path))
})

test('devpi-server warns of unknown keys in its file and goes on; what other programs know is not warned of', async () => {
  const file = await yaml('  prot: 1\n  root-passwd: secret\n  skip-import-type: x\n  threads: 3\n')
  const { stderr, config } = await run(['devpi-server', '-c', file])
  assert.match(stderr, /Unknown devpi-server option 'prot' in .*my\.yml/)
  assert.match(stderr, /my\.yml: threads has no effect/)
  assert.equal(stderr.match(/Unknown/g)?.length, 1)
  assert.equal(config?.listen[0]?.port, 3141)
  assert.doesNotMatch(stderr, /secret/)
})

test('devpi-server takes lists from its file, and several --listen', async () => {
  const file = await yaml("  listen:\n    - '[::1]:1'\n    - '*:2'\n  restrict-modify: root,:admins\n")
  const { config } = await run(['devpi-server', '-c', file])
  const listen = [
    { host: '::1', port: 1 },
    { host: '*', port: 2 },
  ]
  assert.deepEqual(config?.listen, listen)
  assert.deepEqual(config?.restrictModify, ['root', ':admins'])
  assert.deepEqual((await run(['devpi-server', '--listen', '[::1]:1', '--listen=*:2'])).config?.listen, listen)
})

test('devpi-server takes names of devpi 7 and of older ones, and shortened ones', async () => {
  const file = await yaml('  remote-refresh-delay: 61\n')
  const seconds = async (argv: string[], env = {}) =>
    (await run(['devpi-server', ...argv], env)).config?.mirrorExpirySeconds
  assert.equal(await seconds(['--remote-refresh-delay', '60']), 60)
  assert.equal(await seconds([`-c=${file}`]), 61)
  assert.equal(await seconds([], { DEVPISERVER_REMOTE_REFRESH_DELAY: '62' }), 62)
  assert.equal(await seconds(['--mirror-cache-expiry', '63'], { DEVPISERVER_REMOTE_REFRESH_DELAY: '62' }), 63)
  assert.equal(await seconds(['--mirr=64', '--', '--mirr=65']).catch(() => undefined), undefined)
  assert.equal(await seconds(['--mirr=64']), 64)
  assert.equal((await run(['devpi-server'], { DEVPI_SERVERDIR: '/old' })).config?.serverDir, '/old')
  assert.equal((await run(['devpi-server'])).config?.serverDir, join(folder.path, '.devpi/server'))
})

test('devpi-server logs more with --debug, and as its logging configuration says', async () => {
  await writeFile(join(folder.path, 'log.yml'), 'version: 1\nroot:\n  level: WARNING\n')
  await writeFile(join(folder.path, 'log.json'), '{"version": 1, "root": {"level": "DEBUG"}}')
  const level = async (...argv: string[]) => (await run(['devpi-server', ...argv])).config?.logLevel
  assert.equal(await level(), 'info')
  assert.equal(await level('--debug'), 'debug')
  assert.equal(await level('--logger-cfg', 'log.yml'), 'warn')
  assert.equal(await level('--logger-cfg', 'log.json'), 'debug')
  assert.equal(await level('--logger-cfg', 'log.yml', '--debug'), 'debug')
  assert.equal(await level('--debug', '--log-level', 'error'), 'error')
  assert.equal((await run(['devpi-server'], { DEVPISERVER_DEBUG: '1' })).config?.logLevel, 'debug')
  assert.match((await run(['devpi-server', '--logger-cfg', 'none.yml'])).stderr, /Cannot read ".*none\.yml"/)
})

/** Every option of devpi-server 6.20 and its web pages that means nothing here. */
const IDLE = [
  '--threads=5 --connection-limit=7 --profile-requests=1 --enable-core-metadata --keyfs-cache-size=9 --requests-only',
  '--replica-file-search-path=x --hard-links --file-replication-threads=2 --file-replication-skip-indexes=all',
  '--proxy-timeout=3 --no-replica-streaming --theme=x --debug-macros --documentation-path=x --keep-docs-packed',
  '--indexer-backend=null --argon2-memory-cost=8 --argon2-parallelism=1 --argon2-time-cost=1 --storage=sqlite',
  '--storage=sqlite_db_files',
]
test('devpi-server says of each option that means nothing here that it has no effect, once', async () => {
  for (const option of IDLE.flatMap((line) => line.split(' '))) {
    const name = option.split('=')[0]!
    const { stderr, config } = await run(['devpi-server', option])
    assert.ok(config !== undefined, `${option}: ${stderr}`)
    const [line, ...more] = stderr.split('\n').filter((each) => each.includes(' has no effect: '))
    assert.ok(line?.startsWith(`devpi-server: ${name} has no effect: `), `${option}: ${stderr}`)
    assert.deepEqual(more, [])
  }
  const { stderr } = await run(['devpi-server'], { DEVPISERVER_THREADS: '4', DEVPISERVER_REQUESTS_ONLY: 'no' })
  assert.match(stderr, /^devpi-server: DEVPISERVER_THREADS has no effect/)
  assert.doesNotMatch(stderr, /REQUESTS_ONLY/)
})

const REFUSED: readonly (readonly [string[], RegExp, Record<string, string>?])[] = [
  [['--role', 'primary'], /Cannot take the role "primary": this server feeds no replicas/],
  [['--role', 'master'], /Cannot take the role "master"/],
  [['--role', 'replica'], /Cannot run as a replica/],
  [['--role', 'king'], /Cannot take the role "king": this server knows standalone and auto/],
  [['--primary-url', 'http://x.example/'], /Cannot run as a replica/],
  [['--master-url', 'http://x.example/'], /Cannot run as a replica/],
  [[], /Cannot run as a replica/, { DEVPISERVER_PRIMARY_URL: 'http://x.example/' }],
  [['--storage', 'pg8000:user=u,password=hidden'], /Cannot use the storage "pg8000": the catalog here is SQLite/],
  [['--ldap-config', 'x.yml'], /Cannot ask an LDAP server/],
  [['--acl-mirror-index-create', 'root'], /Cannot restrict the creation of mirrors by itself/],
  [['--listen', 'a:1', '--port', '2'], /Cannot use both listen \(--listen\) and host or port \(--port\)/],
]
for (const [argv, says, env] of REFUSED) {
  test(`devpi-server refuses ${argv.join(' ')}${Object.keys(env ?? {}).join(' ')}, and says what to do`, async () => {
    const { code, stderr, config } = await run(['devpi-server', ...argv], env)
    assert.equal(code, 1)
    assert.equal(config, undefined)
    assert.match(stderr, says)
    assert.match(stderr, /^hint: /m)
    assert.doesNotMatch(stderr, /hidden/)
  })
}

test('devpi-server refuses a storage that the file describes by a mapping', async () => {
  const file = await yaml('  storage:\n    name: pg8000\n    password: hidden\n')
  const { code, stderr } = await run(['devpi-server', '-c', file])
  assert.equal(code, 1)
  assert.match(stderr, /the storage "pg8000"/)
  assert.doesNotMatch(stderr, /hidden/)
})

test('devpi-server takes --role standalone and auto without a word', async () => {
  for (const role of ['standalone', 'auto']) {
    const { stderr, config } = await run(['devpi-server', '--role', role])
    assert.ok(config !== undefined)
    assert.doesNotMatch(stderr, /role/)
  }
})

test('devpi-server says where to go when the folder is empty, and for --passwd', async () => {
  const { code, stderr } = await run(['devpi-server', '--serverdir', 'nothing'])
  assert.equal(code, 1)
  assert.match(stderr, /The path '.*nothing' contains no devpi-server data, use devpi-init to initialize\./)
  const passwd = await run(['devpi-server', '--passwd', 'root'])
  assert.equal(passwd.code, 1)
  assert.match(passwd.stderr, /--passwd is deprecated, use: devpi-passwd USER/)
})

test('the last line of devpi-server --version is the version that is spoken', async () => {
  const { code, stdout } = await run(['devpi-server', '--version'])
  assert.equal(code, 0)
  assert.equal(stdout.trimEnd().split('\n').at(-1), '6.20.3')
})

test('each program knows only its own options, and its exit code for wrong usage is 2', async () => {
  for (const [program, option] of [
    ['devpi-init', '--port=1'],
    ['devpi-fsck', '--role=auto'],
    ['devpi-passwd', '--threads=1'],
    ['devpi-gen-secret', '--serverdir=x'],
    ['devpi-server', '--nonsense'],
    ['devpi-nothing', '--port=1'],
  ] as const) {
    assert.equal((await run([program, option])).code, 2, `${program} ${option}`)
  }
  assert.equal((await run(['devpi-gen-secret'])).code, 1)
  assert.equal((await run(['devpi-passwd', 'root'])).code, 1)
  assert.equal((await run(['devpi-fsck'])).code, 1)
})
