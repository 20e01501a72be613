import assert from 'node:assert/strict'
import fs from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { tempFolder } from '../../test/world/temp-folder.ts'
import { durableSteps, linkDurably, renameDurably, syncFile, syncFolder } from './durable.ts'

test('syncFile() and syncFolder() have the system sync, and tell of it afterwards', async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'x')
  await using file = await open(path, 'w')
  const seen: string[] = []
  const { fsync } = fs
  const listen = (step: unknown) => seen.push(`told ${(step as { what: string }).what}`)
  durableSteps.subscribe(listen)
  const spied = mock.method(fs, 'fsync', ((descriptor: number, done: fs.NoParamCallback) => {
    fsync(descriptor, (error) => {
      seen.push(descriptor === file.fd ? 'synced file' : 'synced folder')
      done(error)
    })
  }) as typeof fs.fsync)
  try {
    await syncFile(file.fd, path)
    await syncFolder(folder.path)
    linkDurably(path, `${path}.link`)
    await renameDurably(path, `${path}.renamed`)
  } finally {
    spied.mock.restore()
    durableSteps.unsubscribe(listen)
  }
  assert.deepEqual(seen, ['synced file', 'told file', 'synced folder', 'told folder', 'told name', 'told name'])
})

test('syncFile() rejects and tells nothing where the system cannot sync', async () => {
  const seen: unknown[] = []
  const listen = (step: unknown) => seen.push(step)
  durableSteps.subscribe(listen)
  await assert.rejects(syncFile(999_999, 'x'), { code: 'EBADF' })
  durableSteps.unsubscribe(listen)
  assert.deepEqual(seen, [])
})
