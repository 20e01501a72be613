import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempFolder } from '../../../test/world/temp-folder.ts'
import { LIMITS } from '../../model/limits.ts'
import { AttestationUnusable, attestationsBeside, isAttestationFile } from './attestation-files.ts'

test('attestationsBeside() takes what lies beside the archive under its name, in order of kind', async () => {
  await using folder = await tempFolder()
  const archive = join(folder.path, 'acme-1.0.tar.gz')
  await writeFile(archive, '')
  assert.equal(await attestationsBeside(archive), undefined)
  for (const [name, text] of [
    ['acme-1.0.tar.gz.slsa.attestation', '{"kind": "slsa"}'],
    ['acme-1.0.tar.gz.publish.attestation', '{"kind": "publish"}'],
    ['acme-1.0.tar.gz.attestation', 'without a kind'],
    ['acme-1.0.tar.gz.publish.attestation.old', 'another ending'],
    ['acme-1.0.tar.gz.a.b.attestation', 'two kinds'],
    ['acme-1.0.zip.publish.attestation', 'of another archive'],
  ]) {
    await writeFile(join(folder.path, name!), text!)
  }
  assert.equal(await attestationsBeside(archive), '[{"kind":"publish"},{"kind":"slsa"}]')
})

for (const [what, text, sentence] of [
  ['no JSON', '{', /^Cannot send "a\.whl\.publish\.attestation": it is no JSON/],
  ['too long', `"${'x'.repeat(LIMITS.attestationBytes)}"`, /too many for an attestation$/],
] as const) {
  test(`attestationsBeside() refuses an attestation that is ${what}`, async () => {
    await using folder = await tempFolder()
    await mkdir(join(folder.path, 'dist'))
    const archive = join(folder.path, 'dist', 'a.whl')
    await writeFile(`${archive}.publish.attestation`, text)
    await assert.rejects(
      attestationsBeside(archive),
      (error) => error instanceof AttestationUnusable && sentence.test(error.message),
    )
  })
}

test('isAttestationFile() knows what goes with an archive and not by itself', () => {
  assert.ok(isAttestationFile('dist/a-1.0-py3-none-any.whl.publish.attestation'))
  assert.ok(!isAttestationFile('dist/a-1.0-py3-none-any.whl'))
  assert.ok(!isAttestationFile('dist.publish.attestation/a.whl'))
  assert.ok(!isAttestationFile('.attestation'))
})
