import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFilename } from '../../src/pep/filename.ts'
import { amounts, BIG, build, LARGE, SEARCHED, SMALL, wantedFiles } from './wanted-files.ts'

test('wantedFiles() names as many files as it is told, none of them twice, each by a name that can be read', () => {
  const wanted = wantedFiles(amounts(1))
  const names = wanted.map((each) => `${each.project} ${each.version} ${each.tag}`)
  assert.equal(new Set(names).size, 12_000)
  const of = (project: string) => wanted.filter((each) => each.project === project).length
  assert.deepEqual([of(SMALL), of(LARGE), of(BIG)], [12, 2_000, 4_200])
  for (const each of [wanted[0]!, wanted[500]!, wanted[5_000]!, wanted.at(-1)!]) {
    assert.equal(parseFilename(build(each).filename)?.kind, 'wheel')
  }
})

test('build() gives the same bytes for the same name, and the word that is searched for to every twentieth project', () => {
  const file = { project: 'bench-other-000020', version: '1.0', tag: 'py3-none-any' }
  const other = { ...file, project: 'bench-other-000021' }
  assert.equal(build(file).sha256, build(file).sha256)
  const holds = (each: typeof file) => build(each).bytes.length
  assert.notEqual(build(file).sha256, build(other).sha256)
  assert.ok(holds(file) < 4_096)
  assert.match(SEARCHED, /^[a-z]+$/)
})
