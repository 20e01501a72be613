import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import { requirementsTxt } from './requirements-txt.ts'
import type { WantedRelease } from './wanted.ts'

const HASH = 'a'.repeat(64)
const OTHER = 'b'.repeat(64)

async function read(text: string, more: Readonly<Record<string, string>> = {}) {
  const files: Readonly<Record<string, string>> = { '/r/requirements.txt': text, ...more }
  return await requirementsTxt('/r/requirements.txt', {
    resolve: (name, from) => posix.resolve(posix.dirname(from), name),
    read: async (path) => {
      if (files[path] === undefined) throw new Error(`no file ${path}`)
      return files[path]
    },
  })
}

function brief({ project, specifier, version, files }: WantedRelease): string {
  const hashes = files.map(({ hash }) => ` ${hash!.algorithm}:${hash!.hex.slice(0, 2)}`).join('')
  return `${project}|${specifier}|${version ?? ''}${hashes}`
}

const LINES: readonly (readonly [string, readonly string[]])[] = [
  ['requests==2.32.3', ['requests|==2.32.3|2.32.3']],
  ['  Zope.Interface == 5.0  # why', ['zope-interface|== 5.0|5.0']],
  ['a===1.0+odd', ['a|===1.0+odd|1.0+odd']],
  ['a', ['a||']],
  ['a[x, y]>=1,<2', ['a|>=1,<2|']],
  ['a (>=1)', ['a|>=1|']],
  ['a==1.*', ['a|==1.*|']],
  ["a==1 ; sys_platform == 'win32'", ['a|==1|1']],
  ["a==1;python_version<'3.9'", ['a|==1|1']],
  ['\ufeffa==1\r\nb==2\r\n', ['a|==1|1', 'b|==2|2']],
  [`a==1 --hash=sha256:${HASH} --hash=sha512:${OTHER}`, ['a|==1|1 sha256:aa sha512:bb']],
  [
    `a==1 \\\n    --hash=sha256:${HASH} \\\n    --hash=sha256:${OTHER}  # last\nb==2`,
    ['a|==1|1 sha256:aa sha256:bb', 'b|==2|2'],
  ],
  [`a==1 ; python_version >= "3" \\\n --hash sha256:${HASH.toUpperCase()}`, ['a|==1|1 sha256:aa']],
  ['a==1 \\\n# between\nb==2', ['a|==1|1', 'b|==2|2']],
  ['a==1 --config-settings=x=y', ['a|==1|1']],
  [
    '# nothing\n\n   \n-i http://x/\n--index-url=http://x/\n--extra-index-url http://y/#z\n--no-binary :all:\n--require-hashes',
    [],
  ],
]

for (const [text, expected] of LINES) {
  test(`requirementsTxt() reads ${JSON.stringify(text.slice(0, 60))}`, async () => {
    const wanted = await read(text)
    assert.deepEqual(wanted.releases.map(brief), expected)
    assert.deepEqual(wanted.skipped, [])
  })
}

test('requirementsTxt() follows -r and -c from the folder of the file that names them, each file once', async () => {
  const wanted = await read('-r sub/more.txt\n--requirement=sub/more.txt\n-c limits.txt\na\nb>=1', {
    '/r/sub/more.txt': '-r ../requirements.txt\n-rdeep/x.txt\nc==3',
    '/r/sub/deep/x.txt': 'd==4',
    '/r/limits.txt': `a==1.5 --hash=sha256:${HASH}\nb<2\nnot-required==9`,
  })
  assert.deepEqual(wanted.releases.map(brief), ['d|==4|4', 'c|==3|3', 'a|==1.5|1.5 sha256:aa', 'b|>=1,<2|'])
})

test('requirementsTxt() takes what a constraints file includes for constraints, too', async () => {
  const wanted = await read('-c c.txt\na', { '/r/c.txt': '-r d.txt', '/r/d.txt': 'a==1\nb==2' })
  assert.deepEqual(wanted.releases.map(brief), ['a|==1|1'])
})

test('requirementsTxt() tells what it passes over because no index has it', async () => {
  const wanted = await read(
    [
      '-e .',
      '--editable=git+https://x.example/y#egg=z',
      'pip @ https://x.example/pip-1.0-py3-none-any.whl',
      'https://x.example/a-1.0.tar.gz',
      './local',
      '../local/a.whl',
      'dist/a-1.0.zip',
      'a-1.0-py3-none-any.whl',
      '-r https://x.example/r.txt',
      '--unheard-of',
      'real==1',
    ].join('\n'),
  )
  assert.deepEqual(wanted.releases.map(brief), ['real|==1|1'])
  assert.deepEqual(
    wanted.skipped.map(({ text }) => text),
    [
      '-e .',
      '--editable=git+https://x.example/y#egg=z',
      'pip @ https://x.example/pip-1.0-py3-none-any.whl',
      'https://x.example/a-1.0.tar.gz',
      './local',
      '../local/a.whl',
      'dist/a-1.0.zip',
      'a-1.0-py3-none-any.whl',
      'https://x.example/r.txt',
      '--unheard-of',
    ],
  )
})

test('requirementsTxt() knows --pre', async () => {
  const wanted = await read('--pre\na')
  assert.equal(wanted.releases[0]!.admitsPrereleases, true)
})

for (const [text, message] of [
  ['a==1\n\n%%%', /Cannot read \/r\/requirements\.txt:3: "%%%" is no requirement/],
  ['a==not a version', /requirements\.txt:1: "a==not a version" is no requirement/],
  ['a==1 --hash=sha256', /requirements\.txt:1: "sha256" is no hash/],
] as const) {
  test(`requirementsTxt() refuses ${JSON.stringify(text)} with file and line`, async () => {
    await assert.rejects(read(text), (error) => error instanceof SyntaxError && message.test(error.message))
  })
}

test('requirementsTxt() stops at a chain of files without end', async () => {
  const files = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`/r/${at}`, `-r ${at + 1}`]))
  await assert.rejects(read('-r 0', files), /leads to more than 100 files/)
})
