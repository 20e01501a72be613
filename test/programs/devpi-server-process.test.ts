import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { test } from 'node:test'
import { fetch } from 'undici'
import { startDevpiServer } from './devpi-server-process.ts'

test('startDevpiServer() runs the pinned devpi-server, and takes its data with it', async () => {
  let folder: string
  {
    await using server = await startDevpiServer()
    folder = server.folder
    const answer = await fetch(`${server.url}/+api`, { headers: { accept: 'application/json' } })
    assert.equal(answer.headers.get('x-devpi-server-version'), '6.20.3')
    assert.ok((await stat(folder)).isDirectory())
  }
  await assert.rejects(stat(folder), { code: 'ENOENT' })
})
