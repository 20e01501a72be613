/** Our client commands with the real tox, Sphinx, build and pip, on our server and on devpi's own; and in turn with devpi's client. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { cleanEnv, cleanPath } from '../programs/clean-env.ts'
import { DEVPI_CLIENT_7, prepareDevpiClient, runDevpiClient } from '../programs/devpi-clients.ts'
import { startDevpiServer } from '../programs/devpi-server-process.ts'
import { pythonClients } from '../programs/python-clients.ts'
import { type Outcome, runProgram } from '../programs/run-program.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { serveFolder } from './served-folder.ts'

const PROJECT = {
  'pyproject.toml':
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n[project]\nname = "acme-tools"\nversion = "1.0"\n',
  'src/acme_tools/__init__.py': 'answer = 42\n',
  'tox.ini':
    '[tox]\nenvlist = py\n\n[testenv]\ncommands = python -c "import acme_tools; assert acme_tools.answer == 42"\n',
  'MANIFEST.in': 'include tox.ini\n',
  'docs/conf.py': 'project = "acme"\n',
  'docs/index.rst': 'Acme\n====\n\nWhat it does.\n',
}
const SERVERS = [
  ['our server', () => serveFolder({ AIRLOCK_NO_ROOT_PYPI: 'true' })],
  ["devpi's server", () => startDevpiServer()],
] as const
const LONG = { timeout: 900_000 }

for (const [what, start] of SERVERS) {
  test(`the commands of our client do their work on ${what}`, LONG, async () => {
    await using server = await start()
    await using person = await newPerson()
    await person.writes(PROJECT)
    await person.does(['use', server.url])
    await person.does(['login', 'root', '--password', ''])
    await person.does(['index', '-c', 'dev'])
    await person.does(['index', '-c', 'stable', 'volatile=False'])
    await person.does(['use', 'root/dev'])

    const uploaded = await person.does(['upload', '--no-isolation', '--no-vcs', '--with-docs'])
    assert.match(uploaded.stdout, /^doc_upload of acme-tools-1\.0\.doc\.zip to http/m)
    const listed = await person.does(['list', 'acme-tools'])
    assert.deepEqual(listed.stdout.match(/[^/\n]+$/gm)?.toSorted(), [
      'acme_tools-1.0-py3-none-any.whl',
      'acme_tools-1.0.tar.gz',
    ])

    const tested = await person.does(['test', '--json', '--select', 'whl$', 'acme-tools'])
    const outcomes: { passed: boolean; result: string }[] = JSON.parse(tested.stdout)
    assert.equal(outcomes.length, 1)
    assert.equal(outcomes[0]?.passed, true)
    assert.match(outcomes[0]?.result ?? '', /^root\/dev\/\+f\/.*\.whl\.toxresult-/)
    assert.match((await person.does(['list', '-t', 'acme-tools'])).stdout, /^\S+ +\S+ +py +3\S+ tests passed$/m)

    const pushed = await person.does(['push', '--json', 'acme-tools==1.0', 'root/stable'])
    const rows: [number, string][] = JSON.parse(pushed.stdout)
    assert.deepEqual([...new Set(rows.map(([code, what]) => `${code} ${what}`))].toSorted(), [
      '200 register',
      '200 store_doczip',
      '200 store_releasefile',
      '200 store_toxresult',
    ])
    assert.match(
      (await person.run(['push', 'acme-tools==1.0', 'root/stable'])).stdout,
      /^409 Conflict: .*already exists/m,
    )
    assert.match((await person.run(['push', 'acme-tools==9', 'root/stable'])).stdout, /^400 /m)

    await using clients = await pythonClients()
    const venv = await clients.freshVenv()
    await person.does(['install', '--index', 'root/stable', '--venv', venv.path, 'acme-tools'])
    const installed = JSON.parse((await person.does(['install', '-l', '--json'])).stdout) as { name: string }[]
    assert.ok(installed.some(({ name }) => name.replace('_', '-') === 'acme-tools'))

    await person.does(['refresh', 'acme-tools'])
    await writeFile(join(person.home, 'change.json'), '["title=Ours"]')
    await person.does(['patchjson', '/root/dev', 'change.json'])
    const shown = JSON.parse((await person.does(['getjson', '/root/dev'])).stdout)
    assert.equal(shown.result.title, 'Ours')

    await person.does(['use', 'root/stable'])
    const refused = await person.run(['remove', '-y', 'acme-tools'])
    assert.deepEqual([refused.code, /^403 Forbidden/m.test(refused.stdout)], [1, true])
    await person.does(['remove', '-y', '--force', 'acme-tools==1.0'])
    assert.equal((await person.does(['list'])).stdout, '')
    await person.does(['use', 'root/dev'])
    const files = (await person.does(['list', 'acme-tools'])).stdout.trim().split('\n')
    await person.does(['remove', '-y', files[0]!])
    assert.equal((await person.does(['list', 'acme-tools'])).stdout.trim(), files[1])
    assert.match((await person.does(['--version'])).stdout, /^devpi-client 7(?:.|\n)*^ {4}devpi-server 6\.20/m)
  })
}

test("our client and devpi's work in turn, from the same files", LONG, async () => {
  await using server = await serveFolder({ AIRLOCK_NO_ROOT_PYPI: 'true' })
  await using person = await newPerson()
  const theirs = async (...args: string[]) => {
    const outcome = await runDevpiClient('7.3.0', 'devpi', args, { home: person.home })
    assert.equal(outcome.code, 0, outcome.output)
    return outcome.stdout
  }
  await person.does(['use', server.url])
  await person.does(['login', 'root', '--password', ''])
  assert.match(await theirs('use'), /logged in as root/)
  await theirs('index', '-c', 'dev')
  await theirs('use', 'root/dev')
  const said = await person.does(['use', '--set-cfg', '--always-set-cfg', 'yes'])
  assert.match(said.stdout, /^current devpi index: \S+\/root\/dev \(logged in as root\)$/m)
  assert.match(await theirs('use'), /^always-set-cfg: yes$/m)
  await theirs('user', '-c', 'bob', 'password=secret')
  await theirs('login', 'bob', '--password', 'secret')
  assert.match((await person.does(['use'])).stdout, /logged in as bob/)
  await person.does(['logoff'])
  assert.match(await theirs('use'), /not logged in|logged in as root/)
})

/** Somebody with a HOME of their own, in which they work. */
async function newPerson() {
  await prepareDevpiClient('7.3.0')
  const home = await tempFolder()
  const programs = join(DEVPI_CLIENT_7.folder, 'bin')
  const env = cleanEnv(home.path, {
    PATH: cleanPath(programs),
    PIP_CONFIG_FILE: join(home.path, 'pip.conf'),
    PYTHONUTF8: '1',
  })
  const run = (args: readonly string[]): Promise<Outcome> =>
    runProgram(join(CHECKOUT, 'compat/bin/devpi'), args, { cwd: home.path, env, timeoutMs: 300_000 })
  return {
    home: home.path,
    run,
    /** Must end with 0. */
    async does(args: readonly string[]): Promise<Outcome> {
      const outcome = await run(args)
      assert.equal(outcome.code, 0, `devpi ${args.join(' ')}\n${outcome.output}`)
      return outcome
    },
    async writes(files: Readonly<Record<string, string>>): Promise<void> {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(home.path, path)), { recursive: true })
        await writeFile(join(home.path, path), text)
      }
    },
    [Symbol.asyncDispose]: () => home.remove(),
  }
}
