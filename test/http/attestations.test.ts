import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { type AttestationObject, github, throwawaySigstore } from '../sigstore/throwaway.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { type Answer, startWorld, type World } from '../world/world.ts'

const sigstore = throwawaySigstore()
const acme = wheel({ name: 'acme', version: '1.0' })
const JSON_PAGE = 'application/vnd.pypi.simple.v1+json'
const PROVENANCE = 'application/vnd.pypi.integrity.v1+json'
const INTEGRITY = `/alice/dev/integrity/acme/1.0/${acme.filename}/provenance`

/** A world that trusts the test's own Sigstore. */
async function trusting(): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder())
  const path = join(folder.path, 'trusted_root.json')
  await writeFile(path, sigstore.trustedRoot)
  const world = stack.use(await startWorld({ settings: { sigstore_trusted_root: path } }))
  const opened = stack.move()
  return { ...world, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

function field(...attestations: readonly unknown[]): { attestations: string } {
  return { attestations: JSON.stringify(attestations) }
}

async function listed(world: World, index = 'alice/dev'): Promise<Record<string, string> | undefined> {
  const page = await world.stranger.asks(`/${index}/+simple/acme/`, { accept: JSON_PAGE })
  return page.json<{ files: Record<string, string>[] }>().files[0]
}

const signatures = (answer: Answer) =>
  answer
    .json<{ attestation_bundles: { attestations: AttestationObject[] }[] }>()
    .attestation_bundles.map((bundle) => bundle.attestations.map((each) => each.envelope.signature))

test('an upload with an attestation has provenance, beside the file and by the Integrity API', async () => {
  await using world = await trusting()
  const attestation = sigstore.attest(acme)
  const answer = await world.alice.uploads(acme, 'alice/dev', field(attestation))
  assert.equal(answer.status, 200, answer.text)
  const { provenance = '', url = '' } = (await listed(world)) ?? {}
  const address = new URL(url, 'http://localhost:80/alice/dev/+simple/acme/')
  assert.equal(new URL(provenance).href, `${address.href}.provenance`)
  const html = await world.stranger.asks('/alice/dev/+simple/acme/', { accept: 'text/html' })
  assert.ok(html.text.includes(` data-provenance="${provenance}"`), html.text)
  for (const path of [new URL(provenance).pathname, INTEGRITY]) {
    const served = await world.stranger.asks(path, { accept: PROVENANCE })
    assert.equal(served.status, 200, served.text)
    assert.equal(served.headers['content-type'], PROVENANCE)
    assert.equal(served.headers['cache-control'], 'no-cache')
    assert.deepEqual(served.json(), {
      version: 1,
      attestation_bundles: [
        {
          publisher: { kind: 'GitHub', repository: 'acme/widget', workflow: 'release.yml', environment: null },
          attestations: [attestation],
        },
      ],
    })
    const again = await world.stranger.asks(path, {
      accept: PROVENANCE,
      headers: { 'if-none-match': served.headers.etag! },
    })
    assert.equal(again.status, 304)
  }
})

test('the Integrity API speaks in its own type and in JSON, and in nothing else', async () => {
  await using world = await trusting()
  await world.alice.uploads(acme, 'alice/dev', field(sigstore.attest(acme)))
  for (const [accept, status, type] of [
    [undefined, 200, PROVENANCE],
    ['*/*', 200, PROVENANCE],
    ['application/json', 200, 'application/json'],
    ['application/json;q=0.9, application/vnd.pypi.integrity.v1+json', 200, PROVENANCE],
    ['text/html', 406, undefined],
    ['application/vnd.pypi.integrity.v2+json', 406, undefined],
  ] as const) {
    const answer = await world.stranger.asks(INTEGRITY, accept === undefined ? {} : { accept })
    assert.equal(answer.status, status, `${accept}: ${answer.text}`)
    if (type !== undefined) assert.equal(answer.headers['content-type'], type)
  }
  for (const path of [
    INTEGRITY.replace('/1.0/', '/1.1/'),
    INTEGRITY.replace('acme-1.0', 'acme-1.1'),
    INTEGRITY.replace('/acme/', '/acne/'),
    INTEGRITY.replace('/alice/dev/', '/alice/none/'),
  ]) {
    assert.equal((await world.stranger.asks(path)).status, 404, path)
  }
  // 1 and 1.0 are one version, and names are normalized.
  assert.equal((await world.stranger.asks(INTEGRITY.replace('/acme/1.0/', '/Acme/1/'))).status, 200)
})

test('a file without attestations has no provenance, and says nothing of it', async () => {
  await using world = await trusting()
  await world.alice.uploads(acme, 'alice/dev', { attestations: '' })
  const { provenance, url = '' } = (await listed(world)) ?? {}
  assert.equal(provenance, undefined)
  const path = new URL(`${url}.provenance`, 'http://localhost/alice/dev/+simple/acme/').pathname
  assert.equal((await world.stranger.asks(path)).status, 404)
  assert.equal((await world.stranger.asks(INTEGRITY)).status, 404)
})

const other = wheel({ name: 'acme', version: '1.0', summary: 'other content' })
const changed = (change: (attestation: AttestationObject) => unknown) => {
  const attestation = sigstore.attest(acme)
  change(attestation)
  return JSON.stringify([attestation])
}
const firstEntry = (attestation: AttestationObject) => attestation.verification_material.transparency_entries[0]!
const attested = (...how: Parameters<typeof sigstore.attest>) => JSON.stringify([sigstore.attest(...how)])

for (const [what, attestations, sentence] of [
  ['no JSON', '{', 'it is no JSON'],
  ['no list', '{}', 'it is no JSON array of attestation objects'],
  ['too many', JSON.stringify(Array(9).fill(sigstore.attest(acme))), 'it has 9 attestations, at most 8 are taken'],
  ['no object', '[3]', 'it is no JSON object'],
  ['another version', changed((each) => Object.assign(each, { version: 2 })), 'it is of version 2, only 1 is known'],
  [
    'no envelope',
    changed((each) => Object.assign(each, { envelope: {} })),
    'it lacks its certificate, its statement or its signature, in base64',
  ],
  [
    'no log entry',
    changed((each) => Object.assign(each.verification_material, { transparency_entries: [] })),
    'it has no transparency log entry',
  ],
  [
    'no inclusion promise',
    changed((each) => delete firstEntry(each).inclusionPromise),
    'its transparency log entry has no promise of inclusion, which alone vouches for its time',
  ],
  [
    'no inclusion proof',
    changed((each) => delete firstEntry(each).inclusionProof),
    'its transparency log entry has no proof of inclusion',
  ],
  [
    'a promise of another time',
    changed((each) => Object.assign(firstEntry(each), { integratedTime: String(Date.UTC(2026, 0, 1) / 1000 + 1) })),
    'its inclusion in a transparency log that is trusted cannot be shown',
  ],
  [
    'a proof by a log with a strange name',
    changed((each) => {
      const proof = firstEntry(each).inclusionProof as { checkpoint: { envelope: string } }
      proof.checkpoint.envelope = proof.checkpoint.envelope.replace('\u2014 log.', '\u2014 (.+)+')
    }),
    'its proof of inclusion is signed by a log with a strange name',
  ],
  [
    'an expired certificate',
    attested(acme, { minute: 11 }),
    'its certificate was not valid when the transparency log took the signature in',
  ],
  [
    'a certificate that is no certificate',
    changed((each) => Object.assign(each.verification_material, { certificate: 'AAAA' })),
    'its certificate cannot be read',
  ],
  [
    'a certificate in no log',
    attested(acme, { isUnstamped: true }),
    'its certificate is in no certificate transparency log that is trusted',
  ],
  [
    'an unknown root',
    JSON.stringify([throwawaySigstore().attest(acme)]),
    'its certificate does not come from an authority that is trusted',
  ],
  ['a wrong signature', attested(acme, { isForged: true }), 'its signature does not fit its statement'],
  [
    'another statement than the log has',
    changed((each) => Object.assign(each.envelope, { statement: sigstore.attest(other).envelope.statement })),
    'its transparency log entry is about another statement or signature',
  ],
  [
    'another signature than the log has',
    attested(acme, { loggedSignature: Buffer.from('another') }),
    'its transparency log entry is about another statement or signature',
  ],
  ['no subject', attested(acme, { subjects: [] }), 'its statement names 0 subjects, exactly one is needed'],
  [
    'two subjects',
    attested(acme, { subjects: Array(2).fill({ name: acme.filename, digest: { sha256: acme.sha256 } }) }),
    'its statement names 2 subjects, exactly one is needed',
  ],
  [
    'another file',
    attested({ filename: 'acme-1.1-py3-none-any.whl', sha256: acme.sha256 }),
    'it is about "acme-1.1-py3-none-any.whl", not about "acme-1.0-py3-none-any.whl"',
  ],
  [
    'other content',
    attested({ filename: acme.filename, sha256: other.sha256 }),
    `it is about content with sha256 ${other.sha256}, the file has ${acme.sha256}`,
  ],
  [
    'another predicate',
    attested(acme, { predicateType: 'https://predicates.example/v1' }),
    'its predicate type "https://predicates.example/v1" is not taken',
  ],
] as const) {
  test(`an upload with an attestation of ${what} is refused, and nothing is kept`, async () => {
    const world = await refusing()
    const serial = await world.server.stores.catalog.latestSerial()
    const answer = await world.alice.uploads(acme, 'alice/dev', { attestations })
    assert.equal(answer.status, 400)
    assert.equal(answer.text, `invalid attestation for '${acme.filename}': ${sentence}\n`)
    assert.equal(await world.server.stores.catalog.latestSerial(), serial)
    assert.deepEqual(await world.blobs(), [])
    assert.deepEqual(await world.drafts(), [])
  })
}

/** One world for all that leaves nothing behind. */
let refuser: Promise<World> | undefined
const refusing = () => (refuser ??= trusting())
test('that world is closed', async () => {
  await (await refusing())[Symbol.asyncDispose]()
})

test('of several attestations the one that does not hold is told by its place; the subject is compared as parsed', async () => {
  await using world = await trusting()
  const answer = await world.alice.uploads(
    acme,
    'alice/dev',
    field(sigstore.attest(acme), sigstore.attest(acme, { isForged: true })),
  )
  assert.equal(
    answer.text,
    `invalid attestation for '${acme.filename}': number 2: its signature does not fit its statement\n`,
  )
  const spelled = await world.alice.uploads(
    acme,
    'alice/dev',
    field(sigstore.attest({ filename: 'ACME-1-py3-none-any.whl', sha256: acme.sha256 })),
  )
  assert.equal(spelled.status, 200, spelled.text)
})

test('the same file again may bring more attestations; other content begins anew', async () => {
  await using world = await trusting()
  await world.root.asks('/alice/kept', { method: 'PUT', json: { bases: [], volatile: false, acl_upload: ['alice'] } })
  const [first, second, third] = [sigstore.attest(acme), sigstore.attest(acme), sigstore.attest(other)]
  const stranger = sigstore.attest(acme, { who: github('other/widget') })
  for (const index of ['alice/dev', 'alice/kept']) {
    const path = INTEGRITY.replace('alice/dev', index)
    await world.alice.uploads(acme, index, field(first))
    const again = await world.alice.uploads(acme, index, field(first, second, stranger))
    assert.equal(again.status, 200, again.text)
    assert.deepEqual(signatures(await world.stranger.asks(path)), [
      [first.envelope.signature, second.envelope.signature],
      [stranger.envelope.signature],
    ])
    assert.equal((await world.alice.uploads(acme, index)).status, 200)
    assert.equal(signatures(await world.stranger.asks(path)).length, 2)
  }
  await world.alice.uploads(other, 'alice/dev')
  assert.equal((await world.stranger.asks(INTEGRITY)).status, 404)
  await world.alice.uploads(other, 'alice/dev', field(third))
  assert.deepEqual(signatures(await world.stranger.asks(INTEGRITY)), [[third.envelope.signature]])
})

test('provenance goes along with a push, is seen through bases, and goes with its file', async () => {
  await using world = await trusting()
  for (const [name, bases] of [
    ['prod', []],
    ['all', ['alice/prod']],
  ] as const) {
    await world.root.asks(`/alice/${name}`, { method: 'PUT', json: { bases, acl_upload: ['alice'] } })
  }
  await world.alice.uploads(acme, 'alice/dev', field(sigstore.attest(acme)))
  const pushed = await world.alice.asks('/alice/dev', {
    json: { name: 'acme', version: '1.0', targetindex: 'alice/prod' },
  })
  assert.equal(pushed.status, 200, pushed.text)
  const served = await world.stranger.asks(INTEGRITY)
  assert.equal((await world.stranger.asks(INTEGRITY.replace('/dev/', '/prod/'))).text, served.text)
  assert.equal((await world.stranger.asks(INTEGRITY.replace('/dev/', '/all/'))).text, served.text)
  assert.match((await listed(world, 'alice/all'))?.provenance ?? '', /\/alice\/prod\/\+f\/.*\.provenance$/)
  assert.equal((await world.alice.asks('/alice/dev/acme/1.0', { method: 'DELETE' })).status, 200)
  assert.equal((await world.stranger.asks(INTEGRITY)).status, 404)
  await world.alice.uploads(acme, 'alice/dev')
  assert.equal((await world.stranger.asks(INTEGRITY)).status, 404)
})

test('a trusted root that cannot be used stops the server at its start', async () => {
  await using folder = await tempFolder()
  for (const [name, text] of [
    ['missing.json', undefined],
    ['empty.json', '{}'],
    ['other.json', '[]'],
    ['cut.json', sigstore.trustedRoot.slice(0, 100)],
  ] as const) {
    const path = join(folder.path, name)
    if (text !== undefined) await writeFile(path, text)
    await assert.rejects(
      startWorld({ settings: { sigstore_trusted_root: path } }),
      (error: Error) => /^Cannot use sigstore_trusted_root: /.test(error.message),
      name,
    )
  }
})
