/** uv and twine publish from a build without any password: an issuer of this machine, GitHub's way to a build's own token, HTTPS. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type BuiltFile, sdist, wheel } from '../builders/wheels.ts'
import { cleanEnv } from '../programs/clean-env.ts'
import { type PythonClients, pythonClients } from '../programs/python-clients.ts'
import { type Outcome, runProgram } from '../programs/run-program.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { makeAuthority } from '../upstream/certificates.ts'
import { type FakeIssuer, githubClaims, startFakeIssuer } from '../upstream/fake-issuer.ts'
import { startTlsRelay, type TlsRelay } from '../upstream/tls-relay.ts'
import { programFetch } from '../world/program-fetch.ts'
import { type ServedFolder, serveFolder } from './served-folder.ts'

const PASSWORD = 'correct horse'
const BUILD = githubClaims('octo/acme', 'release.yml')
/** twine offers this for the public index alone; what it does is the same for any. */
const TWINE = [
  'import sys, twine.auth, twine.__main__',
  'twine.auth.Resolver.is_pypi = lambda self: True',
  'sys.argv[0] = "twine"',
  'sys.exit(twine.__main__.main())',
].join('; ')

type Build = Parameters<FakeIssuer['githubBuild']>[0]
type Publish = (file: BuiltFile, build?: Build) => Promise<Outcome>

describe('Trusted Publishing', { timeout: 600_000 }, () => {
  let issuer: FakeIssuer
  let served: ServedFolder
  let relay: TlsRelay
  let clients: PythonClients
  let authority: string

  before(async () => {
    issuer = await startFakeIssuer()
    served = await serveFolder({ AIRLOCK_NO_ROOT_PYPI: 'true', AIRLOCK_ROOT_PASSWD: PASSWORD })
    clients = await pythonClients()
    const made = makeAuthority()
    authority = join(clients.home, 'authority.pem')
    await writeFile(authority, made.certificate)
    relay = await startTlsRelay(made.issue('airlock'), () => Number(new URL(served.url).port))
    await airlock('use', served.url)
    await airlock('login', 'root', '--password', PASSWORD)
    await airlock('index', '-c', 'prod', 'bases=', 'volatile=False')
    await airlock('use', 'root/prod')
    const projects = ['--project', 'acme', '--issuer', issuer.url]
    await airlock('publisher', 'add', '--github', 'octo/acme', '--workflow', 'release.yml', ...projects)
    await airlock('publisher', 'add', '--gitlab', 'group/acme', ...projects)
  })

  after(async () => {
    await relay?.[Symbol.asyncDispose]()
    await clients?.[Symbol.asyncDispose]()
    await served?.[Symbol.asyncDispose]()
    await issuer?.[Symbol.asyncDispose]()
  })

  const uv: Publish = async (file, build = () => BUILD) => {
    const path = await onDisk(file)
    const args = ['publish', '--trusted-publishing', 'always', '--publish-url', `${relay.url}/root/prod/`, path]
    return await clients.run('uv', args, { env: { ...issuer.githubBuild(build), SSL_CERT_FILE: authority } })
  }
  const twine: Publish = async (file, build = () => BUILD) => {
    const path = await onDisk(file)
    const args = [
      'upload',
      '--non-interactive',
      '--disable-progress-bar',
      '--repository-url',
      `${relay.url}/root/prod/`,
    ]
    const env = { ...issuer.githubBuild(build), REQUESTS_CA_BUNDLE: authority }
    return await clients.run('python', ['-c', TWINE, ...args, path], { env })
  }

  for (const [program, publish, made] of [
    ['uv publish', uv, wheel],
    ['twine upload', twine, sdist],
  ] as const) {
    test(`${program} needs no password`, async () => {
      const file = made({ name: 'acme', version: '1.0' })
      const got = await publish(file)
      assert.equal(got.code, 0, got.output)
      assert.ok((await listed('acme')).includes(file.filename))
      assert.doesNotMatch(await served.logged(), /airlock-[\w-]{43}/)
    })

    test(`${program} is told that the token is for another project`, async () => {
      const got = await publish(made({ name: 'tools', version: '1.0' }))
      assert.notEqual(got.code, 0)
      assert.match(flat(got), /the token is not for project 'tools' on index root\/prod/)
      assert.deepEqual(await listed('tools'), [])
    })

    test(`${program} is told that the build is not trusted`, async () => {
      const got = await publish(made({ name: 'acme', version: '9.0' }), () => githubClaims('evil/acme', 'release.yml'))
      assert.notEqual(got.code, 0)
      assert.match(flat(got), /No index trusts this publisher: repository=evil\/acme/)
    })

    test(`${program} is told that the token has expired`, async () => {
      const past = Math.floor(Date.now() / 1000) - 3600
      const got = await publish(made({ name: 'acme', version: '9.0' }), () => ({
        ...BUILD,
        iat: past,
        exp: past + 300,
      }))
      assert.notEqual(got.code, 0)
      assert.match(flat(got), /Cannot accept the OIDC token: it expired at 20/)
    })

    test(`${program} is told that the token was used before`, async () => {
      const once = await issuer.token(BUILD)
      const first = await publish(made({ name: 'acme', version: '2.0' }), async () => once)
      assert.equal(first.code, 0, first.output)
      const again = await publish(made({ name: 'acme', version: '9.0' }), async () => once)
      assert.notEqual(again.code, 0)
      assert.match(flat(again), /it was used before/)
    })
  }

  test('jobs of GitLab publish with the token that stands in their environment', async () => {
    const job = {
      sub: 'project_path:group/acme:ref_type:tag:ref:v5',
      project_path: 'group/acme',
      ref_path: 'refs/tags/v5',
      ci_config_ref_uri: 'gitlab.example/group/acme//.gitlab-ci.yml@refs/tags/v5',
    }
    const path = await onDisk(wheel({ name: 'acme', version: '5.0' }))
    const args = ['publish', '--trusted-publishing', 'always', '--publish-url', `${relay.url}/root/prod/`, path]
    const env = { GITLAB_CI: 'true', AIRLOCK_ID_TOKEN: await issuer.token(job), SSL_CERT_FILE: authority }
    const got = await clients.run('uv', args, { env })
    assert.equal(got.code, 0, got.output)
  })

  test('an API token from the command line uploads with uv and twine until it is revoked', async () => {
    const secret = (await airlock('token', 'create', '--index', 'prod', '--project', 'tools')).trim()
    const url = `${served.url}/root/prod/`
    const byUv = async (file: BuiltFile) =>
      await clients.run('uv', ['publish', '--token', secret, '--publish-url', url, await onDisk(file)])
    const first = await byUv(wheel({ name: 'tools', version: '1.0' }))
    assert.equal(first.code, 0, first.output)
    const path = await onDisk(sdist({ name: 'tools', version: '1.0' }))
    const env = { TWINE_USERNAME: '__token__', TWINE_PASSWORD: secret }
    const second = await clients.run('twine', ['upload', '--disable-progress-bar', '--repository-url', url, path], {
      env,
    })
    assert.equal(second.code, 0, second.output)
    const other = await byUv(wheel({ name: 'other', version: '1.0' }))
    assert.notEqual(other.code, 0)
    assert.match(flat(other), /the token is not for project 'other'/)
    const [shown] = JSON.parse(await airlock('token', 'list', '--json')) as { id: number; projects: string[] }[]
    assert.deepEqual(shown?.projects, ['tools'])
    await airlock('token', 'revoke', String(shown?.id))
    const revoked = await byUv(wheel({ name: 'tools', version: '2.0' }))
    assert.notEqual(revoked.code, 0)
    assert.match(flat(revoked), /wrong user name or password/)
  })

  test('what was used before is known over a restart, and uv gives its token back', async () => {
    const once = await issuer.token(BUILD)
    assert.equal((await uv(wheel({ name: 'acme', version: '3.0' }), async () => once)).code, 0)
    assert.equal((await served.requestPaths()).at(-1), '/_/oidc/burn-token')
    await served.stop()
    await served.start()
    const again = await programFetch(`${served.url}/_/oidc/mint-token`, {
      method: 'POST',
      body: JSON.stringify({ token: once }),
    })
    assert.equal(again.status, 422)
    assert.match(await again.text(), /it was used before/)
    assert.deepEqual(
      (await listed('acme')).filter((filename) => filename.includes('9.0')),
      [],
    )
  })

  async function onDisk({ filename, bytes }: BuiltFile): Promise<string> {
    const path = join(clients.home, filename)
    await writeFile(path, bytes)
    return path
  }

  async function airlock(...words: readonly string[]): Promise<string> {
    const env = cleanEnv(clients.home)
    const got = await runProgram(join(CHECKOUT, 'bin/airlock'), words, { cwd: clients.home, env })
    assert.equal(got.code, 0, got.output)
    return got.stdout
  }

  async function listed(project: string): Promise<string[]> {
    const accept = 'application/vnd.pypi.simple.v1+json'
    const page = await fetch(`${served.url}/root/prod/+simple/${project}/`, { headers: { accept } })
    if (page.status === 404) return []
    return ((await page.json()) as { files: { filename: string }[] }).files.map((file) => file.filename)
  }
})

/** Both programs break long lines, twine in a frame. */
function flat({ output }: Outcome): string {
  return output.replace(/[\s│]+/g, ' ')
}
