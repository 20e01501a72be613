import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from './errors.ts'
import { INDEX_OPTIONS, type IndexKind, type IndexOption, optionsOfKind } from './index-option-table.ts'
import { createdOptions, type IndexOptions, operatedOptions, updatedOptions } from './index-options.ts'
import { userName } from './names.ts'

const ALICE = userName('alice')
const STAGE = createdOptions(ALICE, {})
const MIRROR = createdOptions(ALICE, { type: 'mirror', mirror_url: 'https://host.example/simple/' })

function refused(make: () => unknown, message: string): void {
  assert.throws(make, (error: Problem) => {
    assert.deepEqual([error.code, error.message], ['option-invalid', message])
    return true
  })
}

test('createdOptions() gives a stage devpi’s defaults', () => {
  assert.deepEqual(STAGE, {
    type: 'stage',
    bases: [],
    volatile: true,
    acl_upload: ['alice'],
    acl_toxresult_upload: [':ANONYMOUS:'],
    mirror_whitelist: [],
    mirror_whitelist_inheritance: 'intersection',
  })
})

test('createdOptions() gives a mirror devpi’s defaults', () => {
  assert.deepEqual(createdOptions(ALICE, { type: 'mirror' }), { type: 'mirror', volatile: true })
})

for (const [sent, key, expected] of [
  [{ volatile: 'False' }, 'volatile', false],
  [{ volatile: 'no' }, 'volatile', false],
  [{ volatile: 'YES' }, 'volatile', true],
  [{ volatile: false }, 'volatile', false],
  [{ bases: 'a/b,c/d' }, 'bases', ['a/b', 'c/d']],
  [{ bases: ['/a/b', 'c/d/'] }, 'bases', ['a/b', 'c/d']],
  [{ bases: 'a/b, a/b ,' }, 'bases', ['a/b']],
  [{ bases: '' }, 'bases', []],
  [{ acl_upload: ':anonymous:,bob' }, 'acl_upload', [':ANONYMOUS:', 'bob']],
  [{ acl_upload: [':Authenticated:', ':devs'] }, 'acl_upload', [':AUTHENTICATED:', ':devs']],
  [{ acl_upload: [] }, 'acl_upload', []],
  [{ mirror_whitelist: 'Acme_Tools,*' }, 'mirror_whitelist', ['acme-tools', '*']],
  [{ mirror_whitelist_inheritance: 'union' }, 'mirror_whitelist_inheritance', 'union'],
  [{ title: 'T' }, 'title', 'T'],
  [{ title: '' }, 'title', undefined],
  [{ title: null }, 'title', undefined],
  [{ custom_data: { a: [1] } }, 'custom_data', { a: [1] }],
  [{ projects: ['a'] }, 'projects', undefined],
  [{ pypi_whitelist: 'a' }, 'pypi_whitelist', undefined],
] as const) {
  test(`createdOptions() of a stage reads ${JSON.stringify(sent)}`, () => {
    assert.deepEqual((createdOptions(ALICE, sent) as unknown as Record<string, unknown>)[key], expected)
  })
}

for (const [sent, key, expected] of [
  [{ mirror_cache_expiry: '600' }, 'mirror_cache_expiry', 600],
  [{ mirror_cache_expiry: 0 }, 'mirror_cache_expiry', 0],
  [{ mirror_no_project_list: 'true' }, 'mirror_no_project_list', true],
  [{ mirror_use_external_urls: true }, 'mirror_use_external_urls', true],
  [{ mirror_ignore_serial_header: 'yes' }, 'mirror_ignore_serial_header', true],
  [{ mirror_web_url_fmt: 'https://x/{name}' }, 'mirror_web_url_fmt', 'https://x/{name}'],
  [{ mirror_url: ' http://user:pass@host.example/simple ' }, 'mirror_url', 'http://user:pass@host.example/simple'],
  [{ bases: 'a/b' }, 'bases', undefined],
  [{ acl_upload: 'bob' }, 'acl_upload', undefined],
  [{ mirror_whitelist: '*' }, 'mirror_whitelist', undefined],
] as const) {
  test(`createdOptions() of a mirror reads ${JSON.stringify(sent)}`, () => {
    const made = createdOptions(ALICE, { type: 'mirror', ...sent }) as unknown as Record<string, unknown>
    assert.deepEqual(made[key], expected)
  })
}

for (const [sent, message] of [
  [{ type: 'foo' }, "unknown index type 'foo'"],
  [{ type: 5 }, "The 'type' setting must be text, not 5"],
  [{ foo: 'bar', x: [1] }, 'indexconfig got unexpected keyword arguments: foo=bar, x=[1]'],
  [{ toString: 'x' }, 'indexconfig got unexpected keyword arguments: toString=x'],
  [{ volatile: 'maybe' }, "Unknown boolean value 'maybe'."],
  [{ volatile: 1 }, "Unknown boolean value '1'."],
  [{ volatile: null }, "Unknown boolean value 'null'."],
  [{ acl_upload: null }, "The 'acl_upload' setting must be text, not null"],
  [{ mirror_url: 'https://x/' }, 'indexconfig got unexpected keyword arguments: mirror_url=https://x/'],
  [{ bases: 'zz' }, "invalid base index spec: 'zz'"],
  [{ bases: 'zz,a/b/c,a/b' }, "invalid base index spec: 'zz', invalid base index spec: 'a/b/c'"],
  [{ bases: [5] }, "The 'bases' setting must be text, not 5"],
  [{ title: 5 }, "The 'title' setting must be text, not 5"],
  [
    { mirror_whitelist_inheritance: 'both' },
    "Unknown value 'both' for mirror_whitelist_inheritance, must be 'intersection' or 'union'.",
  ],
  [
    { type: 'mirror', mirror_url: 'ftp://x/' },
    "'mirror_url' option must be a URL with http(s) scheme, not 'ftp://x/'.",
  ],
  [
    { type: 'mirror', mirror_url: 'nonsense' },
    "'mirror_url' option must be a URL with http(s) scheme, not 'nonsense'.",
  ],
  [
    { type: 'mirror', mirror_cache_expiry: '-5' },
    "The 'mirror_cache_expiry' setting must be a whole number of seconds, not '-5'",
  ],
  [
    { type: 'mirror', mirror_cache_expiry: 1.5 },
    "The 'mirror_cache_expiry' setting must be a whole number of seconds, not '1.5'",
  ],
] as const) {
  test(`createdOptions() refuses ${JSON.stringify(sent)}`, () => {
    refused(() => createdOptions(ALICE, sent), message)
  })
}

test('createdOptions() refuses a whitelist of what can be no project', () => {
  assert.throws(
    () => createdOptions(ALICE, { mirror_whitelist: 'a b' }),
    (error: Problem) => error.code === 'option-invalid',
  )
})

test('updatedOptions() changes what is sent and keeps the rest', () => {
  const changed = updatedOptions({ ...STAGE, title: 'T' } as IndexOptions, {
    volatile: false,
    type: 'stage',
    projects: ['x'],
  })
  assert.deepEqual(changed, { ...STAGE, title: 'T', volatile: false })
})

test('updatedOptions() does not change the type', () => {
  refused(() => updatedOptions(STAGE, { type: 'mirror' }), "the 'type' of an index can't be changed")
})

test('updatedOptions() takes the whole record back as it was given out', () => {
  assert.deepEqual(updatedOptions(STAGE, { ...STAGE }), STAGE)
  assert.deepEqual(updatedOptions(MIRROR, { ...MIRROR }), MIRROR)
})

for (const [operations, key, expected] of [
  [['title=A=B'], 'title', 'A=B'],
  [['volatile=False'], 'volatile', false],
  [['bases=a/b,c/d'], 'bases', ['a/b', 'c/d']],
  [['bases='], 'bases', []],
  [['acl_upload+=bob'], 'acl_upload', ['alice', 'bob']],
  [['acl_upload+=alice'], 'acl_upload', ['alice']],
  [['acl_upload+=bob,carol', 'acl_upload-=alice'], 'acl_upload', ['bob', 'carol']],
  [['acl_upload+=:anonymous:'], 'acl_upload', ['alice', ':ANONYMOUS:']],
  [['mirror_whitelist+=Acme.Tools', 'mirror_whitelist+=acme-tools'], 'mirror_whitelist', ['acme-tools']],
  [['bases+=a/b', 'bases+=/a/b', 'bases-=a/b'], 'bases', []],
  [['title=T', 'title-='], 'title', undefined],
  [['title-='], 'title', undefined],
  [['foo-='], 'foo', undefined],
  [['description=two\nlines'], 'description', 'two\nlines'],
  [['description=a+=b'], 'description', 'a+=b'],
  [[' title = T '], 'title', ' T '],
  [[], 'volatile', true],
] as const) {
  test(`operatedOptions() after ${JSON.stringify(operations)}`, () => {
    const made = operatedOptions(ALICE, STAGE, operations) as unknown as Record<string, unknown>
    assert.deepEqual(made[key], expected)
  })
}

for (const [operations, message] of [
  [['acl_upload-=bob'], "The 'acl_upload' setting doesn't have value 'bob'"],
  [['acl_upload-=alice,bob'], "The 'acl_upload' setting doesn't have value 'bob'"],
  [['bases-='], "Default values can't be removed."],
  [['volatile-='], "Default values can't be removed."],
  [['type-='], "the 'type' of an index can't be changed"],
  [['volatile+=true'], "The 'volatile' setting isn't a list"],
  [['type=mirror'], "the 'type' of an index can't be changed"],
  [['foo=bar'], 'indexconfig got unexpected keyword arguments: foo=bar'],
  [['bases'], 'Invalid operation: "bases"'],
  [['=x'], 'Invalid operation: "=x"'],
  [[''], 'Invalid operation: ""'],
  [[null], 'Invalid operation: null'],
  [[['a']], 'Invalid operation: ["a"]'],
] as const) {
  test(`operatedOptions() refuses ${JSON.stringify(operations)}`, () => {
    refused(() => operatedOptions(ALICE, STAGE, operations), message)
  })
}

test('operatedOptions() changes nothing of what it was given', () => {
  const before = JSON.stringify(STAGE)
  operatedOptions(ALICE, STAGE, ['acl_upload+=bob', 'title=T', 'bases=a/b'])
  assert.equal(JSON.stringify(STAGE), before)
})

for (const [key, sent, expected] of [
  ['mirror_cache_size', '5GB', 5e9],
  ['mirror_cache_size', 1024, 1024],
  ['mirror_cache_size', 'unlimited', 'unlimited'],
  ['mirror_cache_days', '30', 30],
  ['mirror_cache_days', 'unlimited', 'unlimited'],
  ['mirror_pinned', 'Torch,numpy', ['torch', 'numpy']],
] as const) {
  test(`updatedOptions() reads ${key}=${sent}`, () => {
    const updated = updatedOptions(MIRROR, { [key]: sent }) as unknown as Record<string, unknown>
    assert.deepEqual(updated[key], expected)
    assert.equal(Object.hasOwn(updatedOptions(updated as unknown as IndexOptions, { [key]: null }), key), false)
  })
}

for (const [key, sent, wanted] of [
  ['mirror_cache_size', '5G', 'a size such as 500MB or 20GiB, or unlimited'],
  ['mirror_cache_size', -1, 'a size such as 500MB or 20GiB, or unlimited'],
  ['mirror_cache_days', '0', 'a whole number of days, or unlimited'],
  ['mirror_cache_days', '1.5', 'a whole number of days, or unlimited'],
] as const) {
  test(`updatedOptions() refuses ${key}=${sent}`, () =>
    refused(() => updatedOptions(MIRROR, { [key]: sent }), `The '${key}' setting must be ${wanted}, not '${sent}'`))
}

for (const [type, sent, hint] of [
  ['stage', { volatil: false }, 'did you mean "volatile"?'],
  ['mirror', { cache_expiry: 5, mirror_pined: 'x' }, 'did you mean "mirror_cache_expiry", "mirror_pinned"?'],
  ['stage', { mirror_url: 'https://host.example/' }, 'a stage has no mirror_url'],
] as const) {
  test(`createdOptions() of a ${type} says what may be meant by ${Object.keys(sent)}`, () => {
    assert.throws(
      () => createdOptions(ALICE, { type, ...sent }),
      (error: Problem) => error.hint === hint,
    )
  })
}

test('createdOptions() compares only a few of many unknown options', () => {
  const sent = Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`${'x'.repeat(1000)}${at}`, 1]))
  assert.throws(
    () => createdOptions(ALICE, sent),
    (error: Problem) => error.hint?.split(',').length === 3,
  )
})

for (const [key, option] of Object.entries<IndexOption>(INDEX_OPTIONS)) {
  if (key === 'type') continue
  const kinds: readonly IndexKind[] = option.kind === 'both' ? ['stage', 'mirror'] : [option.kind]
  test(`the table's example of ${key} is read, and kept by a ${kinds.join(' and a ')}`, () => {
    for (const type of kinds) {
      const made = createdOptions(ALICE, { type, [key]: option.value.example }) as unknown as Record<string, unknown>
      assert.deepEqual(made[key], option.value.read(key, option.value.example))
      assert.notEqual(made[key], undefined)
      if (option.default !== undefined) continue
      const without = operatedOptions(ALICE, made as unknown as IndexOptions, [`${key}-=`])
      assert.equal(Object.hasOwn(without, key), false)
    }
  })
  test(`the table says what holds of ${key} while nobody has set it`, () => {
    assert.equal(option.default === undefined, option.absent !== undefined, 'either a default, or what absence means')
    assert.match(option.sentence, /^[A-Z].*[^.]$/s)
    for (const type of kinds) {
      const made = createdOptions(ALICE, { type }) as unknown as Record<string, unknown>
      assert.deepEqual(made[key], option.default?.(ALICE))
    }
  })
}

test('a new index shows its options in the order of the table', () => {
  for (const [type, made] of [
    ['stage', STAGE],
    ['mirror', createdOptions(ALICE, { type: 'mirror' })],
  ] as const) {
    const keys = optionsOfKind(type).map(([key]) => key)
    const always = keys.filter((key) => key === 'type' || (INDEX_OPTIONS[key] as IndexOption).default !== undefined)
    assert.deepEqual(Object.keys(made), always)
  }
})
