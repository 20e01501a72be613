import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startFakeUpstream } from '../../test/ground/fake-upstream.ts'
import { openTempStores } from '../../test/temp-stores.ts'
import { deleteIndex } from '../catalog/accounts.ts'
import { withLimits } from '../model/limits.ts'
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
    url: upstream.url,
    path: join(stores.folder, 'list'),
    temp: stores.folder,
    expiryMs: 1000,
    offline: false,
    limits: withLimits({}),
    clock: stores.clock,
    userAgent: 'test',
    onFailure: (reason) => failures.push(reason),
  })
  const refreshed = names.refresh()
  await stores.catalog.write((writer) => deleteIndex(writer, record))
  await refreshed
  assert.deepEqual(failures, [])
  assert.equal(upstream.count('/simple/'), 1)
})
