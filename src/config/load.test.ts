import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { tempFolder } from '../../test/world/temp-folder.ts'
import type { Problem } from '../model/errors.ts'
import { type ConfigSources, loadConfig, readSettings } from './load.ts'
import { flagOf, SETTINGS, type Setting, variablesOf } from './settings.ts'

const folder = await tempFolder()
after(() => folder.remove())
const NONE: ConfigSources = { flags: {}, env: {}, cwd: folder.path }

async function withFile(text: string, more: Partial<ConfigSources> = {}): Promise<ConfigSources> {
  await writeFile(join(folder.path, 'airlock.toml'), text)
  return { ...NONE, file: 'airlock.toml', ...more }
}
function refused(load: () => unknown, message: string | RegExp, hint?: string): void {
  assert.throws(load, (error: Problem) => {
    assert.equal(error.code, 'setting-invalid')
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
    assert.equal(error.hint, hint)
    return true
  })
}

test('loadConfig() has a default for everything', () => {
  const config = loadConfig(NONE)
  assert.equal(config.serverDir, join(folder.path, 'data'))
  assert.deepEqual(config.listen, [{ host: 'localhost', port: 3141 }])
  assert.equal(config.offline, false)
  assert.equal(config.mirrorExpirySeconds, 1800)
  assert.equal(config.hasRootPypi, true)
  assert.equal(config.rootPassword, '')
  assert.equal(config.logLevel, 'info')
  assert.equal(config.outsideUrl, undefined)
  assert.ok(Object.isFrozen(config))
})

test('loadConfig() takes a flag before the environment, that before the file, that before the default', async () => {
  const sources = await withFile('port = 1001', {
    flags: { port: '1003' },
    env: { AIRLOCK_PORT: '1002', DEVPISERVER_PORT: '9999' },
  })
  const port = (more: Partial<ConfigSources>) => loadConfig({ ...sources, ...more }).listen[0]!.port
  assert.equal(port({}), 1003)
  assert.equal(port({ flags: {} }), 1002)
  assert.equal(port({ flags: {}, env: { DEVPISERVER_PORT: '9999' } }), 9999)
  assert.equal(port({ flags: {}, env: {} }), 1001)
  assert.equal(port({ flags: {}, env: {}, defaults: { port: '1000' } }), 1001)
  assert.equal(loadConfig({ ...NONE, defaults: { port: '1000' } }).listen[0]!.port, 1000)
})

test('readSettings() tells where each value comes from', async () => {
  const sources = await withFile('port = 1001', { flags: { host: 'h' }, env: { AIRLOCK_OFFLINE_MODE: 'yes' } })
  const given = readSettings(sources)
  assert.deepEqual(given.get('host'), { value: 'h', from: '--host' })
  assert.deepEqual(given.get('offline_mode'), { value: 'yes', from: 'AIRLOCK_OFFLINE_MODE' })
  assert.deepEqual(given.get('port'), { value: 1001, from: 'airlock.toml: port' })
  assert.deepEqual(given.get('log_level'), { value: 'info', from: 'default' })
  assert.equal(given.has('listen'), false)
})

test('loadConfig() refuses an unknown key with the nearest one as a hint', async () => {
  for (const [key, nearest] of [
    ['prot', 'port'],
    ['out_side_url', 'outside_url'],
    ['offline', 'offline_mode'],
    ['mirror_cache_expirey', 'mirror_cache_expiry'],
  ] as const) {
    const sources = await withFile(`${key} = 1`)
    refused(
      () => loadConfig(sources),
      `Unknown setting "${key}" in "${join(folder.path, 'airlock.toml')}"`,
      `did you mean "${nearest}"?`,
    )
  }
})

test('loadConfig() says what is wrong with a file that cannot be read', async () => {
  const sources = await withFile('port = = 1')
  refused(() => loadConfig(sources), /^Cannot read settings from ".*airlock\.toml": /)
  refused(() => loadConfig({ ...NONE, file: 'none.toml' }), /^Cannot read settings from ".*none\.toml": .*ENOENT/)
})

for (const [flags, message] of [
  [{ port: '70000' }, 'Cannot use "70000" for port (set by --port): expected a whole number from 0 to 65535'],
  [{ port: 'x' }, 'Cannot use "x" for port (set by --port): expected a whole number from 0 to 65535'],
  [{ port: '-1' }, 'Cannot use "-1" for port (set by --port): expected a whole number from 0 to 65535'],
  [{ port: '' }, 'Cannot use "" for port (set by --port): expected a whole number from 0 to 65535'],
  [{ port: 1.5 }, 'Cannot use 1.5 for port (set by --port): expected a whole number from 0 to 65535'],
  [
    { listen: ['nowhere'] },
    'Cannot use ["nowhere"] for listen (set by --listen): expected HOST:PORT, [ADDRESS]:PORT for IPv6, or *:PORT for every address',
  ],
  [
    { listen: 'a:1,b:99999' },
    'Cannot use "a:1,b:99999" for listen (set by --listen): expected HOST:PORT, [ADDRESS]:PORT for IPv6, or *:PORT for every address',
  ],
  [
    { listen: '::1:80' },
    'Cannot use "::1:80" for listen (set by --listen): expected HOST:PORT, [ADDRESS]:PORT for IPv6, or *:PORT for every address',
  ],
  [
    { outside_url: 'index.example' },
    'Cannot use "index.example" for outside_url (set by --outside-url): expected an address with http:// or https://',
  ],
  [
    { upstream: 'ftp://x' },
    'Cannot use "ftp://x" for upstream (set by --upstream): expected an address with http:// or https://',
  ],
  [
    { offline_mode: 'perhaps' },
    'Cannot use "perhaps" for offline_mode (set by --offline-mode): expected true or false',
  ],
  [{ absolute_urls: '2' }, 'Cannot use "2" for absolute_urls (set by --absolute-urls): expected true or false'],
  [{ no_root_pypi: 'x' }, 'Cannot use "x" for no_root_pypi (set by --no-root-pypi): expected true or false'],
  [
    { mirror_cache_expiry: '1h' },
    /^Cannot use "1h" for mirror_cache_expiry \(set by --mirror-cache-expiry\): expected a whole number from 0 to /,
  ],
  [
    { request_timeout: '0' },
    'Cannot use "0" for request_timeout (set by --request-timeout): expected a whole number from 1 to 3600',
  ],
  [{ max_request_body_size: '10GB' }, /^Cannot use "10GB" for max_request_body_size/],
  [
    { log_level: 'loud' },
    'Cannot use "loud" for log_level (set by --log-level): expected one of error, warn, info, debug',
  ],
] as const) {
  test(`loadConfig() refuses ${JSON.stringify(flags)} in a sentence that says what it may be`, () => {
    refused(() => loadConfig({ ...NONE, flags }), message)
  })
}

test('loadConfig() names the variable or the file that gave a bad value', async () => {
  refused(() => loadConfig({ ...NONE, env: { DEVPISERVER_PORT: 'x' } }), /\(set by DEVPISERVER_PORT\)/)
  const sources = await withFile('port = "x"')
  refused(() => loadConfig(sources), /\(set by airlock\.toml: port\)/)
})

for (const [listen, expected] of [
  [
    ['a:1', 'b:2'],
    [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ],
  ],
  [
    'a:1, b:2',
    [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ],
  ],
  ['[::1]:80', [{ host: '::1', port: 80 }]],
  ['0.0.0.0:0', [{ host: '0.0.0.0', port: 0 }]],
] as const) {
  test(`loadConfig() listens on ${JSON.stringify(listen)}`, () => {
    assert.deepEqual(loadConfig({ ...NONE, flags: { listen } }).listen, expected)
  })
}

test('loadConfig() reads paths from where it is run, and what is empty as not set', () => {
  const config = loadConfig({ ...NONE, flags: { serverdir: 'a/b', secretfile: '', outside_url: '' } })
  assert.equal(config.serverDir, join(folder.path, 'a', 'b'))
  assert.equal(config.secretFile, undefined)
  assert.equal(config.outsideUrl, undefined)
})

test('loadConfig() turns some settings into limits', () => {
  const { limits } = loadConfig({ ...NONE, flags: { request_timeout: '2', max_request_body_size: '1000' } })
  assert.deepEqual([limits.upstreamAnswerMs, limits.connectMs, limits.uploadBytes], [2000, 2000, 1000])
  assert.equal(loadConfig({ ...NONE, flags: { request_timeout: '60' } }).limits.connectMs, 3000)
})

test('the settings have names, sentences and flags of one form', () => {
  assert.equal(new Set(SETTINGS.map((setting) => setting.key)).size, SETTINGS.length)
  for (const setting of SETTINGS as readonly Setting[]) {
    assert.match(setting.key, /^[a-z]+(_[a-z]+)*$/)
    assert.match(setting.sentence, /^[A-Z].*[^.]$/)
    assert.match(flagOf(setting), /^--[a-z]+(-[a-z]+)*$/)
    assert.deepEqual(
      variablesOf(setting).map((name) => name.split('_')[0]),
      ['AIRLOCK', 'DEVPISERVER'],
    )
  }
})

test('loadConfig() listens on a socket alone, unless an address is asked for as well', () => {
  const socket = { unix_socket: 'run/a.sock' }
  const only = loadConfig({ ...NONE, flags: socket })
  assert.deepEqual(only.listen, [])
  assert.deepEqual(only.unixSocket, { path: join(folder.path, 'run/a.sock'), mode: 0o600 })
  const both = loadConfig({ ...NONE, flags: { ...socket, port: '1', unix_socket_perms: '0660' } })
  assert.deepEqual(both.listen, [{ host: 'localhost', port: 1 }])
  assert.equal(both.unixSocket?.mode, 0o660)
  for (const written of ['rw', '999', '1777', '60']) {
    const flags = { ...socket, unix_socket_perms: written }
    refused(() => loadConfig({ ...NONE, flags }), /three octal digits/)
  }
})

test('loadConfig() tells nobody from everybody in restrict_modify', () => {
  assert.equal('restrictModify' in loadConfig(NONE), false)
  const restricted = (value: unknown) => loadConfig({ ...NONE, flags: { restrict_modify: value } }).restrictModify
  assert.deepEqual(restricted('root, :admins'), ['root', ':admins'])
  assert.deepEqual(restricted(['root', ':admins']), ['root', ':admins'])
  assert.deepEqual(restricted(''), [])
})

test("loadConfig() takes an empty variable of devpi's for none, and its words for true and false", () => {
  const env = { DEVPISERVER_OUTSIDE_URL: '', DEVPISERVER_PORT: '', DEVPISERVER_AUTOCREATE_USERS: 'y' }
  const config = loadConfig({ ...NONE, env })
  assert.equal(config.listen[0]!.port, 3141)
  assert.equal(config.outsideUrl, undefined)
  assert.equal(config.autocreateUsers, true)
  assert.equal(loadConfig({ ...NONE, env: { DEVPISERVER_OFFLINE_MODE: 'f' } }).offline, false)
})

test('loadConfig() knows the home folder by its sign', () => {
  const flags = { serverdir: '~/index', secretfile: '~other/x' }
  const config = loadConfig({ ...NONE, flags, env: { HOME: '/home-of-a-test' } })
  assert.equal(config.serverDir, '/home-of-a-test/index')
  assert.equal(config.secretFile, join(folder.path, '~other/x'))
})
