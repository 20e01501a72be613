import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readWanted } from './wanted-file.ts'

const HASH = 'c'.repeat(64)
const WHEEL = 'acme_one-1.0-py3-none-any.whl'
const SDIST = 'acme_one-1.0.tar.gz'

/** What every format below says: acme-one 1.0 with two files, and one project that is no index's. */
const LOCKS: readonly (readonly [name: string, text: string])[] = [
  [
    'pylock.toml',
    `lock-version = "1.0"
created-by = "test"
[[packages]]
name = "acme-one"
version = "1.0"
sdist = { name = "${SDIST}", url = "https://x.example/${SDIST}", size = 3, hashes = { md5 = "00", sha256 = "${HASH}" } }
[[packages.wheels]]
url = "https://x.example/a/${WHEEL}?x#y"
hashes = { sha256 = "${HASH}" }
[[packages]]
name = "elsewhere"
[packages.vcs]
type = "git"
`,
  ],
  [
    'pylock.dev.toml',
    `lock-version = "1.7"
[[packages]]
name = "Acme_One"
version = "1.0"
wheels = [{ path = "wheels/${WHEEL}", hashes = { sha256 = "${HASH}" } }]
sdist = { url = "https://x.example/${SDIST}", hashes = { sha256 = "${HASH}" } }
[[packages]]
name = "elsewhere"
directory = { path = "." }
`,
  ],
  [
    'uv.lock',
    `version = 1
revision = 3
requires-python = ">=3.9"
[[package]]
name = "acme-one"
version = "1.0"
source = { registry = "https://x.example/simple" }
dependencies = [{ name = "elsewhere" }]
sdist = { url = "https://x.example/${SDIST}", hash = "sha256:${HASH}", size = 3 }
wheels = [{ url = "https://x.example/${WHEEL}", hash = "sha256:${HASH}", size = 3 }]
[[package]]
name = "elsewhere"
version = "0.1"
source = { editable = "." }
`,
  ],
  [
    'poetry.lock',
    `[[package]]
name = "acme-one"
version = "1.0"
files = [{file = "${WHEEL}", hash = "sha256:${HASH}"}, {file = "${SDIST}", hash = "sha256:${HASH}"}]
[package.source]
type = "legacy"
url = "https://x.example/simple"
[[package]]
name = "elsewhere"
version = "0.1"
files = []
[package.source]
type = "git"
[metadata]
lock-version = "2.1"
`,
  ],
  [
    'older/poetry.lock',
    `[[package]]
name = "Acme-One"
version = "1.0"
[[package]]
name = "elsewhere"
version = "0.1"
[package.source]
type = "directory"
[metadata]
lock-version = "1.1"
[metadata.files]
Acme-One = [{file = "${WHEEL}", hash = "sha256:${HASH}"}, {file = "${SDIST}", hash = "sha256:${HASH}"}]
`,
  ],
  [
    'pdm.lock',
    `[metadata]
lock_version = "4.5.0"
[[package]]
name = "acme-one"
version = "1.0"
files = [{file = "${WHEEL}", hash = "sha256:${HASH}"}, {url = "https://x.example/${SDIST}", hash = "sha256:${HASH}"}]
[[package]]
name = "acme-one"
version = "1.0"
extras = ["fast"]
[[package]]
name = "elsewhere"
version = "0.1"
path = "./here"
`,
  ],
  [
    'older/pdm.lock',
    `[[package]]
name = "acme-one"
version = "1.0"
[[package]]
name = "elsewhere"
version = "0.1"
git = "https://x.example/y"
[metadata]
lock_version = "4.1"
[metadata.files]
"acme-one 1.0" = [{file = "${WHEEL}", hash = "sha256:${HASH}"}, {file = "${SDIST}", hash = "sha256:${HASH}"}]
`,
  ],
]

async function read(name: string, text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'wanted-'))
  try {
    const path = join(folder, name.replace(/^.*\//, ''))
    await writeFile(path, text)
    return await readWanted(path)
  } finally {
    await rm(folder, { recursive: true })
  }
}

for (const [name, text] of LOCKS) {
  test(`readWanted() reads ${name}`, async () => {
    const { releases, skipped } = await read(name, text)
    const hash = { algorithm: 'sha256', hex: HASH }
    const files = [
      { filename: WHEEL, hash },
      { filename: SDIST, hash },
    ]
    assert.deepEqual(
      releases.map(({ files: named, ...rest }) => ({
        ...rest,
        files: named.toSorted((a, b) => (a.filename! < b.filename! ? -1 : 1)),
      })),
      [{ project: 'acme-one', specifier: '==1.0', version: '1.0', files }],
    )
    assert.deepEqual(
      skipped.map((each) => each.text),
      ['elsewhere'],
    )
  })
}

test('readWanted() reads a Pipfile.lock with all its categories, files by hash alone', async () => {
  const lock = {
    _meta: { hash: { sha256: 'x' }, sources: [] },
    default: { acme: { version: '==1.0', hashes: [`sha256:${HASH}`], markers: "python_version >= '3'" } },
    develop: { other: { version: '===2.0', extras: ['x'] }, local: { path: '.', editable: true } },
    docs: { third: { version: '==3' } },
  }
  const { releases, skipped } = await read('Pipfile.lock', JSON.stringify(lock, null, 4))
  assert.deepEqual(releases, [
    { project: 'acme', specifier: '==1.0', version: '1.0', files: [{ hash: { algorithm: 'sha256', hex: HASH } }] },
    { project: 'other', specifier: '==2.0', version: '2.0', files: [] },
    { project: 'third', specifier: '==3', version: '3', files: [] },
  ])
  assert.deepEqual(
    skipped.map((each) => each.text),
    ['local'],
  )
})

for (const [name, text, message] of [
  ['x.toml', 'a = [', /Cannot use ".*x\.toml": /],
  ['x.toml', 'a = 1', /neither a pylock\.toml nor the lock of uv, Poetry or PDM/],
  ['pylock.toml', 'lock-version = "2.0"', /its version is "2\.0", and only 1 is known/],
  ['uv.lock', 'version = 2', /its version is 2, and only 1 is known/],
  [
    'uv.lock',
    'version = 1\n[[package]]\nname = "%"\nversion = "1"\nsource = { registry = "x" }',
    /"%" is no project name/,
  ],
  ['Pipfile.lock', '{', /Cannot use ".*Pipfile\.lock": /],
] as const) {
  test(`readWanted() refuses ${name} that says ${JSON.stringify(text.slice(0, 30))}`, async () => {
    await assert.rejects(read(name, text), (error) => error instanceof SyntaxError && message.test(error.message))
  })
}
