/** The real pip, uv and twine at what is yanked, archived or quarantined with our commands. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { pythonClients } from '../programs/python-clients.ts'
import { runProgram } from '../programs/run-program.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { programFetch } from '../world/program-fetch.ts'
import { serveFolder } from './served-folder.ts'

const PASSWORD = 'correct horse'
const REASON = 'eats data'

test('pip, uv and twine heed what airlock yank and airlock status say', { timeout: 600_000 }, async () => {
  await using served = await serveFolder({ AIRLOCK_NO_ROOT_PYPI: 'true', AIRLOCK_ROOT_PASSWD: PASSWORD })
  await using clients = await pythonClients()
  const simple = `${served.url}/root/prod/+simple/`
  const airlock = async (...args: string[]) => {
    const env = { HOME: clients.home, PATH: process.env.PATH ?? '' }
    const got = await runProgram(join(CHECKOUT, 'bin/airlock'), args, { cwd: clients.home, env, timeoutMs: 120_000 })
    assert.equal(got.code, 0, got.output)
    return got.stdout
  }
  const api = async (method: string, path: string, body: unknown) => {
    const authorization = `Basic ${Buffer.from(`root:${PASSWORD}`).toString('base64')}`
    const headers = { authorization, 'content-type': 'application/json' }
    const answer = await programFetch(`${served.url}/root/prod${path}`, { method, headers, body: JSON.stringify(body) })
    assert.equal(answer.status, 200, await answer.text())
  }
  const upload = async (...files: readonly [name: string, version: string][]) => {
    const built = files.map(([name, version]) => wheel({ name, version }))
    for (const { filename, bytes } of built) await writeFile(join(clients.home, filename), bytes)
    const env = { TWINE_USERNAME: 'root', TWINE_PASSWORD: PASSWORD }
    const place = ['--disable-progress-bar', '--repository-url', `${served.url}/root/prod/`]
    return await clients.run('twine', ['upload', ...place, ...built.map(({ filename }) => filename)], { env })
  }
  // A dry run resolves and downloads, and leaves the next one an environment that has nothing.
  const installs = {
    pip: (wanted: string) =>
      clients.run('pip', ['install', '--dry-run', '--no-cache-dir', '--index-url', simple, wanted]),
    uv: (wanted: string) =>
      clients.run('uv', ['pip', 'install', '--dry-run', '--no-cache', '--index-url', simple, wanted]),
  }

  await api('PUT', '', { bases: [] })
  const sent = await upload(['acme', '1.0'], ['acme', '2.0'], ['suspect', '1.0'])
  assert.equal(sent.code, 0, sent.output)
  await airlock('use', `${served.url}/root/prod`)
  await airlock('login', 'root', '--password', PASSWORD)

  assert.match(await airlock('yank', 'acme==2.0', '--reason', REASON), /^yanked acme-2\.0-py3-none-any\.whl$/m)
  for (const [program, install] of Object.entries(installs)) {
    const newest = await install('acme')
    assert.equal(newest.code, 0, newest.output)
    assert.match(newest.output, /acme(-|==)1\.0/, program)
    assert.doesNotMatch(newest.output, /acme(-|==)2\.0/, program)
    const pinned = await install('acme==2.0')
    assert.equal(pinned.code, 0, pinned.output)
    assert.match(pinned.output, /acme(-|==)2\.0/, program)
    assert.match(pinned.output.replace(/\s+/g, ' '), new RegExp(`yanked.*${REASON}`, 'i'), program)
  }
  assert.equal(await airlock('status', 'suspect', 'quarantined'), 'suspect: quarantined\n')
  for (const [program, install] of Object.entries(installs)) {
    const refused = await install('suspect')
    assert.notEqual(refused.code, 0, program)
  }

  await api('PUT', '/+status/acme', { status: 'archived', reason: 'moved' })
  const refused = await upload(['acme', '3.0'])
  assert.notEqual(refused.code, 0)
  assert.match(
    refused.output.replace(/\s+/g, ' '),
    /403 .*Cannot upload to acme: it is archived on root\/prod \(moved\)\. To change that: airlock status acme active/,
  )
})
