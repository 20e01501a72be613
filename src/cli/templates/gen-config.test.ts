import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, test } from 'node:test'
import { Parser } from 'htmlparser2'
import { tempFolder } from '../../../test/world/temp-folder.ts'
import { runCli } from '../cli.ts'
import type { ServerCommands } from '../server-commands.ts'

const folder = await tempFolder()
after(() => folder.remove())
const CHECKOUT = join(import.meta.dirname, '..', '..')

const SERVER: ServerCommands = {
  version: '0.0',
  openStores: async () => assert.fail('no store is to be opened'),
  openServer: async () => assert.fail('nothing is to be served'),
  workerProgram: new URL('file:///nowhere'),
}

/** Runs it and gives what it wrote, by name. */
async function generated(...argv: string[]): Promise<Record<string, string>> {
  const stdout = new PassThrough().resume()
  const env = { HOME: folder.path, XDG_CONFIG_DIRS: folder.path }
  const context = { env, cwd: folder.path, stdin: new PassThrough().end(), stdout, stderr: stdout }
  assert.equal(await runCli(argv, context, SERVER), 0)
  const names = await readdir(join(folder.path, 'gen-config'))
  const texts = names.map((name) => readFile(join(folder.path, 'gen-config', name), 'utf8'))
  return Object.fromEntries((await Promise.all(texts)).map((text, at) => [names[at]!, text]))
}

const devpi = (...argv: string[]) => generated('compat', 'devpi-gen-config', ...argv)

/** The value of a directive of nginx. */
function directive(text: string | undefined, name: string): string | undefined {
  return new RegExp(`^ *${name} +(.*);`, 'm').exec(text ?? '')?.[1]
}

test('gen-config writes every file that devpi does', async () => {
  assert.deepEqual(Object.keys(await devpi()).sort(), [
    'crontab',
    'devpi.service',
    'launchd-macos.txt',
    'net.devpi.plist',
    'nginx-devpi-caching.conf',
    'nginx-devpi.conf',
    'supervisor-devpi.conf',
    'supervisord.conf',
    'windows-service.txt',
  ])
})

test('gen-config starts the server as it was told, by absolute paths, without secrets and idle options', async () => {
  const options = '--serverdir data -c my.yml --port 4040 --listen=a:1 --listen b:2 --absolute-urls'
  const files = await generated(
    'gen-config',
    ...'--serverdir data --port 4040 --offline-mode --root-passwd hidden --secretfile keys/secret'.split(' '),
  )
  const start = `${CHECKOUT}/bin/airlock serve --serverdir ${folder.path}/data --port 4040 --offline-mode --secretfile ${folder.path}/keys/secret`
  assert.ok(files['devpi.service']!.includes(`\nExecStart=${start}\n`))
  assert.ok(files['supervisor-devpi.conf']!.includes(`\ncommand=${start}\n`))
  assert.ok(files.crontab!.includes(`\n@reboot ${start} 2>&1 |`))
  assert.ok(files['windows-service.txt']!.includes(`exec ${start}\n`))
  for (const text of Object.values(files)) assert.doesNotMatch(text, /hidden|root-passwd/)
  const compat = await devpi(...options.replace('-c my.yml --port 4040', '--threads 3').split(' '))
  const compatStart = `${CHECKOUT}/compat/bin/devpi-server --serverdir ${folder.path}/data --listen a:1 --listen b:2 --absolute-urls`
  assert.ok(compat['devpi.service']!.includes(`\nExecStart=${compatStart}\n`))
})

test('gen-config quotes what each grammar takes for its own', async () => {
  const files = await devpi('--serverdir', 'a b/50% of "$HOME" & <it\'s>')
  const path = `${folder.path}/a b/50% of "$HOME" & <it's>`
  const shell = `'${path.replace("'", "'\\''")}'`
  assert.ok(files.crontab!.includes(shell.replace('%', '\\%')))
  assert.ok(files['supervisor-devpi.conf']!.includes(shell.replace('%', '%%')))
  const unit = `"${path.replace('%', '%%').replace('$', '$$$$').replaceAll('"', '\\"')}"`
  assert.ok(files['devpi.service']!.includes(`--serverdir ${unit}\n`))
  const strings: string[] = []
  let depth = 0
  const parser = new Parser(
    {
      onopentag: () => depth++,
      ontext: (text) => strings.push(text),
      onclosetag: () => depth--,
    },
    { xmlMode: true, decodeEntities: true },
  )
  parser.end(files['net.devpi.plist'])
  assert.equal(depth, 0)
  assert.ok(strings.join('').includes(path), strings.join(''))
})

test('gen-config tells nginx where the server is and how it is known outside', async () => {
  for (const [argv, upstream, header, listen, name, location] of [
    [[], '127.0.0.1:3141', '$scheme://$http_host', '80', undefined, '/'],
    [['--host', '0.0.0.0', '--port', '1'], '127.0.0.1:1', '$scheme://$http_host', '80', undefined, '/'],
    [['--listen', '[fd00::1]:2'], '[fd00::1]:2', '$scheme://$http_host', '80', undefined, '/'],
    [['--outside-url', 'http://x.example:81'], '127.0.0.1:3141', 'http://x.example:81', '81', 'x.example', '/'],
    [
      ['--outside-url', 'https://x.example/a.b/'],
      '127.0.0.1:3141',
      'https://x.example/a.b',
      '443 ssl',
      'x.example',
      '~ ^/a\\.b(/|$)',
    ],
  ] as const) {
    const files = await devpi(...argv)
    for (const file of ['nginx-devpi.conf', 'nginx-devpi-caching.conf']) {
      const text = files[file]
      assert.equal(directive(text, 'server'), upstream)
      assert.equal(directive(text, 'proxy_set_header X-Outside-Url'), header)
      assert.equal(directive(text, 'listen'), listen)
      if (name !== undefined) assert.equal(directive(text, 'server_name'), name)
      assert.ok(text?.includes(`    location ${location} {\n`))
    }
  }
  const socket = await devpi('--unix-socket', 'a.sock')
  assert.equal(directive(socket['nginx-devpi.conf'], 'server'), `"unix:${folder.path}/a.sock"`)
})

test('gen-config gives nginx the limit of the server, and lets no header through that the server believes', async () => {
  const proxy = ['--trusted-proxy', '127.0.0.1', '--remote-user-header', 'X-Remote-User']
  const files = await devpi('--max-request-body-size', '123456', ...proxy)
  const text = files['nginx-devpi.conf']
  assert.equal(directive(text, 'client_max_body_size'), '123456')
  assert.equal(directive(text, 'proxy_request_buffering'), 'off')
  for (const header of ['x-remote-user', 'Forwarded', 'X-Forwarded-Prefix', 'X-Forwarded-Port']) {
    assert.equal(directive(text, `proxy_set_header ${header}`), '""', header)
  }
  assert.equal(directive(text, 'proxy_set_header X-Forwarded-Proto'), '$scheme')
  assert.doesNotMatch(text ?? '', /try_files|proxy_cache|\broot\b/)
})

test('gen-config has nginx send files where the server leaves them to it, and no client say that it does', async () => {
  const options = ['--trusted-proxy', '127.0.0.1', '--x-accel-redirect', '/+blobs/']
  const text = (await generated('gen-config', '--serverdir', 'a b', ...options))['nginx-devpi.conf']!
  assert.equal(directive(text, 'proxy_set_header X-Sendfile-Type'), 'X-Accel-Redirect')
  assert.ok(text.includes('    location /+blobs/ {\n        internal;\n'))
  assert.equal(directive(text, 'alias'), `"${folder.path}/a b/blobs/sha256/"`)
  // With a cache nginx has them itself.
  const caching = (await generated('gen-config', '--serverdir', 'a b', ...options))['nginx-devpi-caching.conf']!
  const without = (await generated('gen-config', '--serverdir', 'a b'))['nginx-devpi.conf']!
  for (const text of [caching, without]) {
    assert.equal(directive(text, 'proxy_set_header X-Sendfile-Type'), '""')
    assert.doesNotMatch(text, /internal|alias/)
  }
})

test('gen-config lets nginx keep files and simple pages only, and nothing of who is logged in', async () => {
  const text = (await devpi('--outside-url', 'http://x.example/p'))['nginx-devpi-caching.conf']!
  const [, pattern] = /^ {4}~(\S+) 0;$/m.exec(text) ?? []
  const isKept = (path: string) => new RegExp(pattern!).test(path)
  for (const path of ['+simple/acme/', 'simple/acme/', '+f/1/2/a.whl', '+e/x/a.whl', 'packages/1/2/3/a.whl']) {
    assert.ok(isKept(`/p/root/prod/${path}`), path)
  }
  for (const path of ['/p/', '/p/root', '/p/bob/simple/acme', '/p/root/prod/acme', '/p/+login', '/p/root/prod']) {
    assert.ok(!isKept(path), path)
  }
  for (const rule of ['proxy_cache_bypass', 'proxy_no_cache']) {
    assert.equal(directive(text, rule), '$airlock_not_cached $http_authorization $http_x_devpi_auth')
  }
  // How long a page may be kept is for the server to say.
  assert.doesNotMatch(text, /proxy_cache_valid|proxy_ignore_headers|proxy_cache_use_stale/)
})
