import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { uploadForm } from './upload-form.ts'

test('uploadForm() announces exactly the bytes that it gives, and a standard parser reads them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'upload-form-'))
  try {
    const path = join(folder, 'a.tar.gz')
    writeFileSync(path, Buffer.alloc(200_000, 7))
    const file = {
      path,
      filename: 'a"b.tar.gz',
      sizeBytes: 200_000,
      action: 'file_upload',
      name: 'a',
      version: '1',
      fields: [],
    } as const
    const seen: number[] = []
    const form = uploadForm(
      file,
      [
        ['summary', 'Größe\r\nzwei'],
        ['classifiers', 'x'],
        ['classifiers', 'y'],
      ],
      (bytes) => seen.push(bytes),
    )
    const chunks: Uint8Array[] = []
    for await (const chunk of form.open()) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    assert.equal(bytes.length, form.sizeBytes)
    assert.equal(seen.at(-1), 200_000)
    const parsed = await new Response(bytes, { headers: { 'content-type': form.type } }).formData()
    assert.equal(parsed.get('summary'), 'Größe\r\nzwei')
    assert.deepEqual(parsed.getAll('classifiers'), ['x', 'y'])
    const content = parsed.get('content') as File
    assert.equal(content.size, 200_000)
    assert.equal(content.name, 'a"b.tar.gz')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
