import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { tempFolder } from '../../test/world/temp-folder.ts'
import { writeBlob } from '../blob/blob-store.ts'
import { openBlobs } from './blob-stores.ts'

const options = { readChunkBytes: 4096, clear: false }

test('openBlobs() opens the store that the scheme names', async () => {
  await using folder = await tempFolder()
  const url = pathToFileURL(`${folder.path}/with a space`)
  const { digest } = await writeBlob(await openBlobs(url, options), [Buffer.from('bytes')], { limitBytes: 5 })
  assert.deepEqual(await (await openBlobs(url, options)).stat(digest), { digest, sizeBytes: 5 })
})

test('openBlobs() refuses a scheme that it does not know, and names those that it does', async () => {
  for (const url of ['gopher://host/', 'constructor:x']) {
    await assert.rejects(openBlobs(new URL(url), options), { code: 'setting-invalid', hint: 'the stores are file:' })
  }
})
