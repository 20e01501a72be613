import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { details } from '../../test/builders/details.ts'
import { projectName } from './name.ts'
import { detailFromJson, detailToJson, listToJson, projectsFromJson } from './simple-json.ts'

const PAGE = new URL('https://index.example/simple/acme/')

async function* chunks(text: string, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function all<T>(names: AsyncIterable<T>): Promise<T[]> {
  return await Array.fromAsync(names)
}

test('detailToJson() writes the keys of API 1.4 and no others', () => {
  const text = detailToJson({
    name: projectName('acme'),
    versions: ['1.0', '1.0'],
    status: { status: 'archived', reason: 'done' },
    lastStamp: 7,
    files: [
      {
        filename: 'acme-1.0.tar.gz',
        url: '../../acme-1.0.tar.gz',
        hashes: { sha256: 'ab' },
        size: 3,
        uploadTime: '2026-01-02T03:04:05.678901Z',
        requiresPython: '>=3.8',
        yanked: 'broken',
        coreMetadata: { sha256: 'cd' },
        provenance: 'https://index.example/p',
        gpgSig: false,
      },
      { filename: 'acme-1.0.zip', url: 'a.zip', hashes: {}, yanked: '', coreMetadata: true },
    ],
  })
  assert.deepEqual(JSON.parse(text), {
    meta: { 'api-version': '1.4', '_last-serial': 7 },
    name: 'acme',
    versions: ['1.0'],
    files: [
      {
        filename: 'acme-1.0.tar.gz',
        url: '../../acme-1.0.tar.gz',
        hashes: { sha256: 'ab' },
        size: 3,
        'upload-time': '2026-01-02T03:04:05.678901Z',
        'requires-python': '>=3.8',
        yanked: 'broken',
        'core-metadata': { sha256: 'cd' },
        provenance: 'https://index.example/p',
        'gpg-sig': false,
      },
      { filename: 'acme-1.0.zip', url: 'a.zip', hashes: {}, yanked: true, 'core-metadata': true },
    ],
    'project-status': { status: 'archived', reason: 'done' },
  })
  assert.doesNotMatch(text, /null|dist-info-metadata/)
})

test('detailFromJson() gives back what detailToJson() wrote', () => {
  fc.assert(fc.property(details, (detail) => assert.deepEqual(detailFromJson(detailToJson(detail), PAGE), detail)))
})

test('detailFromJson() reads what real indexes send', () => {
  const detail = detailFromJson(
    JSON.stringify({
      meta: { 'api-version': '1.0', '_last-serial': '42' },
      name: 'Acme',
      'alternate-locations': [],
      files: [
        {
          filename: 'acme-1.0-py3-none-any.whl',
          url: '../../files/acme-1.0-py3-none-any.whl#sha256=EF',
          hashes: { SHA256: 'AB', odd: 'zz', md5: null },
          'requires-python': null,
          'upload-time': '',
          size: null,
          yanked: false,
          'core-metadata': false,
          provenance: null,
        },
        {
          filename: 'acme-1.1.tar.gz',
          url: '/acme-1.1.tar.gz#sha256=EF',
          hashes: {},
          'data-dist-info-metadata': { sha256: 'aa' },
        },
        {
          filename: 'acme-1.2.tar.gz',
          url: 'https://cdn.example/a%2B',
          hashes: {},
          'dist-info-metadata': true,
          'core-metadata': { sha256: 5 },
        },
        {
          filename: 'acme-1.3.tar.gz',
          url: 'x',
          'upload-time': '2026-01-02T03:04:05.1234567+02:00',
          size: 1.5,
          yanked: 'why',
          'gpg-sig': true,
        },
      ],
    }),
    PAGE,
  )
  assert.deepEqual(detail, {
    name: 'acme',
    versions: ['1.0', '1.1', '1.2', '1.3'],
    lastStamp: 42,
    files: [
      {
        filename: 'acme-1.0-py3-none-any.whl',
        url: 'https://index.example/files/acme-1.0-py3-none-any.whl',
        hashes: { sha256: 'ab' },
      },
      {
        filename: 'acme-1.1.tar.gz',
        url: 'https://index.example/acme-1.1.tar.gz',
        hashes: { sha256: 'ef' },
        coreMetadata: { sha256: 'aa' },
      },
      { filename: 'acme-1.2.tar.gz', url: 'https://cdn.example/a%2B', hashes: {}, coreMetadata: true },
      {
        filename: 'acme-1.3.tar.gz',
        url: 'https://index.example/simple/acme/x',
        hashes: {},
        uploadTime: '2026-01-02T01:04:05.123456Z',
        yanked: 'why',
        gpgSig: true,
      },
    ],
  })
})

test('detailFromJson() drops a file without usable name or address, and only that', () => {
  const good = { filename: 'a-1.zip', url: 'a-1.zip', hashes: {} }
  const bad = [
    null,
    5,
    'x',
    [],
    {},
    { filename: 'a-1.zip' },
    { ...good, filename: '../a' },
    { ...good, url: 'http://[' },
    { ...good, url: 'javascript:1' },
  ]
  const detail = detailFromJson(JSON.stringify({ name: 'a', files: [...bad, good] }), PAGE)
  assert.deepEqual(
    detail.files.map((file) => file.url),
    ['https://index.example/simple/acme/a-1.zip'],
  )
})

test('detailFromJson() finds the status wherever an index puts it, and the name in the address', () => {
  const rows: [object, object | undefined][] = [
    [{ 'project-status': { status: 'quarantined', reason: 'malware' } }, { status: 'quarantined', reason: 'malware' }],
    [{ meta: { 'project-status': 'archived' } }, { status: 'archived' }],
    [{ 'project-status': { status: 'novel' } }, undefined],
    [{}, undefined],
  ]
  for (const [page, status] of rows) {
    const detail = detailFromJson(JSON.stringify({ ...page, files: [] }), PAGE)
    assert.deepEqual(detail.status, status)
    assert.equal(detail.name, 'acme')
  }
})

test('detailFromJson() refuses what is no project page', () => {
  for (const text of [
    '',
    '[]',
    'null',
    '{}',
    '{"files":{}}',
    '{"files":[]',
    '{"meta":{"api-version":"2.0"},"files":[]}',
    '<html>',
  ]) {
    assert.throws(() => detailFromJson(text, PAGE), SyntaxError, text)
  }
  assert.throws(() => detailFromJson('{"files":[]}', new URL('https://index.example/')), /no valid "name"/)
  assert.equal(detailFromJson('{"meta":{"api-version":"1.99"},"files":[]}', PAGE).files.length, 0)
})

test('detailFromJson() ends with nothing but its documented error on any JSON', () => {
  const files = fc.array(
    fc.dictionary(
      fc.constantFrom('filename', 'url', 'hashes', 'size', 'upload-time', 'yanked', 'core-metadata', '__proto__'),
      fc.jsonValue(),
    ),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.record({ name: fc.jsonValue(), meta: fc.jsonValue(), files }).map((page) => JSON.stringify(page)),
      ),
      (text) => {
        try {
          detailFromJson(text, PAGE)
        } catch (error) {
          assert.ok(error instanceof SyntaxError, String(error))
        }
      },
    ),
  )
})

test('listToJson() and projectsFromJson() carry names and change numbers across, in chunks', async () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `project-${i}`)
  async function* listed() {
    for (const name of names) yield [name === 'project-0' ? { name, lastStamp: 3 } : name]
  }
  const written = await Array.fromAsync(listToJson(listed(), 9))
  assert.ok(written.length > 1 && written.every((chunk) => chunk.length < 70_000))
  const text = Buffer.concat(written).toString()
  const page = JSON.parse(text)
  assert.deepEqual(page.meta, { 'api-version': '1.4', '_last-serial': 9 })
  assert.deepEqual(page.projects.slice(0, 2), [{ name: 'project-0', '_last-serial': 3 }, { name: 'project-1' }])
  const expected = names.map((name) => (name === 'project-0' ? { name, lastStamp: 3 } : { name }))
  assert.deepEqual(await all(projectsFromJson(chunks(text, 5000))), expected)
})

test('projectsFromJson() normalizes names and leaves out what is none', async () => {
  const text =
    '{"projects":[{"name":"A_b","_last-serial":1},{"name":"é"},{},5,{"name":"C"}],"meta":{"api-version":"1.4"},"x":[{"name":"no"}]}'
  assert.deepEqual(await all(projectsFromJson(chunks(text))), [{ name: 'a-b', lastStamp: 1 }, { name: 'c' }])
  assert.deepEqual(await all(projectsFromJson(chunks('{"projects":[]}'))), [])
})

test('projectsFromJson() never believes a list that lost its end', async () => {
  const text = '{"meta":{"api-version":"1.4"},"projects":[{"name":"a"},{"name":"bcd"}]}'
  for (let length = 0; length < text.length; length++) {
    await assert.rejects(all(projectsFromJson(chunks(text.slice(0, length)))), SyntaxError, text.slice(0, length))
  }
})

test('projectsFromJson() refuses what is no list', async () => {
  const wrong = [
    '{}',
    '[]',
    '5',
    'null',
    '"projects"',
    '{"projects":{}}',
    '{"a":{"projects":[]}}',
    '{"x":"projects","y":5}',
    '{"meta":{"api-version":"2.0"},"projects":[]}',
    '<html></html>',
    '{"projects":[]}}',
    '{"projects":[,]}',
  ]
  for (const text of wrong) await assert.rejects(all(projectsFromJson(chunks(text))), SyntaxError, text)
})
