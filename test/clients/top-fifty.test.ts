import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fileTypeOf, pythonTagOf } from '../../src/pep/filename.ts'
import { startWorld } from '../world/world.ts'
import { openTopFiles, TOP_FIFTY, topFiles } from './top-fifty.ts'

const world = await startWorld()
after(() => world[Symbol.asyncDispose]())
const upstream = await openTopFiles()
after(() => upstream[Symbol.asyncDispose]())
// As strict as an index can be: its files never change, and a release has one sdist.
await world.alice.asks('/alice/prod', { method: 'PUT', json: { volatile: false } })

test('the list has an sdist and a wheel of each of fifty projects', () => {
  const kinds = (project: string) =>
    topFiles().flatMap((file) => (file.project === project ? fileTypeOf(file.filename) : []))
  assert.equal(new Set(TOP_FIFTY).size, 50)
  for (const project of TOP_FIFTY) assert.deepEqual(kinds(project), ['sdist', 'bdist_wheel'], project)
})

for (const file of topFiles()) {
  test(`${file.filename} is accepted`, async () => {
    const { filename, sha256 } = file
    const bytes = await upstream.read(file)
    assert.equal(bytes.length, file.sizeBytes)
    const answer = await world.alice.uploads({ filename, bytes, sha256: sha256 as never }, 'alice/prod', {
      sha256_digest: sha256,
      filetype: fileTypeOf(filename)!,
      pyversion: pythonTagOf(filename),
    })
    assert.deepEqual([answer.status, answer.text], [200, ''])
  })
}
