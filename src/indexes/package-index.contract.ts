/** The contract of every `PackageIndex`, as tests. Run by the stage, the mirror and the fixed index. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BuiltFile, sdist, wheel } from '../../test/builders/wheels.ts'
import { digestOf } from '../lib/digest.ts'
import { asProjectName, projectName } from '../pep/name.ts'
import type { FileSource, Layer, LocatedFile, PackageIndex } from './package-index.ts'

export interface Opened extends AsyncDisposable {
  readonly index: PackageIndex & Pick<Layer, 'listed'>
  /** The bytes of a source that this index gave. */
  read(source: FileSource): Promise<Buffer>
}

/** `open` makes an index that holds exactly these projects; a project without files is known all the same. */
export function packageIndexContract(options: {
  readonly name: string
  readonly open: (projects: Readonly<Record<string, readonly BuiltFile[]>>) => Promise<Opened>
}): void {
  const title = (sentence: string) => `${options.name}: ${sentence}`
  const files = {
    acme: [
      wheel({ name: 'acme', version: '1.0' }),
      sdist({ name: 'acme', version: '1.0' }),
      wheel({ name: 'acme', version: '2.0' }),
    ],
    'acme-tools': [wheel({ name: 'acme-tools', version: '1.0' })],
    bare: [],
  }
  const acme = projectName('acme')

  test(title('listed() gives every name once, in order of code points, in batches that are not empty'), async () => {
    const many = Object.fromEntries(Array.from({ length: 2345 }, (_, each) => [`p${each}`, []]))
    await using opened = await options.open({ ...files, ...many })
    const names: string[] = []
    for await (const batch of opened.index.listed()) {
      assert.ok(batch.length > 0)
      names.push(...batch.map((each) => each.name))
    }
    assert.deepEqual(names, [...Object.keys(files), ...Object.keys(many)].sort())
    for (const name of names) assert.equal(asProjectName(name), name)
  })

  test(title('listed() of an index without any is an empty list'), async () => {
    await using opened = await options.open({})
    for await (const batch of opened.index.listed()) assert.deepEqual(batch, [])
  })

  test(title('project() lists every file with its hash, version, index and address'), async () => {
    await using opened = await options.open(files)
    const page = (await opened.index.project(acme))!
    assert.equal(page.name, 'acme')
    assert.equal(page.index, opened.index.name)
    assert.deepEqual([...page.versions].sort(), ['1.0', '2.0'])
    const listed = page.files.map((file) => [file.filename, file.version, file.hashes.sha256, file.size, file.index])
    const expected = files.acme.map((file, place) => [
      file.filename,
      place === 2 ? '2.0' : '1.0',
      file.sha256,
      file.bytes.length,
      opened.index.name,
    ])
    assert.deepEqual(listed.sort(), expected.sort())
    for (const file of page.files) {
      assert.ok(file.url.startsWith(`${opened.index.name}/+`), file.url)
      assert.ok(file.url.endsWith(`/${file.filename}`), file.url)
    }
    assert.equal(page.stale, undefined)
  })

  test(title('project() tells a project without files from one that is not there'), async () => {
    await using opened = await options.open(files)
    assert.deepEqual((await opened.index.project(projectName('bare')))!.files, [])
    assert.equal(await opened.index.project(projectName('absent')), undefined)
    assert.equal(await opened.index.project(projectName('acm')), undefined)
  })

  test(title('at() gives the bytes of every file that project() lists, by name, by hash and by path'), async () => {
    await using opened = await options.open(files)
    for (const name of ['acme', 'acme-tools'] as const) {
      for (const file of (await opened.index.project(projectName(name)))!.files) {
        const sha256 = file.hashes.sha256!
        for (const address of [
          { kind: 'listed', project: projectName(name) },
          { kind: '+f', hashStart: sha256.slice(0, 16) },
          { kind: 'packages', path: file.packagesPath! },
        ] as const) {
          const found = await located(opened.index, address, file.filename)
          assert.equal(found.project, name)
          assert.equal(found.file.url, file.url)
          assert.equal(found.file.version, file.version)
          assert.equal(digestOf(await opened.read(found.source)), sha256)
          assert.equal(found.source.digest, sha256)
        }
        assert.equal(await opened.index.at({ kind: '+f', hashStart: 'f'.repeat(16) }, file.filename), undefined)
        const listed = { kind: 'listed', project: projectName(name) } as const
        assert.equal(await opened.index.at(listed, file.filename, { mayAnswer: async () => false }), undefined)
      }
    }
  })

  test(title('at() of what project() does not list is absent'), async () => {
    await using opened = await options.open(files)
    const [tools] = files['acme-tools']
    for (const [name, filename] of [
      [acme, 'acme-3.0-py3-none-any.whl'],
      [acme, tools!.filename],
      [acme, ''],
      [acme, '../acme-1.0-py3-none-any.whl'],
      [projectName('absent'), files.acme[0]!.filename],
      [acme, `${files.acme[1]!.filename}.metadata`],
    ] as const) {
      assert.equal(await opened.index.at({ kind: 'listed', project: name }, filename), undefined, filename)
    }
  })

  test(title('at() serves .metadata exactly where project() announces it'), async () => {
    await using opened = await options.open(files)
    for (const file of (await opened.index.project(acme))!.files) {
      const found = await opened.index.at({ kind: 'listed', project: acme }, `${file.filename}.metadata`)
      assert.equal(found !== undefined, file.coreMetadata !== undefined, file.filename)
      const told = typeof file.coreMetadata === 'object' ? file.coreMetadata.sha256 : undefined
      if (typeof found === 'object' && told !== undefined) assert.equal(digestOf(await opened.read(found.source)), told)
    }
  })
}

async function located(index: PackageIndex, ...asked: Parameters<Layer['at']>): Promise<LocatedFile> {
  const found = await index.at(...asked)
  assert.ok(typeof found === 'object')
  return found
}
