/** pip-audit and uv ask Airlock for known vulnerabilities, which were imported beside the running server. */
import assert from 'node:assert/strict'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DEFAULT_UPSTREAM } from '../../src/config/settings.ts'
import { advisory } from '../builders/advisories.ts'
import { wheel } from '../builders/wheels.ts'
import { zip } from '../builders/zip.ts'
import { type AuditReport, pipAudit } from '../programs/pip-audit.ts'
import { type PythonClients, pythonClients } from '../programs/python-clients.ts'
import { programFetch } from '../world/program-fetch.ts'
import { type ServedFolder, serveFolder } from './served-folder.ts'

const PASSWORD = 'correct horse'
const RECORDS = [
  advisory({
    id: 'PYSEC-2026-1',
    events: [{ introduced: '0' }, { fixed: '2.0' }],
    more: { aliases: ['CVE-2026-1'], references: [{ type: 'WEB', url: 'https://example.org/1' }] },
  }),
  advisory({ id: 'PYSEC-2026-2', versions: ['2.0'], more: { withdrawn: '2026-02-01T00:00:00Z' } }),
  advisory({ id: 'MAL-2026-7', name: 'evil', versions: ['1.0'] }),
]

describe('auditors', { timeout: 600_000 }, () => {
  let served: ServedFolder
  let clients: PythonClients

  before(async () => {
    clients = await pythonClients()
    served = await serveFolder({ AIRLOCK_NO_ROOT_PYPI: '1', AIRLOCK_ROOT_PASSWD: PASSWORD })
    const made = await programFetch(`${served.url}/root/own`, {
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`root:${PASSWORD}`).toString('base64')}`,
      },
      body: '{}',
    })
    assert.equal(made.status, 200)
    const files = [
      await wheel({ name: 'acme', version: '1.0' }),
      await wheel({ name: 'acme', version: '2.0' }),
      await wheel({ name: 'evil', version: '1.0' }),
    ]
    for (const { filename, bytes } of files) await writeFile(join(clients.home, filename), bytes)
    const names = files.map(({ filename }) => filename)
    const env = { TWINE_USERNAME: 'root', TWINE_PASSWORD: PASSWORD }
    const sent = await clients.run('twine', ['upload', '--repository-url', `${served.url}/root/own/`, ...names], {
      env,
    })
    assert.equal(sent.code, 0, sent.output)
    for (const [name, pin] of [
      ['old', 'acme==1.0'],
      ['new', 'acme==2.0'],
      ['bad', 'evil==1.0'],
    ] as const) {
      await lock(name, pin)
    }
  })

  after(async () => {
    await served?.[Symbol.asyncDispose]()
    await clients?.[Symbol.asyncDispose]()
  })

  test('nothing imported: no auditor says that all is well', async () => {
    const audited = await pipAudit(clients.home, served.url, ['acme==2.0'])
    assert.notEqual(audited.code, 0, audited.output)
    assert.doesNotMatch(audited.output, /No known vulnerabilities/)
    const asked = await uv('new', ['audit', '--frozen', '--service-url', served.url])
    assert.equal(asked.code, 2, asked.output)
    assert.match(asked.output, /503 Service Unavailable/)
    await lockedFromPublicIndex('new')
    const synced = await sync('new')
    assert.match(synced.output, /Malware check failed/)
    assert.equal(synced.code, 2)
  })

  test('airlock advisories import, beside the server, once and again', async () => {
    const dump = join(clients.home, 'all.zip')
    await writeFile(
      dump,
      zip(RECORDS.map((each) => ({ name: `${String(each.id)}.json`, content: JSON.stringify(each) }))),
    )
    const first = await served.maintain('advisories', 'import', dump)
    assert.deepEqual(
      [first.code, first.stdout],
      [0, 'imported 3, unchanged 0, about no Python package 0, unusable 0\n'],
    )
    const again = await served.maintain('advisories', 'import', dump, '--json')
    assert.deepEqual(JSON.parse(again.stdout), { imported: 0, unchanged: 3, others: 0, faults: 0 })
    const bad = join(clients.home, 'bad.json')
    await writeFile(bad, '{}')
    const refused = await served.maintain('advisories', 'import', bad)
    assert.deepEqual([refused.code, /bad\.json/.test(refused.stderr)], [1, true], refused.output)
    const all = await served.maintain('advisories', 'list')
    assert.match(all.stdout, /^3 advisories about 2 projects, 1 of them withdrawn, newest change 2026-01-02T/)
    const ofOne = await served.maintain('advisories', 'list', 'Acme')
    assert.equal(
      ofOne.stdout,
      'PYSEC-2026-1  changed 2026-01-02, fixed in 2.0\nPYSEC-2026-2  changed 2026-01-02, withdrawn\n',
    )
  })

  test('pip-audit reports the version that is affected, with its fix, and not the one that is fixed', async () => {
    const audited = await pipAudit(clients.home, served.url, ['acme==1.0', 'evil==1.0', 'unheard-of==3'])
    assert.equal(audited.code, 1, audited.output)
    const { dependencies } = JSON.parse(audited.stdout) as AuditReport
    assert.deepEqual(
      dependencies.map(({ name, vulns }) => [
        name,
        vulns.map(({ id, fix_versions, aliases }) => [id, fix_versions, aliases]),
      ]),
      [
        ['acme', [['PYSEC-2026-1', ['2.0'], ['CVE-2026-1']]]],
        ['evil', [['MAL-2026-7', [], []]]],
        ['unheard-of', []],
      ],
    )
    const fine = await pipAudit(clients.home, served.url, ['acme==2.0'])
    assert.equal(fine.code, 0, fine.output)
    assert.match(fine.output, /No known vulnerabilities found/)
  })

  test('uv audit reports the same of locked projects', async () => {
    const audit = (name: string) => uv(name, ['audit', '--frozen', '--service-url', served.url])
    const old = await audit('old')
    assert.equal(old.code, 1, old.output)
    assert.match(old.stdout, /acme 1\.0 has 1 known vulnerability:\s+- PYSEC-2026-1: .*\s+Fixed in: 2\.0/)
    const fine = await audit('new')
    assert.equal(fine.code, 0, fine.output)
    assert.match(fine.output, /no known vulnerabilities/)
    assert.match((await audit('bad')).stdout, /MAL-2026-7/)
  })

  test('the malware check of uv stops a sync of what was locked from the public index', async () => {
    for (const project of ['bad', 'new']) await lockedFromPublicIndex(project)
    const stopped = await sync('bad')
    assert.equal(stopped.code, 2, stopped.output)
    assert.match(stopped.output, /Malware detected.*`evil==1\.0`: MAL-2026-7/s)
    const fine = await sync('new')
    assert.equal(fine.code, 0, fine.output)
    assert.match(fine.output, /\+ acme==2\.0/)
  })

  test('the malware check of uv asks nothing about what was locked from anywhere else', async () => {
    await lock('bad', 'evil==1.0')
    const synced = await sync('bad')
    assert.equal(synced.code, 0, synced.output)
    assert.match(synced.output, /\+ evil==1\.0/, 'docs/advisories.md says otherwise')
  })

  function uv(project: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) {
    const env = { UV_DEFAULT_INDEX: `${served.url}/root/own/+simple/`, UV_NO_BUILD: '1', UV_HTTP_RETRIES: '0', ...more }
    return clients.run('uv', [...args], { cwd: join(clients.home, project), env })
  }

  function sync(project: string) {
    return uv(project, ['sync', '--frozen'], { UV_MALWARE_CHECK: '1', UV_MALWARE_CHECK_URL: served.url })
  }

  async function lock(project: string, pin: string): Promise<void> {
    const folder = join(clients.home, project)
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder)
    const lines = ['[project]', `name = "${project}"`, 'version = "0"', 'requires-python = ">=3.9"']
    await writeFile(join(folder, 'pyproject.toml'), `${[...lines, `dependencies = ["${pin}"]`].join('\n')}\n`)
    const locked = await uv(project, ['lock'])
    assert.equal(locked.code, 0, locked.output)
  }

  /** Only the name of the index is another one: the files stay where they are. */
  async function lockedFromPublicIndex(project: string): Promise<void> {
    const path = join(clients.home, project, 'uv.lock')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replaceAll(/registry = "[^"]*"/g, `registry = "${DEFAULT_UPSTREAM.replace(/\/$/, '')}"`))
  }
})
