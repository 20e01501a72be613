/** What installers, uploaders, mirrors and auditors need of an index, line by line: lines 7 to 11, after those of `checklist.test.ts`. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { completeImport, saveAdvisories } from '../../src/catalog/advisories.ts'
import { digestOf } from '../../src/lib/digest.ts'
import { readAdvisory } from '../../src/pep/osv-record.ts'
import { advisory } from '../builders/advisories.ts'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { sdist, wheel } from '../builders/wheels.ts'
import { githubClaims } from '../upstream/fake-issuer.ts'
import type { Behaviour } from '../upstream/fake-upstream.ts'
import type { Answer } from '../world/world.ts'
import { basic, filesOf, JSON_V1, led, offers, type Page, sendsForm, startGround, UV } from './checklist-ground.ts'

const FAILURES: readonly { readonly project: string; readonly behaviour: Behaviour }[] = [
  { project: 'fails', behaviour: { kind: 'status', status: 500 } },
  { project: 'is-busy', behaviour: { kind: 'status', status: 429, retryAfterSeconds: 7 } },
  { project: 'refuses', behaviour: { kind: 'status', status: 403 } },
  { project: 'hangs', behaviour: { kind: 'hang' } },
  { project: 'is-cut', behaviour: { kind: 'cut' } },
  { project: 'is-elsewhere', behaviour: { kind: 'login-page' } },
]
/** Where upstream has the files of those projects. */
const paths = new Map<string, string>()

const ground = await startGround((upstream) => {
  // Else half a page would be none: what is unchanged has no body to break off in.
  Object.assign(upstream.settings, { etags: false, lastModified: false })
  offers(upstream, 'lib', '1.0')
  offers(upstream, 'quiet', '1.0')
  offers(upstream, 'harmful', '1.0')
  upstream.setStatus('harmful', 'quarantined', 'suspected to do harm')
  for (let minor = 0; minor < 8; minor++) offers(upstream, 'many', `1.${minor}`)
  for (const { project } of FAILURES) {
    for (const version of ['1.0', '2.0']) {
      const made = wheel({ name: project, version })
      paths.set(made.filename, upstream.add(project, made).path)
    }
    upstream.addProject(`unseen-${project}`)
  }
})
after(() => ground[Symbol.asyncDispose]())
const { world, upstream, issuer, sigstore } = ground
const { alice, stranger } = world

describe('7. uploads', () => {
  const said = { name: 'posted', version: '1.0', metadata_version: '2.1', protocol_version: '1' }
  const action = fieldParts({ ':action': 'file_upload' })
  const upload = wheel({ name: 'posted', version: '1.0' })
  const content = { name: 'content', filename: upload.filename, content: upload.bytes }
  const fields = fieldParts({ ...said, filetype: 'bdist_wheel', pyversion: 'py3', sha256_digest: upload.sha256 })
  const attestations = () => ({ name: 'attestations', content: JSON.stringify([sigstore.attest(upload)]) })
  const source = sdist({ name: 'posted', version: '1.0' })
  const flit = [
    ...action,
    ...fieldParts({ ...said, filetype: 'sdist' }),
    { name: 'content', filename: source.filename, content: source.bytes },
  ]
  test('every sender’s form: fields in any order, attestations last, no pyversion; to any address, never redirected', async () => {
    for (const [place, [who, parts]] of [
      ['twine', [...fields, ...action, content]],
      ['uv with attestations', [...action, ...fields, content, attestations()]],
      ['poetry', [...action, ...fields, content]],
      ['the file first', [content, ...fields, ...action]],
      ['flit', flit],
    ].entries() as Iterable<[number, [string, typeof flit]]>) {
      const index = `alice/up${place}`
      await alice.asks(`/${index}`, { method: 'PUT', json: {} })
      for (const path of [`/${index}/`, `/${index}`]) {
        const answer = await sendsForm(alice, path, parts)
        assert.equal(answer.status, 200, `${who} to ${path}: ${answer.text}`)
      }
      const [file] = await filesOf(stranger, `/${index}/+simple/posted/`)
      const { provenance } = file!
      assert.equal(provenance !== undefined, who.includes('attestations'))
      if (provenance !== undefined) await isAskedAgain(led('/', provenance).pathname)
      // Hatch looks there, below the address of uploads, for what was published.
      const { text } = await stranger.asks(`/${index}/+simple/posted/`)
      assert.equal(/<a [^>]+>([^<]+)<\/a>/.exec(text)?.[1], file!.filename)
    }
    const legacy = await sendsForm(alice, '/legacy/', [...action, ...fields, content])
    assert.deepEqual([legacy.status, (await filesOf(stranger, '/simple/posted/')).length], [200, 1])
    // uv publish --check-url compares what the page says.
    assert.equal((await filesOf(stranger, '/simple/posted/'))[0]?.hashes.sha256, upload.sha256)
  })
  /** Provenance may gain bundles at any time. */
  async function isAskedAgain(path: string): Promise<void> {
    const answer = await stranger.asks(path)
    assert.deepEqual([answer.status, answer.headers['cache-control']], [200, 'no-cache'])
    const headers = { 'if-none-match': answer.headers.etag ?? 'none' }
    assert.equal((await stranger.asks(path, { headers })).status, 304)
  }
  test('the same again is 200; other content is refused in words that twine and uv know', async () => {
    const changed = wheel({ name: 'posted', version: '1.0', summary: 'Other' })
    await alice.asks('/alice/fixed', { method: 'PUT', json: { volatile: false } })
    for (const status of [200, 200]) assert.equal((await alice.uploads(upload, 'alice/fixed')).status, status)
    const refused = await alice.uploads(changed, 'alice/fixed')
    assert.ok([400, 409].includes(refused.status), refused.text)
    assert.match(`${refused.reason} ${refused.text}`, /already exist/)
    const parts = [...action, ...fieldParts(said), { ...content, content: changed.bytes }]
    const uv = await sendsForm(alice, '/alice/fixed/', parts, {
      accept: 'application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7',
      headers: UV.headers,
    })
    assert.deepEqual([uv.status, uv.headers['content-type']], [refused.status, 'application/problem+json'])
    assert.match(uv.json<{ detail: string }>().detail, /already exist/)
    const anonymous = await sendsForm(stranger, '/alice/fixed/', parts)
    assert.deepEqual([anonymous.status, anonymous.headers['www-authenticate']], [401, 'Basic realm="pypi"'])
  })
  test('a file goes to disk while it is still coming', async () => {
    const big = wheel({ name: 'big', version: '1.0', files: { 'big/noise': randomBytes(4_000_000) } })
    const parts = [...action, ...fieldParts({ name: 'big', version: '1.0' })]
    const { body, contentType } = multipart([...parts, { name: 'content', filename: big.filename, content: big.bytes }])
    let onDisk = 0
    const drafts = join(world.folder, 'drafts')
    async function* sent() {
      for (let at = 0; at < body.length - 100; at += 65_536)
        yield body.subarray(at, Math.min(at + 65_536, body.length - 100))
      for (let tries = 0; onDisk < 3_000_000 && tries < 200; tries++) {
        await delay(10)
        const sizes = (await world.drafts()).map(async (name) => (await stat(join(drafts, name))).size)
        onDisk = Math.max(0, ...(await Promise.all(sizes)))
      }
      yield body.subarray(body.length - 100)
    }
    const headers = { ...alice.credentials, 'content-type': contentType }
    const answer = await world.server.app.inject({
      method: 'POST',
      url: '/alice/dev/',
      headers,
      payload: Readable.from(sent()),
    })
    assert.equal(answer.statusCode, 200, answer.body)
    assert.ok(onDisk >= 3_000_000, `${onDisk} bytes were on disk`)
  })
})

describe('8. what is blocked', () => {
  test('keeps its name: an empty page and not 404, so that uv stops; its files are 403, with the reason', async () => {
    for (const path of ['/root/pypi/+simple/harmful/', '/alice/dev/+simple/harmful/', '/simple/harmful/']) {
      const page = await stranger.asks(path, UV)
      assert.deepEqual([page.status, page.json<Page>().files], [200, []], path)
      assert.equal(page.headers['cache-control'], 'no-cache')
    }
    await alice.uploads(wheel({ name: 'ours', version: '1.0' }), 'alice/dev')
    const [file] = await filesOf(stranger, '/simple/ours/')
    const json = { status: 'quarantined', reason: 'looked at' }
    const set = await alice.asks('/alice/dev/+status/ours', { method: 'PUT', json })
    assert.equal(set.status, 200, set.text)
    assert.deepEqual(await filesOf(stranger, '/simple/ours/', UV), [])
    const refused = await stranger.asks(file!.url, UV)
    assert.deepEqual([refused.status, refused.json().code], [403, 'file-withheld'])
    assert.match(refused.json<{ detail: string }>().detail, /quarantined/)
  })
  test('and pip, which goes on to its second index, is told to have no other', async () => {
    assert.match(await readFile('docs/standards.md', 'utf8'), /the only index/)
  })
})

test('9. a mirror can be made from here: the list without slash, serials, JSON with its header, /packages', async () => {
  for (const index of ['/root/pypi', '/alice/dev', '']) {
    const moved = await stranger.asks(`${index}/simple`, { accept: JSON_V1 })
    assert.equal(moved.status, 302)
    const list = await stranger.asks(led(`${index}/simple`, moved.headers.location).pathname, { accept: JSON_V1 })
    const { meta, projects } = list.json<{
      meta: { '_last-serial': number }
      projects: { name: string; '_last-serial': number }[]
    }>()
    const many = projects.find(({ name }) => name === 'many')
    assert.ok(many !== undefined && many['_last-serial'] > 0 && meta['_last-serial'] >= many['_last-serial'])
    const json = await stranger.asks(`${index}/pypi/many/json`)
    assert.equal(json.status, 200)
    assert.ok(Number(json.headers['x-pypi-last-serial']) >= many['_last-serial'])
    const { releases, last_serial } = json.json<{
      releases: Record<string, { url: string; size: number; digests: { sha256: string } }[]>
      last_serial: number
    }>()
    assert.equal(String(last_serial), json.headers['x-pypi-last-serial'])
    const [file] = releases['1.0'] ?? []
    const path = led('/', file?.url).pathname
    assert.match(path, /^\/packages\//)
    assert.equal(digestOf((await stranger.asks(path)).bytes), file?.digests.sha256)
  }
})

describe('10. for auditors and builds', () => {
  test('OSV: as many answers as questions, a record by its id, 404 for another', async () => {
    const record = advisory({ id: 'PYSEC-2026-1', name: 'lib', events: [{ introduced: '0' }, { fixed: '1!1.0' }] })
    await world.server.stores.catalog.write(async (writer) => {
      await saveAdvisories(writer, [{ ...readAdvisory(record), record: JSON.stringify(record) }])
      await completeImport(writer, '2026-03-01T00:00:00.000Z')
    })
    const query = (name: string, version: string) => ({ package: { ecosystem: 'PyPI', name }, version })
    const queries = [query('acme', '1.0'), query('Lib', '1.0'), query('lib', '1!2.0')]
    const batch = await stranger.asks('/v1/querybatch', { json: { queries } })
    assert.deepEqual([batch.status, batch.headers['content-type']], [200, 'application/json'], batch.text)
    const { id, modified } = record
    assert.deepEqual(batch.json(), { results: [{}, { vulns: [{ id, modified }] }, {}] })
    assert.deepEqual((await stranger.asks(`/v1/vulns/${id}`)).json(), record)
    const unknown = await stranger.asks('/v1/vulns/PYSEC-0000-1')
    assert.deepEqual([unknown.status, unknown.headers['content-type']], [404, 'application/json'])
  })
  test('Trusted Publishing: audience, a token that uploads its project, and no second one for the same proof', async () => {
    const named = { kind: 'github', issuer: issuer.url, owner: 'octo', repository: 'built', workflow: 'release.yml' }
    const added = await alice.asks('/alice/dev/+publishers', { json: { ...named, projects: ['built'] } })
    assert.equal(added.status, 201, added.text)
    const { audience } = (await stranger.asks('/_/oidc/audience')).json<{ audience: string }>()
    const proof = await issuer.token({ ...githubClaims('octo/built', 'release.yml'), aud: audience })
    const mint = () => stranger.asks('/_/oidc/mint-token', { json: { token: proof } })
    const { token } = (await mint()).json<{ token: string }>()
    for (const [name, status] of [
      ['built', 200],
      ['acme', 403],
    ] as const) {
      const { filename, bytes } = wheel({ name, version: '7.0' })
      const said = fieldParts({ ':action': 'file_upload', name, version: '7.0' })
      const parts = [...said, { name: 'content', filename, content: bytes }]
      const answer = await sendsForm(stranger, '/legacy/', parts, { headers: basic('__token__', token) })
      assert.equal(answer.status, status, answer.text)
    }
    assert.equal((await mint()).status, 422)
  })
})

describe('11. an upstream that fails', () => {
  for (const { project, behaviour } of FAILURES) {
    test(`${project}: never 404, nothing half is kept, and all is well again with upstream`, async () => {
      const page = `/root/pypi/+simple/${project}/`
      const [here, absent] = await filesOf(stranger, page)
      assert.equal((await stranger.asks(here!.url)).status, 200)
      const broken = `${led('/', absent!.url).pathname.split('/').at(-1)}`
      const path = paths.get(broken) ?? ''
      upstream.misbehave(path, behaviour)
      upstream.misbehave(`/simple/${project}/`, behaviour)
      // Cut short after its headers, it is no answer at all.
      const answer = await stranger.asks(absent!.url, UV).catch(() => undefined)
      assert.ok(answer === undefined || answer.status >= 500, `${answer?.status}`)
      if (answer !== undefined) isFailure(answer)
      assert.ok(!(await world.blobs()).some((blob) => blob.digest === absent!.hashes.sha256))
      // Of a page that is known the old one, and for no longer than it has to be.
      world.passes(86_400_000)
      const old = await stranger.asks(page, UV)
      assert.equal(old.status, 200, old.text)
      assert.match(old.headers['cache-control'] ?? '', /no-store/)
      upstream.behave()
      world.passes(86_400_000)
      assert.equal(digestOf((await stranger.asks(absent!.url)).bytes), absent!.hashes.sha256)
    })
    test(`${project}: a page that was never seen is 502 or 503, with whole seconds`, async () => {
      upstream.misbehave('*', behaviour)
      isFailure(await stranger.asks(`/root/pypi/+simple/unseen-${project}/`, UV))
      upstream.behave()
      world.passes(86_400_000)
    })
  }
  function isFailure(answer: Answer): void {
    assert.ok([502, 503, 504].includes(answer.status), `${answer.status}`)
    const { 'content-type': type, 'cache-control': caching, 'retry-after': retry } = answer.headers
    assert.deepEqual([type, caching], ['application/problem+json', 'no-store'])
    assert.match(retry ?? (answer.status === 503 ? 'none' : '0'), /^\d+$/)
  }
  test('404 for a file that upstream lists is no 404 here', async () => {
    const made = wheel({ name: 'lib', version: '1.0' })
    const [file] = await filesOf(stranger, '/root/pypi/+simple/lib/')
    upstream.misbehave('/packages/*', { kind: 'status', status: 404 })
    isFailure(await stranger.asks(file!.url, UV))
    upstream.behave()
    world.passes(86_400_000)
    assert.equal(digestOf((await stranger.asks(file!.url)).bytes), made.sha256)
  })
  test('404 after 200, and a quarantine, are upstream’s word: no page from before outlives them', async () => {
    await filesOf(stranger, '/root/pypi/+simple/quiet/')
    upstream.setStatus('quiet', 'quarantined')
    upstream.remove('many', 'many-1.7-py3-none-any.whl')
    world.passes(86_400_000)
    assert.deepEqual(await filesOf(stranger, '/root/pypi/+simple/quiet/'), [])
    const names = (await filesOf(stranger, '/root/pypi/+simple/many/')).map((file) => file.filename)
    assert.deepEqual([names.length, names.includes('many-1.7-py3-none-any.whl')], [7, false])
  })
})
