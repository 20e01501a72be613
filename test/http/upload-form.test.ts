import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { blake2b256 } from '../../src/lib/blake2b.ts'
import { acmeForm } from '../builders/bad-forms.ts'
import { acmeWheel } from '../builders/bad-wheels.ts'
import { type FormPart, multipart } from '../builders/multipart.ts'
import { rawTarGz } from '../builders/raw-tar.ts'
import { rawZip } from '../builders/raw-zip.ts'
import { type Answer, startWorld } from '../world/world.ts'

const world = await startWorld()
after(() => world[Symbol.asyncDispose]())
const { alice } = world
const PKG_INFO = 'Metadata-Version: 2.2\nName: acme\nVersion: 1.0\n'
const WHEEL = 'acme-1.0-py3-none-any.whl'
const bytes = acmeWheel()
const blake2 = await blake2b256()
blake2.update(bytes)
const md5 = createHash('md5').update(bytes).digest()
const HASHES = { md5_digest: md5.toString('hex'), blake2_256_digest: blake2.digest() }

let indexes = 0
/** Each to an index of its own. */
async function sends(
  parts: readonly FormPart[],
  options: Record<string, unknown> = {},
  index?: string,
): Promise<Answer> {
  const name = index ?? `alice/i${++indexes}`
  if (index === undefined) await alice.asks(`/${name}`, { method: 'PUT', json: options })
  const form = multipart(parts)
  return await alice.asks(`/${name}/`, { body: form.body, headers: { 'content-type': form.contentType } })
}
const content = (filename: string, made: Buffer): FormPart => ({ name: 'content', filename, content: made })

const whole = acmeForm({ ...HASHES, filetype: 'bdist_wheel', pyversion: 'py3', metadata_version: '2.1', unknown: 'x' })
for (const [what, parts] of [
  ['as most tools send it', whole],
  ['with the file first', [...whole].reverse()],
  ['with a field behind the file', [...whole.slice(1), whole[0]!]],
  ['with a field twice that says the same', [...whole, { name: 'version', content: '1.0' }]],
  ['with md5 in base64', acmeForm({ md5_digest: md5.toString('base64url') })],
  ['with md5 in padded base64', acmeForm({ md5_digest: `${md5.toString('base64url')}==` })],
  ['with what devpi-client says for a universal wheel', acmeForm({ pyversion: '2.7', filetype: 'bdist_wheel' })],
  ['with empty fields', acmeForm({ pyversion: '', filetype: '', md5_digest: '', protocol_version: '' })],
] as const) {
  test(`a form ${what} is accepted`, async () => {
    const answer = await sends(parts)
    assert.deepEqual([answer.status, answer.text], [200, ''])
  })
}

test('an sdist without pyversion, as flit sends it, is accepted', async () => {
  const made = rawTarGz([{ path: 'acme-1.0/PKG-INFO', content: PKG_INFO }])
  for (const fields of [{ filetype: 'sdist' }, { filetype: 'sdist', pyversion: 'source' }]) {
    assert.equal((await sends(acmeForm(fields, [content('acme-1.0.tar.gz', made)]))).status, 200)
  }
  assert.match(
    (await sends(acmeForm({ pyversion: 'py3' }, [content('acme-1.0.tar.gz', made)]))).text,
    /^pyversion 'py3'/,
  )
})

for (const [field, where] of Object.keys(HASHES).flatMap((each) => [
  [each, 'before'] as const,
  [each, 'behind'] as const,
])) {
  test(`a wrong ${field} ${where} the file is refused`, async () => {
    const wrong = { name: field, content: 'a'.repeat(field === 'md5_digest' ? 32 : 64) }
    const answer = await sends(where === 'before' ? [wrong, ...acmeForm()] : [...acmeForm(), wrong])
    assert.equal(answer.status, 400)
    assert.match(answer.text, /of the file is [0-9a-f]{32,64}, the form declares a+\nhint: /)
  })
}

test('metadata of a newer minor version is accepted with a note', async () => {
  const METADATA = 'Metadata-Version: 2.99\nName: acme\nVersion: 1.0\n'
  const answer = await sends(acmeForm({}, [content(WHEEL, acmeWheel({ METADATA }))]))
  assert.equal(answer.status, 200)
  assert.match(answer.text, /^Metadata-Version 2\.99 is newer than 2\.\d/)
})

test('an index whose upload_checks are lenient takes what is wrong in form, and nothing else', async () => {
  const lenient = { upload_checks: 'lenient' }
  const informal = acmeWheel({
    METADATA: 'Metadata-Version: 2.4\nName: acme\nVersion: 1.0\nLicense-File: LICENCE\nRequires-Dist: a b\n',
    RECORD: (record) => record.replace(/^.*\n/, ''),
    'entry_points.txt': 'not one\n',
  })
  assert.equal((await sends(acmeForm({}, [content(WHEEL, informal)]))).status, 400)
  assert.equal((await sends(acmeForm({}, [content(WHEEL, informal)]), lenient)).status, 200)
  const unsafe = acmeWheel({ add: [{ name: '../x', content: '' }] })
  const answer = await sends(acmeForm({}, [content(WHEEL, unsafe)]), lenient)
  assert.equal(answer.status, 400)
  assert.match(answer.text, /climbs out/)
  assert.equal((await sends(acmeForm(), { upload_checks: 'sloppy' }, 'alice/none')).status, 404)
  const refused = await alice.asks('/alice/odd', { method: 'PUT', json: { upload_checks: 'sloppy' } })
  assert.equal(refused.status, 400)
})

test('a non-volatile index takes one sdist for a release, whatever it is packed as', async () => {
  const tar = content('acme-1.0.tar.gz', rawTarGz([{ path: 'acme-1.0/PKG-INFO', content: PKG_INFO }]))
  const zipped = content('acme-1.0.zip', rawZip([{ name: 'acme-1.0/PKG-INFO', content: PKG_INFO }]))
  const index = 'alice/kept'
  await alice.asks(`/${index}`, { method: 'PUT', json: { volatile: false } })
  assert.equal((await sends(acmeForm({}, [tar]), {}, index)).status, 200)
  assert.equal((await sends(acmeForm({}, [tar]), {}, index)).status, 200)
  assert.equal((await sends(acmeForm(), {}, index)).status, 200)
  const second = await sends(acmeForm({}, [zipped]), {}, index)
  assert.equal(second.status, 409)
  assert.match(second.text, /^acme-1\.0\.zip cannot be added: acme-1\.0\.tar\.gz already exists/)
  await alice.asks('/alice/both', { method: 'PUT', json: { volatile: true } })
  for (const each of [tar, zipped]) assert.equal((await sends(acmeForm({}, [each]), {}, 'alice/both')).status, 200)
})
