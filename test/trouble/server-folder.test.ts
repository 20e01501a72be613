/** What `docs/format.md` promises of the server folder: a backup made beside the running server is whole, and lists may be lost. */
import assert from 'node:assert/strict'
import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openStores } from '../../src/compose/stores.ts'
import { loadConfig } from '../../src/config/load.ts'
import { check } from '../../src/jobs/upkeep.ts'
import { wheel } from '../builders/wheels.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { startWorld } from '../world/world.ts'

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'

test('a backup made as docs/format.md says, beside the running server, is clean and holds what was acknowledged', async () => {
  await using upstream = await startFakeUpstream()
  const { filename, bytes } = wheel({ name: 'public', version: '1.0' })
  upstream.add('public', { filename, bytes })
  await using world = await startWorld({ upstream })
  const own = wheel({ name: 'acme', version: '1.0' })
  assert.equal((await world.alice.uploads(own, 'alice/dev')).status, 200)
  const page = await world.stranger.asks('/root/pypi/+simple/public/', { accept: JSON_TYPE })
  const [file] = page.json<{ files: { url: string }[] }>().files
  const path = new URL(file!.url, 'http://airlock.example/root/pypi/+simple/public/').pathname
  assert.equal((await world.stranger.asks(path)).status, 200)
  await world.jobsDone()

  await using folder = await tempFolder()
  const backup = join(folder.path, 'backup')
  await mkdir(backup)
  const catalog = new DatabaseSync(join(world.folder, 'catalog.db'))
  catalog.exec(`VACUUM INTO '${join(backup, 'catalog.db')}'`)
  catalog.close()
  for (const name of ['airlock.json', 'secret', 'blobs']) {
    await cp(join(world.folder, name), join(backup, name), { recursive: true })
  }

  const config = loadConfig({ flags: { serverdir: backup }, env: {}, cwd: folder.path })
  await using stores = await openStores(config, { initialise: false, alone: true })
  assert.equal(stores?.identity.uuid, world.server.stores.identity.uuid)
  assert.equal(await stores.catalog.latestSerial(), await world.server.stores.catalog.latestSerial())
  const report = await check(stores.catalog, stores.blobs, { hashes: true })
  assert.deepEqual(report.faults, [])
  assert.equal(report.files, 2)
})

test('a list of names that was lost is fetched again, however young it was', async () => {
  await using upstream = await startFakeUpstream({ generatedNames: 1000 })
  await using world = await startWorld({ upstream })
  const count = async () => {
    const answer = await world.stranger.asks('/root/pypi/+simple/', { accept: JSON_TYPE })
    return answer.status === 200 ? answer.json<{ projects: unknown[] }>().projects.length : answer.text
  }
  assert.equal(await count(), 1000)
  for (const name of await readdir(join(world.folder, 'mirrors'))) await rm(join(world.folder, 'mirrors', name))
  assert.equal(await count(), 1000)
})
