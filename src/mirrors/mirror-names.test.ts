import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startFakeUpstream } from '../../test/upstream/fake-upstream.ts'
import { NEAR } from '../../test/world/near.ts'
import { openTempStores } from '../../test/world/temp-stores.ts'
import { deleteIndex } from '../catalog/accounts.ts'
import { withLimits } from '../model/limits.ts'
import { ListSections } from '../names/list-sections.ts'
import { MirrorNames } from './mirror-names.ts'

test('refresh() of an index that was removed meanwhile ends without an error', async () => {
  await using upstream = await startFakeUpstream()
  await using stores = await openTempStores()
  upstream.addProject('acme')
  const record = await stores.addMirror('root/pypi', { mirror_url: upstream.url })
  const failures: string[] = []
  await using names = new MirrorNames({
    catalog: stores.catalog,
    record,
    upstream: { url: upstream.url, ...NEAR, limits: withLimits({}), userAgent: 'test' },
    path: join(stores.folder, 'list'),
    sections: new ListSections(0),
    temp: stores.folder,
    expiryMs: 1000,
    offline: false,
    limits: withLimits({}),
    clock: stores.clock,
    onFailure: (reason) => failures.push(reason),
    onChange: () => {},
    onNews: () => {},
  })
  const refreshed = names.refresh()
  await stores.catalog.write((writer) => deleteIndex(writer, record))
  await refreshed
  assert.deepEqual(failures, [])
  assert.equal(upstream.count('/simple/'), 1)
})

for (const [what, isThere] of [
  ['is missing: it is made', false],
  ['cannot be used: that is told, and tried later', true],
] as const) {
  test(`refresh() where the folder of unfinished things ${what}`, async () => {
    await using upstream = await startFakeUpstream()
    await using stores = await openTempStores()
    upstream.addProject('acme')
    const record = await stores.addMirror('root/pypi', { mirror_url: upstream.url })
    const temp = join(stores.folder, 'unfinished')
    if (isThere) await writeFile(temp, 'a file in place of the folder')
    const failures: string[] = []
    const limits = withLimits({})
    await using names = new MirrorNames({
      ...{ catalog: stores.catalog, record, path: join(stores.folder, 'list'), temp, clock: stores.clock, limits },
      sections: new ListSections(0),
      upstream: { url: upstream.url, ...NEAR, limits, userAgent: 'test' },
      expiryMs: 1000,
      offline: false,
      onFailure: (reason) => failures.push(reason),
      onChange: () => {},
      onNews: () => {},
    })
    await names.refresh()
    assert.equal(names.status.projects, isThere ? undefined : 1)
    assert.equal(failures.length, isThere ? 1 : 0)
    assert.equal(names.status.failure, failures[0])
  })
}

test('a server that stops while the list is on its way leaves nothing in the folder of unfinished things', async () => {
  await using upstream = await startFakeUpstream({ generatedNames: 200_000 })
  await using stores = await openTempStores()
  const record = await stores.addMirror('root/pypi', { mirror_url: upstream.url })
  const temp = join(stores.folder, 'unfinished')
  await mkdir(temp)
  const failures: string[] = []
  const shared = { catalog: stores.catalog, record, path: join(stores.folder, 'list'), temp, clock: stores.clock }
  const limits = withLimits({ sortRunNames: 100 })
  // At once, while the thread starts, while it reads, sorts and writes.
  for (const afterMs of [0, 50, 400, 800, 1200, 1600, 2000]) {
    const names = new MirrorNames({
      ...shared,
      sections: new ListSections(0),
      upstream: { url: upstream.url, ...NEAR, limits, userAgent: 'test' },
      expiryMs: 1000,
      offline: false,
      limits,
      onFailure: (reason) => failures.push(reason),
      onChange: () => {},
      onNews: () => {},
    })
    const refreshed = names.refresh()
    await delay(afterMs)
    await names[Symbol.asyncDispose]()
    await refreshed
    assert.deepEqual(await readdir(temp), [], `after ${afterMs} ms`)
  }
  assert.deepEqual(failures, [])
})
