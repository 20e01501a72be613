/** What every `PackageIndex` promises, whatever it answers from. Run by the stage, the mirror and the fixed index. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BuiltFile, sdist, wheel } from '../../test/builders/wheels.ts'
import { digestOf } from '../lib/digest.ts'
import { asProjectName, projectName } from '../pep/name.ts'
import type { FileSource, PackageIndex } from './package-index.ts'

export interface Opened extends AsyncDisposable {
  readonly index: PackageIndex
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

  test(title('projects() gives every name once, in order of code points, in batches that are not empty'), async () => {
    const many = Object.fromEntries(Array.from({ length: 2345 }, (_, each) => [`p${each}`, []]))
    await using opened = await options.open({ ...files, ...many })
    const names: string[] = []
    for await (const batch of opened.index.projects()) {
      assert.ok(batch.length > 0)
      names.push(...batch)
    }
    assert.deepEqual(names, [...Object.keys(files), ...Object.keys(many)].sort())
    for (const name of names) assert.equal(asProjectName(name), name)
  })

  test(title('projects() of an index without any is an empty list'), async () => {
    await using opened = await options.open({})
    for await (const batch of opened.index.projects()) assert.deepEqual(batch, [])
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

  test(title('file() gives the bytes of every file that project() lists'), async () => {
    await using opened = await options.open(files)
    for (const name of ['acme', 'acme-tools'] as const) {
      for (const file of (await opened.index.project(projectName(name)))!.files) {
        const source = (await opened.index.file(projectName(name), file.filename))!
        assert.equal(digestOf(await opened.read(source)), file.hashes.sha256)
        assert.equal(source.digest, file.hashes.sha256)
      }
    }
  })

  test(title('file() of what project() does not list is absent'), async () => {
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
      assert.equal(await opened.index.file(name, filename), undefined, filename)
    }
  })

  test(title('file() serves .metadata exactly where project() announces it'), async () => {
    await using opened = await options.open(files)
    for (const file of (await opened.index.project(acme))!.files) {
      const source = await opened.index.file(acme, `${file.filename}.metadata`)
      assert.equal(source !== undefined, file.coreMetadata !== undefined, file.filename)
      const told = typeof file.coreMetadata === 'object' ? file.coreMetadata.sha256 : undefined
      if (source !== undefined && told !== undefined) assert.equal(digestOf(await opened.read(source)), told)
    }
  })
}
