/** Every command of devpi-client that is about servers, people and indexes, with every option, against our devpi-server. */
import assert from 'node:assert/strict'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DEVPI_CLIENT_VERSIONS } from '../programs/devpi-clients.ts'
import { type DevpiDesk, type DevpiPerson, devpiDesk } from './devpi-desk.ts'

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

for (const version of DEVPI_CLIENT_VERSIONS) {
  describe(`devpi-client ${version}`, { timeout: 900_000 }, () => {
    let desk: DevpiDesk
    let ann: DevpiPerson
    before(async () => {
      desk = await devpiDesk(version)
      ann = await desk.person('ann')
    })
    after(() => desk?.[Symbol.asyncDispose]())

    test('--version and --debug tell of the server', async () => {
      await ann.does(['--version'], [new RegExp(`devpi-client ${version.replaceAll('.', '\\.')}`)])
      await ann.does(['use', '--debug'], [/\[debug\] current: /, /login: http:\/\/127\.0\.0\.1:\d+\/\+login/])
    })

    test('use URL takes a server, an index by URL, by /USER/INDEX, by USER/INDEX and by name', async () => {
      const bea = await desk.person('bea')
      await bea.does(['use', desk.url], [/using server: http.* \(logged in as bea\)/, /no current index/])
      await bea.does(['use', `${desk.url}/bea/dev`], [/current devpi index: http\S+\/bea\/dev \(logged in as bea\)/])
      await bea.does(['use', '/'], [/using server/])
      await bea.does(['use', '/bea/dev'], [/\/bea\/dev \(logged in/])
      await bea.does(['use', 'root/pypi'], [/\/root\/pypi \(logged in/])
      await bea.does(['use', 'dev'], [/\/bea\/dev \(logged in/])
      await bea.does(
        ['use'],
        [
          /\/bea\/dev \(logged in/,
          /supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing/,
          /always-set-cfg: no/,
        ],
      )
      // 6.x ends with a traceback of its own.
      const none = version === '7.3.0' ? [/404 Not Found: The stage bea\/none could not be found\./] : []
      await bea.fails(['use', `${desk.url}/bea/none`], none)
      await bea.fails(['use', 'http://127.0.0.1:1'], [/could not connect/])
    })

    test('use -l, -u, --urls list what is at the server', async () => {
      await ann.does(['use', '-l'], [/^ann\/dev +bases= +volatile=True$/m, /^root\/pypi +bases= +volatile=False$/m])
      const own = await ann.does(['use', '-l', '-u', 'ann'], [/^ann\/dev/m])
      assert.doesNotMatch(own.output, /root\/pypi/)
      await ann.does(['use', '--list', '--user', 'root'], [/^root\/pypi/m])
      await ann.does(
        ['use', '--urls'],
        [
          new RegExp(`pypisubmit: ${desk.url}/ann/dev/$`, 'm'),
          new RegExp(`simpleindex: ${desk.url}/ann/dev/\\+simple/$`, 'm'),
          new RegExp(`login: ${desk.url}/\\+login$`, 'm'),
        ],
      )
    })

    test('use --user keeps one login for each user', async () => {
      const cid = await desk.person('cid')
      await cid.does(['use', '-u', 'root'], [/not logged in/])
      await cid.does(['use', '-u', 'cid'], [/logged in as cid/])
    })

    test('use --set-cfg, -t and --always-set-cfg write the files of pip, uv, distutils and buildout', async () => {
      const dan = await desk.person('dan')
      const simple = `${desk.url}/dan/dev/+simple/`
      await dan.does(['use', '--set-cfg', '-t', 'yes'], [/pip\.conf: http/])
      const pip = await readPip(dan)
      assert.ok(pip.includes(simple), pip)
      assert.match(pip, /trusted-host\s*=\s*127\.0\.0\.1/)
      assert.ok((await dan.reads('.pydistutils.cfg')).includes(simple))
      assert.ok((await dan.reads('.buildout/default.cfg')).includes(simple))
      if (version === '7.3.0') assert.ok((await dan.reads('.config/uv/uv.toml')).includes(simple))

      await dan.does(['use', '--set-cfg', '--pip-set-trusted', 'no'], [])
      assert.doesNotMatch(await readPip(dan), /trusted-host/)
      await dan.does(['index', '-c', 'next'], [])
      await dan.does(['use', '--always-set-cfg', 'yes'], [/always-set-cfg: yes/])
      await dan.does(['use', 'next'], [/always-set-cfg: yes/])
      assert.ok((await readPip(dan)).includes(`${desk.url}/dan/next/+simple/`))
      await dan.does(['use', '--always-set-cfg', 'no'], [/always-set-cfg: no/])
      await dan.does(['use', 'dev'], [])
      assert.ok((await readPip(dan)).includes(`${desk.url}/dan/next/+simple/`))
    })

    test('use --venv, --local and --delete are about what the client keeps', async () => {
      const eve = await desk.person('eve')
      const venv = join(eve.home, 'venv')
      assert.equal((await eve.python(['-m', 'venv', '--without-pip', venv])).code, 0)
      await eve.does(['use', '--venv', venv], [/venv for install\/set commands: /, /only setting venv pip/])
      const unset = await eve.does(['use', '--venv', '-'], [])
      assert.doesNotMatch(unset.output, /venv for install/)

      const active = { env: { VIRTUAL_ENV: venv } }
      await eve.fails(['use', '--local'], [/only valid in an active virtualenv/])
      await eve.does(['use', '--local'], [/Creating local configuration at /], active)
      assert.ok(await isThere(join(venv, 'devpi.json')))
      await eve.does(['use', 'root/pypi'], [/\/root\/pypi/], active)
      await eve.does(['use'], [/\/eve\/dev/])

      await eve.does(['use', '--delete'], [/REMOVED configuration at/])
      await eve.does(['use'], [/no server: type 'devpi use URL'/])
      await eve.fails(['use', '--delete'], [/NO configuration found/])
    })

    test('use --client-cert and DEVPI_INDEX, DEVPI_USER, --clientdir choose without a word to the server', async () => {
      const fay = await desk.person('fay')
      const pem = await fay.writes({ 'client.pem': 'a certificate' })
      await fay.does(['use', '--client-cert', pem, desk.url], [/using server/])
      assert.match(await fay.reads('.devpi/client/auth.json'), /client\.pem/)
      await fay.does(['use', 'fay/dev'], [])
      await fay.does(['getjson', '.'], [], { env: { DEVPI_INDEX: 'root/pypi' } })
      await fay.does(['list'], [], { env: { DEVPI_INDEX: 'fay/dev' } })
      await fay.does(['use'], [/logged in as fay/], { env: { DEVPI_USER: 'fay' } })
      const elsewhere = join(fay.home, 'elsewhere')
      await fay.does(['use', '--clientdir', elsewhere, desk.url], [/not logged in/])
      assert.ok(await isThere(join(elsewhere, 'current.json')))
    })

    test('login, logoff and logout', async () => {
      const gus = await desk.person('gus')
      await gus.does(['logoff'], [/login information deleted/])
      await gus.fails(['index', '-c', 'gus/more'], [/need to be logged in/])
      await gus.fails(
        ['login', 'gus', '--password', 'wrong'],
        [/401 Unauthorized: user 'gus' could not be authenticated/],
      )
      await gus.does(['login', 'gus'], [/logged in 'gus' at '.*gus\/dev', credentials valid for 10\.00 hours/], {
        input: 'secret of gus\n',
      })
      await gus.does(['logout'], [/login information deleted/])
      await gus.does(['logoff'], [/not logged in/])
    })

    test('user -c, -m, -l, --delete and user alone', async () => {
      const hal = await desk.person('hal', true)
      await hal.does(['user', '-c', 'hal', 'password=123', 'email=hal@example.com'], [/user created: hal/])
      assert.equal((await desk.state('hal'))?.email, 'hal@example.com')
      await hal.fails(['user', '-c', 'hal', 'password=123'], [/409 Conflict: user already exists/])
      await hal.fails(['user', '-c', 'h!l', 'password=123'], [/400 Bad Request: username 'h!l' contains characters/])
      await hal.fails(['user', '-c', 'ida', 'password=1', 'unheard=of'], [/400 Bad Request: .*unheard/])
      await hal.does(['user', '-c', 'jon'], [/user created: jon/], { input: 'a long password\na long password\n' })
      await hal.does(['login', 'jon', '--password', 'a long password'], [])
      await hal.fails(
        ['user', '-m', 'hal', 'email=other@example.com'],
        [/403 Forbidden: no permission to modify user hal/],
      )
      await hal.does(['login', 'hal', '--password', '123'], [])
      await hal.does(['user', '-m', 'hal', 'title=Keeper', 'description=of keys'], [/user modified: hal/])
      await hal.does(['user'], [/^ {2}email=hal@example\.com$/m, /^ {2}title=Keeper$/m, /^ {2}created=\d{4}-/m])
      await hal.does(['user', 'hal'], [/\/hal:$/m])
      await hal.does(['user', '-m', 'hal', 'title='], [])
      assert.equal((await desk.state('hal'))?.title, undefined)
      await hal.does(['user', 'hal', 'custom_data=some'], [/user modified: hal/])
      assert.equal((await desk.state('hal'))?.custom_data, 'some')
      await hal.does(['user', '-l'], [/^hal$/m, /^jon$/m, /^root$/m])
      await hal.fails(['user', 'nobody'], [/404 Not Found: no user 'nobody'/])
      await hal.fails(['user', '--delete', '-y', 'jon'], [/403 Forbidden/])
      await hal.fails(['user', '--delete', '-y', 'root'], [/403 Forbidden/])
      await hal.does(['user', '--delete', '-y', 'hal'], [/user deleted: hal/])
      assert.equal(await desk.state('hal'), undefined)
    })

    test('passwd, and user -m with a password', async () => {
      const kim = await desk.person('kim')
      const other = await desk.person('lea')
      await kim.does(['passwd'], [/user modified: kim/], { input: 'another password\nanother password\n' })
      await kim.does(['login', 'kim', '--password', 'another password'], [])
      await kim.does(['passwd', 'kim'], [/user modified: kim/], { input: 'a third password\na third password\n' })
      await other.fails(['passwd', 'kim'], [/403 Forbidden/], { input: 'of a stranger\nof a stranger\n' })
      await kim.does(['user', '-m', 'kim', 'password=4th'], [/changing password: \*{8}/])
      await kim.fails(['login', 'kim', '--password', 'a third password'], [/401/])
      await kim.does(['login', 'kim', '--password', '4th'], [])
    })

    test('index -c, -l, --no-projects, NAME and --delete', async () => {
      const mia = await desk.person('mia')
      await mia.does(
        ['index', '-c', 'prod', 'bases=mia/dev,root/pypi', 'volatile=False', 'title=Ours'],
        [
          /\/mia\/prod\?no_projects=:$/m,
          /^ {2}type=stage$/m,
          /^ {2}bases=mia\/dev,root\/pypi$/m,
          /^ {2}volatile=False$/m,
          /^ {2}acl_upload=mia$/m,
          /^ {2}acl_toxresult_upload=:ANONYMOUS:$/m,
          /^ {2}mirror_whitelist=$/m,
          /^ {2}mirror_whitelist_inheritance=intersection$/m,
          /^ {2}title=Ours$/m,
        ],
      )
      assert.deepEqual((await desk.state('mia/prod'))?.bases, ['mia/dev', 'root/pypi'])
      await mia.does(['index', '-c', 'mia/test'], [/\/mia\/test/])
      await mia.does(['index', '-l'], [/^mia\/dev$/m, /^mia\/prod$/m, /^mia\/test$/m])
      await mia.does(['index', '-l', 'root'], [/^root\/pypi$/m])
      await mia.does(['index'], [/\/mia\/dev:$/m])
      await mia.does(['index', '--no-projects'], [/\/mia\/dev\?no_projects=:$/m])
      await mia.does(['index', 'mia/prod'], [/title=Ours/])
      await mia.does(['index', '--no-projects', 'root/pypi'], [/type=mirror/, /mirror_url=http/])
      await mia.fails(['index', '-c', 'prod'], [/409 Conflict: index 'mia\/prod' exists/])
      await mia.fails(['index', '-c', 'ann/more'], [/403 Forbidden: no permission to create index ann\/more/])
      await mia.fails(['index', '-c', 'none', 'bases=mia/nowhere'], [/400 Bad Request/])
      await mia.fails(['index', '-c', 'none', 'volatile=perhaps'], [/400 Bad Request/])
      await mia.fails(['index', '-c', 'none', 'unheard=of'], [/400 Bad Request/])
      await mia.fails(['index', '-c', 'none', 'word'], [/NAME=VALUE/])
      await mia.fails(['index', 'mia/none'], [])
      await mia.fails(
        ['index', '--delete', '-y', 'prod'],
        [/403 Forbidden: index mia\/prod non-volatile, cannot delete/],
      )
      await mia.does(['index', '--delete', '-y', 'test'], [/index deleted: /])
      assert.equal(await desk.state('mia/test'), undefined)
      await mia.does(
        ['index', '-c', 'far', 'type=mirror', 'mirror_url=http://127.0.0.1:1/simple/', 'mirror_cache_expiry=60'],
        [/^ {2}type=mirror$/m, /^ {2}mirror_cache_expiry=60$/m],
      )
    })

    test('index key=value, key+=, key-= and key=', async () => {
      const ned = await desk.person('ned')
      await ned.does(['index', 'bases=root/pypi'], [/\/ned\/dev bases=root\/pypi/, /^ {2}bases=root\/pypi$/m])
      await ned.does(['index', 'ned/dev', 'acl_upload+=ann', 'volatile=False'], [/^ {2}acl_upload=ned,ann$/m])
      await ned.does(['index', 'dev', 'acl_upload-=ned'], [/^ {2}acl_upload=ann$/m, /^ {2}volatile=False$/m])
      await ned.does(
        ['index', 'mirror_whitelist+=flask', 'mirror_whitelist+=django'],
        [/mirror_whitelist=flask,django/],
      )
      await ned.does(['index', 'bases=', 'mirror_whitelist=*'], [/^ {2}bases=$/m, /^ {2}mirror_whitelist=\*$/m])
      assert.deepEqual(await optionsOf('ned/dev'), {
        acl_upload: ['ann'],
        bases: [],
        mirror_whitelist: ['*'],
        volatile: false,
      })
      await ned.fails(['index', 'dev', 'type=mirror'], [/400 Bad Request/])
      await ned.fails(['index', 'root/pypi', 'volatile=True'], [/403 Forbidden/])
    })

    test('getjson and patchjson', async () => {
      const oda = await desk.person('oda')
      await oda.does(['getjson', '/'], [/"type": "list:userconfig"/, /"oda": \{/])
      await oda.does(['getjson', '/oda/dev'], [/"type": "indexconfig"/, /"projects": \[\]/])
      await oda.does(['getjson', `${desk.url}/+api`], [/"type": "apiconfig"/])
      await oda.does(['getjson', '-v', '/oda'], [/X-DEVPI-API-VERSION: 2/i, /"type": "userconfig"/])
      await oda.fails(['getjson', '/nobody'], [/404 Not Found/])
      await oda.writes({
        'list.json': '["title=By a list", "acl_upload+=ann"]',
        'whole.json': '{"title": "By a table", "volatile": false}',
        'bad.json': '{"unheard": "of"}',
      })
      await oda.does(['patchjson', '/oda/dev', 'list.json'], [/"title": "By a list"/])
      assert.deepEqual((await desk.state('oda/dev'))?.acl_upload, ['oda', 'ann'])
      await oda.fails(['patchjson', '/oda/dev', 'bad.json'], [/400 Bad Request/])
      if (version === '7.3.0') {
        await oda.does(['patchjson', '/oda/dev', '-'], [], { input: '["title=From stdin"]' })
        assert.equal((await desk.state('oda/dev'))?.title, 'From stdin')
      }
    })

    async function optionsOf(index: string) {
      const { acl_upload, bases, mirror_whitelist, volatile } = (await desk.state(index)) ?? {}
      return { acl_upload, bases, mirror_whitelist, volatile }
    }
  })
}

/** 6.x writes the older of the two places. */
async function readPip(person: DevpiPerson): Promise<string> {
  return await person.reads('.config/pip/pip.conf').catch(() => person.reads('.pip/pip.conf'))
}
