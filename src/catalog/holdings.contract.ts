/** What every `Catalog` promises about what is held: projects, releases, files, and finding them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { digestOf } from '../lib/digest.ts'
import { createdOptions } from '../model/index-options.ts'
import { indexName, userName } from '../model/names.ts'
import type { IndexRecord } from '../model/records.ts'
import { projectName } from '../pep/name.ts'
import { createIndex, deleteIndex, deleteUser, indexAsWritten, saveUser, userAsWritten } from './accounts.ts'
import { NOW, type OpenedCatalog } from './catalog.contract.ts'
import type { Catalog, Writer } from './catalog.ts'
import { countHeld } from './file-totals.ts'
import { findFiles, listFiles, type NewFile, saveFile } from './files.ts'
import { findPage, savePage, setMirrorState } from './mirror-pages.ts'
import { isBlobNamed } from './named-blobs.ts'
import { findProject, listProjects, listReleases, saveRelease } from './projects.ts'
import { deleteFile, deleteProject } from './removal.ts'
import { searchProjects } from './search.ts'

/** `open` makes an empty catalog whose clock stands at `NOW`. */
export function holdingsContract(options: {
  readonly name: string
  readonly open: () => Promise<OpenedCatalog>
}): void {
  const promise = (sentence: string, check: (catalog: Catalog) => Promise<void>) =>
    test(`${options.name}: ${sentence}`, async () => {
      await using opened = await options.open()
      await check(opened.catalog)
    })
  const file = (name: string, version = '1.0'): NewFile => ({
    project: projectName(name),
    version,
    filename: `${name}-${version}.tar.gz`,
    digest: digestOf(`${name} ${version}`),
    sizeBytes: 5,
    uploadTime: NOW.toISOString(),
    addressHash: digestOf(name),
    log: [],
  })
  async function addIndex(catalog: Catalog, name: string, type = 'stage'): Promise<IndexRecord> {
    const [user = '', index = ''] = name.split('/')
    return await catalog.write(async (writer) => {
      if ((await userAsWritten(writer, user)) === undefined) {
        await saveUser(writer, { name: userName(user), created: 'then' }, 'created')
      }
      const owner = userName(user)
      await createIndex(writer, indexName(user, index), owner, createdOptions(owner, { type }))
      return (await indexAsWritten(writer, name))!
    })
  }
  const addProject = (
    catalog: Catalog,
    index: IndexRecord,
    name: string,
    metadata: Record<string, string> = {},
    version = '1.0',
  ) => catalog.write((writer) => saveRelease(writer, index, { project: projectName(name), version, metadata }))

  promise('a file row is kept whole', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    const full: NewFile = {
      ...file('acme'),
      requiresPython: '>=3.8',
      yanked: 'broken',
      coreMetadata: { digest: digestOf('m'), sizeBytes: 1 },
      origin: 'http://far/acme-1.0.tar.gz',
      log: [{ what: 'upload', who: 'u', when: [2026, 1, 2, 3, 4, 5] }],
    }
    await catalog.write((writer) => saveFile(writer, index, full, 'uploaded'))
    await catalog.write((writer) => saveFile(writer, index, { ...file('acme', '2.0'), yanked: true }, 'uploaded'))
    const [one, two] = await catalog.read((reader) => listFiles(reader, index, projectName('acme')))
    const { id: _id, ...rest } = one!
    assert.deepEqual(rest, { ...full, index: 'u/i' })
    assert.equal(two!.yanked, true)
    assert.equal((await catalog.read((reader) => findFiles(reader, index, 'acme-1.0.tar.gz'))).length, 1)
    for (const named of ['m', 'acme 1.0', 'acme 2.0']) {
      assert.equal(await catalog.read((reader) => isBlobNamed(reader, digestOf(named))), true)
    }
    assert.equal(await catalog.read((reader) => isBlobNamed(reader, digestOf('other'))), false)
  })

  promise('a file saved again takes the place of the one of its name', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    await catalog.write((writer) => saveFile(writer, index, { ...file('acme'), yanked: true }, 'uploaded'))
    await catalog.write((writer) => saveFile(writer, index, { ...file('acme'), digest: digestOf('new') }, 'replaced'))
    const files = await catalog.read((reader) => listFiles(reader, index, projectName('acme')))
    assert.deepEqual(
      files.map((each) => [each.digest, each.yanked]),
      [[digestOf('new'), undefined]],
    )
  })

  promise('projects are listed by name, in pages, with the latest version', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    for (const name of ['zeta', 'acme', 'beta']) await addProject(catalog, index, name, { summary: `About ${name}` })
    await addProject(catalog, index, 'acme', { summary: 'Newer' }, '1.10')
    await addProject(catalog, index, 'acme', { summary: 'Older' }, '1.9')
    const first = await catalog.read((reader) => listProjects(reader, index, '', 2))
    assert.deepEqual(
      first.map((row) => [row.name, row.latestVersion, row.summary]),
      [
        ['acme', '1.10', 'Newer'],
        ['beta', '1.0', 'About beta'],
      ],
    )
    const rest = await catalog.read((reader) => listProjects(reader, index, 'beta', 10))
    assert.deepEqual(
      rest.map((row) => row.name),
      ['zeta'],
    )
    assert.equal((await catalog.read((reader) => listReleases(reader, index, projectName('acme')))).length, 3)
  })

  for (const [what, remove] of [
    ['an index', async (writer: Writer, index: IndexRecord) => deleteIndex(writer, index)],
    ['a user', async (writer: Writer) => deleteUser(writer, userName('u'))],
  ] as const) {
    promise(`deleting ${what} takes everything below it, the search included`, async (catalog) => {
      const index = await addIndex(catalog, 'u/i', 'mirror')
      const other = await addIndex(catalog, 'v/i')
      for (const each of [index, other]) {
        await addProject(catalog, each, 'acme', { summary: 'wonderful' })
        await catalog.write((writer) => saveFile(writer, each, file('acme'), 'uploaded'))
      }
      await catalog.write(async (writer) => {
        await savePage(writer, index, projectName('acme'), { fetchedMs: 1, detail: Buffer.from('x') })
        await setMirrorState(writer, index, 'url', 'x')
      })
      await catalog.write((writer) => remove(writer, index))
      assert.equal(await catalog.read((reader) => indexAsWritten(reader, 'u/i')), undefined)
      assert.equal(await catalog.read((reader) => findProject(reader, index, projectName('acme'))), undefined)
      assert.deepEqual(await catalog.read((reader) => listFiles(reader, index, projectName('acme'))), [])
      assert.equal(await catalog.read((reader) => findPage(reader, index, projectName('acme'))), undefined)
      for (const query of ['wonderful', 'acme', 'acm']) {
        const hits = await catalog.read((reader) => searchProjects(reader, query, 10, []))
        assert.deepEqual(
          hits.map((hit) => hit.index),
          ['v/i'],
          query,
        )
      }
      assert.equal((await catalog.read((reader) => listFiles(reader, other, projectName('acme')))).length, 1)
    })
  }

  promise('what is held is told as it is, whatever was stored, replaced and deleted', async (catalog) => {
    const [one, other] = [await addIndex(catalog, 'u/one'), await addIndex(catalog, 'u/other')]
    const held = () => catalog.read(countHeld)
    const save = (index: IndexRecord, each: NewFile, how: 'uploaded' | 'replaced' = 'uploaded') =>
      catalog.write((writer) => saveFile(writer, index, each, how))
    assert.deepEqual(await held(), { projects: 0, files: 0, bytes: 0 })
    for (const version of ['1.0', '2.0']) await save(one, file('acme', version))
    await save(other, file('acme'))
    await save(other, file('other'))
    assert.deepEqual(await held(), { projects: 3, files: 4, bytes: 20 })
    await save(one, { ...file('acme'), digest: digestOf('larger'), sizeBytes: 100 }, 'replaced')
    assert.deepEqual(await held(), { projects: 3, files: 4, bytes: 115 })
    const [first] = await catalog.read((reader) => findFiles(reader, one, file('acme').filename))
    await catalog.write((writer) => deleteFile(writer, one, first!))
    assert.deepEqual(await held(), { projects: 3, files: 3, bytes: 15 })
    await catalog.write((writer) => deleteProject(writer, other, projectName('acme')))
    assert.deepEqual(await held(), { projects: 2, files: 2, bytes: 10 })
    await catalog.write((writer) => deleteIndex(writer, one))
    assert.deepEqual(await held(), { projects: 1, files: 1, bytes: 5 })
  })

  promise('search finds words, their beginnings, and parts of names', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    await addProject(catalog, index, 'django-rest-tools', {
      summary: 'Helpers for frameworks',
      description: 'Long story about authentication',
    })
    await addProject(catalog, index, 'requests', { summary: 'HTTP for humans' })
    await addProject(catalog, index, 'grpcio', { summary: 'Remote calls for Grüße 日本語' })
    const find = async (query: string) =>
      (await catalog.read((reader) => searchProjects(reader, query, 10, []))).map((hit) => hit.name)
    for (const [query, expected] of [
      ['requests', ['requests']],
      ['req', ['requests']],
      ['humans http', ['requests']],
      ['HUM', ['requests']],
      ['django-rest', ['django-rest-tools']],
      ['django-rest-tools', ['django-rest-tools']],
      ['django rest', ['django-rest-tools']],
      ['authentic', ['django-rest-tools']],
      ['pcio', ['grpcio']],
      ['quest', ['requests']],
      ['grüße', ['grpcio']],
      ['humans django', []],
      ['zzz', []],
      ['', []],
      ['   ', []],
      ['-', []],
    ] as const) {
      assert.deepEqual(await find(query), expected, query)
    }
  })

  promise('search puts the project of that very name first, and keeps to its bound', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    for (let each = 0; each < 8; each++) await addProject(catalog, index, `acme-${each}`, { summary: 'acme acme acme' })
    await addProject(catalog, index, 'acme', { summary: 'x' })
    const hits = await catalog.read((reader) => searchProjects(reader, 'acme', 5, []))
    assert.equal(hits.length, 5)
    assert.deepEqual(hits[0], { index: 'u/i', name: 'acme', version: '1.0', summary: 'x' })
  })

  promise('search finds what a project says now, not what it said before', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    await addProject(catalog, index, 'acme', { summary: 'oldword' })
    await addProject(catalog, index, 'acme', { summary: 'newword' }, '2.0')
    const count = async (query: string) =>
      (await catalog.read((reader) => searchProjects(reader, query, 10, []))).length
    assert.deepEqual([await count('oldword'), await count('newword')], [0, 1])
  })

  promise('search never throws, whatever it is asked', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    await addProject(catalog, index, 'acme', { summary: 'and or not near' })
    const hostile = [
      '"',
      '""',
      '"a',
      '*',
      'a*',
      '^a',
      'AND',
      'a AND',
      'OR NOT',
      'NEAR(',
      'NEAR(a b, 5)',
      'name:acme',
      '-a',
      '(',
      ')',
      '{a b}',
      "'; DROP TABLE search; --",
      '\0',
      'a\0b',
      '🐍',
      '日本語',
      'ﬁ',
      '\ud800',
      '%',
      '_',
      'x'.repeat(10_000),
      'a '.repeat(10_000),
      '"*'.repeat(5000),
    ]
    for (const query of hostile) await catalog.read((reader) => searchProjects(reader, query, 10, []))
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (query) => {
        await catalog.read((reader) => searchProjects(reader, query, 10, []))
      }),
      { numRuns: 200 },
    )
  })
}
