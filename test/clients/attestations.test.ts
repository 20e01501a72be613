/** Attestations that real workflows made, sent by uv and by our client, and what the reference implementation says of what we serve. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { cleanEnv, cleanPath } from '../programs/clean-env.ts'
import { type PythonClients, pythonClients } from '../programs/python-clients.ts'
import { type PythonEnvironment, preparePythonEnvironment } from '../programs/python-environment.ts'
import { runProgram } from '../programs/run-program.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { type RealAttestations, realAttestations } from '../sigstore/real-attestations.ts'
import { programFetch } from '../world/program-fetch.ts'
import { startWorld } from '../world/world.ts'
import { type ServedFolder, serveFolder } from './served-folder.ts'

const PASSWORD = 'correct horse'
const REFERENCE: PythonEnvironment = {
  folder: join(CHECKOUT, '.cache', 'attestations'),
  pins: join(import.meta.dirname, '..', 'programs', 'attestation-clients.txt'),
  holds: 'pypi-attestations',
}
const OWN = 'pypi_attestations-0.0.19.tar.gz'
const REPOSITORY = 'trailofbits/pypi-attestations'
const [FORGE, GITLAB] = ['https://github.com', 'https://gitlab.com']

describe('real attestations', { timeout: 600_000 }, () => {
  let real: RealAttestations
  let served: ServedFolder
  let clients: PythonClients

  before(async () => {
    await preparePythonEnvironment(undefined, REFERENCE)
    real = await realAttestations()
    served = await serveFolder({ AIRLOCK_NO_ROOT_PYPI: 'true', AIRLOCK_ROOT_PASSWD: PASSWORD })
    clients = await pythonClients()
    const authorization = `Basic ${Buffer.from(`root:${PASSWORD}`).toString('base64')}`
    for (const index of ['uv', 'ours']) {
      const made = await programFetch(`${served.url}/root/${index}`, {
        method: 'PUT',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ bases: '', volatile: false }),
      })
      assert.equal(made.status, 200)
    }
  })

  after(async () => {
    await clients?.[Symbol.asyncDispose]()
    await served?.[Symbol.asyncDispose]()
  })

  test('each kind of publisher is known by its certificate, against the trusted root that comes along', async () => {
    await using world = await startWorld()
    for (const [filename, version, attestations, publisher] of [
      [
        OWN,
        '0.0.19',
        [real.json(`${OWN}.publish.attestation`), real.json(`${OWN}.slsa.attestation`)],
        { kind: 'GitHub', repository: REPOSITORY, workflow: 'release.yml', environment: null },
      ],
      [
        'gitlab_oidc_project-0.0.3.tar.gz',
        '0.0.3',
        [real.json('gitlab_oidc_project-0.0.3.tar.gz.publish.attestation')],
        {
          kind: 'GitLab',
          repository: 'facutuesca/gitlab-oidc-project',
          workflow_filepath: '.gitlab-ci.yml',
          environment: null,
        },
      ],
      [
        'circleci_sign_publish_example-0.0.1.dev137-py3-none-any.whl',
        '0.0.1.dev137',
        [real.json('circleci_sign_publish_example-0.0.1.dev137-py3-none-any.whl.publish.attestation')],
        {
          kind: 'CircleCI',
          project_id: 'fdd9283f-e619-46af-8f9c-851f7d3e8b2b',
          pipeline_definition_id: '8e4f8ab2-8d7c-4827-9f15-de076d6d647f',
          vcs_origin: 'github.com/CircleCI-Public/sign-and-publish-examples',
          vcs_ref: 'refs/heads/pypi',
        },
      ],
    ] as const) {
      const file = real.distribution(filename)
      const sent = await world.alice.uploads(file, 'alice/dev', { attestations: JSON.stringify(attestations) })
      assert.equal(sent.status, 200, `${filename}: ${sent.text}`)
      const project = filename.split('-')[0]!
      const served = await world.stranger.asks(`/alice/dev/integrity/${project}/${version}/${filename}/provenance`)
      assert.deepEqual(served.json(), { version: 1, attestation_bundles: [{ publisher, attestations }] })
    }
  })

  test('an attestation that the staging instance of Sigstore vouches for is refused', async () => {
    await using world = await startWorld()
    const file = real.distribution('rfc8785-0.1.2-py3-none-any.whl')
    const attestations = JSON.stringify([real.json(`${file.filename}.publish.attestation`)])
    const answer = await world.alice.uploads(file, 'alice/dev', { attestations })
    assert.equal(answer.status, 400)
    assert.match(answer.text, /its certificate does not come from an authority that is trusted/)
  })

  for (const [what, index, upload] of [
    [
      'uv publish',
      'uv',
      (folder: string) =>
        clients.run('uv', ['publish', '--publish-url', `${served.url}/root/uv/`, `${folder}/*`], {
          env: { UV_PUBLISH_USERNAME: 'root', UV_PUBLISH_PASSWORD: PASSWORD },
        }),
    ],
    ['airlock upload', 'ours', (folder: string) => airlock('upload', '--index', 'root/ours', '--from-dir', folder)],
  ] as const) {
    test(`${what} sends the attestations that lie beside; pypi-attestations verifies what is served, offline`, async () => {
      const folder = join(clients.home, index)
      await mkdir(folder)
      const kinds = ['', '.publish.attestation', '.slsa.attestation']
      for (const kind of kinds) await writeFile(join(folder, OWN + kind), real.bytes(OWN + kind))
      const sent = await upload(folder)
      assert.equal(sent.code, 0, sent.output)
      const page = await fetch(`${served.url}/root/${index}/+simple/pypi-attestations/`, {
        headers: { accept: 'application/vnd.pypi.simple.v1+json' },
      })
      const { files } = (await page.json()) as { files: { provenance: string }[] }
      const address = files[0]?.provenance ?? ''
      assert.ok(address.startsWith(`${served.url}/root/${index}/+f/`), JSON.stringify(files))
      const provenance = Buffer.from(await (await fetch(address)).arrayBuffer())
      const path = join(folder, 'provenance.json')
      await writeFile(path, provenance)
      const verdict = await reference(folder, path, `${FORGE}/${REPOSITORY}`)
      assert.equal(verdict.code, 0, verdict.output)
      assert.match(verdict.output, /OK: pypi_attestations-0\.0\.19\.tar\.gz/)
      const another = await reference(folder, path, `${GITLAB}/${REPOSITORY}`)
      assert.notEqual(another.code, 0, 'the test can fail')
    })
  }

  function reference(folder: string, provenance: string, repository: string) {
    const program = join(REFERENCE.folder, 'bin', 'pypi-attestations')
    const options = ['--offline', '--provenance-file', provenance, '--repository', repository]
    return runProgram(program, ['verify', 'pypi', ...options, join(folder, OWN)], {
      cwd: folder,
      env: cleanEnv(clients.home),
    })
  }

  async function airlock(...args: readonly string[]) {
    const run = (words: readonly string[]) =>
      runProgram(join(CHECKOUT, 'bin/airlock'), words, {
        cwd: clients.home,
        env: cleanEnv(clients.home, { PATH: cleanPath() }),
      })
    for (const words of [
      ['use', served.url],
      ['login', 'root', '--password', PASSWORD],
    ]) {
      const done = await run(words)
      assert.equal(done.code, 0, done.output)
    }
    return await run(args)
  }
})
