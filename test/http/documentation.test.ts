import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { writeBlob } from '../../src/blob/blob-store.ts'
import { indexAsWritten } from '../../src/catalog/accounts.ts'
import { saveAttachment } from '../../src/catalog/attachments.ts'
import { digestOf } from '../../src/lib/digest.ts'
import { projectName } from '../../src/pep/name.ts'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { wheel } from '../builders/wheels.ts'
import { zip } from '../builders/zip.ts'
import { type Answer, type Person, startWorld, type World } from '../world/world.ts'

const PAGE = '<!doctype html><title>Acme</title><h1>Acme</h1>'
const ACME = zip([
  { name: 'index.html', content: PAGE },
  { name: 'guide/index.html', content: 'the guide' },
  { name: 'guide/a b.html', content: 'spaced' },
  { name: '_static/search.js', content: 'search()' },
  { name: '_static/icons.woff2', content: 'font', stored: true },
  { name: 'noise.bin', content: '0123456789' },
])

let world: World

before(async () => {
  world = await startWorld()
})
after(async () => {
  await world[Symbol.asyncDispose]()
})

async function sends(
  who: Person,
  content: Buffer,
  fields: Readonly<Record<string, string>>,
  index = 'alice/dev',
): Promise<Answer> {
  const parts = fieldParts({ ':action': 'doc_upload', ...fields })
  const form = multipart([...parts, { name: 'content', filename: 'docs.zip', content }])
  return await who.asks(`/${index}/`, { body: form.body, headers: { 'content-type': form.contentType } })
}

async function zips(project: string, version: string, index = 'alice/dev') {
  const answer = await world.alice.asks(`/${index}/${project}/${version}`, { accept: 'application/json' })
  const links = answer.json<{ result: { '+links'?: { rel: string; href: string; log: unknown[] }[] } }>().result[
    '+links'
  ]
  return (links ?? []).filter((link) => link.rel === 'doczip')
}

async function stage(name: string, options: Readonly<Record<string, unknown>>): Promise<void> {
  const made = await world.alice.asks(`/alice/${name}`, { method: 'PUT', json: { bases: [], ...options } })
  assert.equal(made.status, 200, made.text)
}

describe('doc_upload', () => {
  test('keeps the zip under its own digest, registers the version and says who sent it', async () => {
    assert.equal((await sends(world.alice, ACME, { name: 'Kept.Docs', version: '1.0' })).status, 200)
    const [link, ...more] = await zips('kept-docs', '1.0')
    assert.ok(link !== undefined)
    assert.deepEqual(more, [])
    const digest = digestOf(ACME)
    const path = `/alice/dev/+f/${digest.slice(0, 3)}/${digest.slice(3, 16)}/kept-docs-1.0.doc.zip`
    assert.ok(link.href.endsWith(path), link.href)
    assert.equal((link.log as { who: string }[])[0]?.who, 'alice')
    const got = await world.stranger.asks(path)
    assert.equal(got.headers['content-type'], 'application/zip')
    assert.deepEqual(got.bytes, ACME)
  })

  test('says nothing about the release with its empty fields', async () => {
    await world.alice.uploads(wheel({ name: 'told', version: '1.0', summary: 'What it is' }), 'alice/dev')
    const fields = { name: 'told', version: '1.0', summary: '', author: 'Ann' }
    assert.equal((await sends(world.alice, ACME, fields)).status, 200)
    const answer = await world.alice.asks('/alice/dev/told/1.0', { accept: 'application/json' })
    const { summary, author } = answer.json<{ result: Record<string, string> }>().result
    assert.deepEqual([summary, author], ['What it is', 'Ann'])
  })

  test('without a version belongs to the latest on the stage', async () => {
    await world.alice.registers('versionless', '1.0', 'alice/dev', { summary: 'said before' })
    await world.alice.registers('versionless', '1.10', 'alice/dev')
    await world.alice.registers('versionless', '1.9', 'alice/dev')
    assert.equal((await sends(world.alice, ACME, { name: 'versionless' })).status, 200)
    assert.equal((await sends(world.alice, ACME, { name: 'versionless', version: '' })).status, 200)
    assert.equal((await zips('versionless', '1.10')).length, 1)
    assert.equal((await zips('versionless', '1.9')).length, 0)
  })

  test('without a version and without a release is refused', async () => {
    const answer = await sends(world.alice, ACME, { name: 'nothing-there' })
    assert.equal(answer.status, 400)
    assert.match(answer.reason, /has no releases to derive one from/)
  })

  test('sent again replaces on a volatile stage, and the history tells', async () => {
    const other = zip([{ name: 'index.html', content: 'other' }])
    await sends(world.alice, ACME, { name: 'again', version: '1.0' })
    const [before] = await zips('again', '1.0')
    assert.equal((await sends(world.alice, other, { name: 'again', version: '1.0' })).status, 200)
    const [found, ...more] = await zips('again', '1.0')
    assert.ok(found !== undefined && more.length === 0)
    assert.deepEqual(
      (found.log as { what: string }[]).map((entry) => entry.what),
      ['overwrite', 'upload'],
    )
    assert.equal((await world.stranger.asks(new URL(before!.href).pathname)).status, 410)
    assert.equal((await world.stranger.asks('/alice/dev/again/1.0/+doc/index.html')).text, 'other')
  })

  test('sent again to a stage that keeps its files is refused, unless it is the same', async () => {
    await stage('fixed', { volatile: false })
    const fields = { name: 'acme', version: '1.0' }
    assert.equal((await sends(world.alice, ACME, fields, 'alice/fixed')).status, 200)
    const same = await sends(world.alice, ACME, fields, 'alice/fixed')
    assert.deepEqual([same.status, same.reason], [200, 'Upload of identical file to non volatile index.'])
    const other = await sends(world.alice, zip([{ name: 'index.html', content: 'o' }]), fields, 'alice/fixed')
    assert.deepEqual([other.status, other.reason], [409, 'docs.zip already exists in non-volatile index'])
  })

  for (const [what, content, says] of [
    ['no zip', Buffer.from('<html>please log in</html>'), /it does not begin as a zip does/],
    ['a zip cut short', ACME.subarray(0, ACME.length - 30), /no zip, or was cut short/],
    ['a name that climbs out', zip([{ name: '../x', content: '' }]), /"\.\.\/x" has a name that is no path/],
    ['a link', zip([{ name: 'x', content: '/etc', lies: { mode: 0o120777 } }]), /"x" is a symbolic link/],
    ['a bomb', zip([{ name: 'x', content: 'x', lies: { unpackedBytes: 1e9 } }]), /compression bombs/],
  ] as const) {
    test(`refuses ${what}, and keeps nothing`, async () => {
      const blobs = await world.blobs()
      const answer = await sends(world.alice, content, { name: 'refused-docs', version: '1.0' })
      assert.equal(answer.status, 400)
      assert.match(answer.reason, /^Cannot use 'docs\.zip' as documentation: /)
      assert.match(answer.reason, says)
      assert.equal((await world.alice.asks('/alice/dev/refused-docs')).status, 404)
      assert.deepEqual(await world.blobs(), blobs)
      assert.deepEqual(await world.drafts(), [])
    })
  }

  test('is for those who may upload', async () => {
    assert.equal((await sends(world.stranger, ACME, { name: 'acme', version: '1.0' })).status, 401)
    const bob = await world.person('bob')
    assert.equal((await sends(bob, ACME, { name: 'acme', version: '1.0' })).status, 403)
  })
})

describe('+doc', () => {
  const at = '/alice/dev/acme/1.0/+doc'
  before(async () => {
    assert.equal((await sends(world.alice, ACME, { name: 'acme', version: '1.0' })).status, 200)
  })

  for (const [path, type, text] of [
    ['/index.html', 'text/html', PAGE],
    ['/guide/', 'text/html', 'the guide'],
    ['/guide/a%20b.html', 'text/html', 'spaced'],
    ['/_static/search.js', 'text/javascript; charset=utf-8', 'search()'],
    ['/_static/icons.woff2', 'font/woff2', 'font'],
    ['/noise.bin', 'application/octet-stream', '0123456789'],
  ] as const) {
    test(`serves ${path} as ${type}, without an origin`, async () => {
      const answer = await world.stranger.asks(at + path)
      assert.equal(answer.status, 200)
      assert.equal(answer.text, text)
      const { headers } = answer
      assert.equal(headers['content-type'], type)
      assert.equal(headers['content-length'], String(text.length))
      assert.equal(headers['cache-control'], 'max-age=60')
      assert.equal(headers['x-content-type-options'], 'nosniff')
      const policy = headers['content-security-policy'] ?? ''
      assert.match(policy, /^sandbox allow-scripts /)
      assert.doesNotMatch(policy, /allow-same-origin|allow-top-navigation/)
      assert.equal(headers['access-control-allow-origin'], type.startsWith('font/') ? '*' : undefined)
    })
  }

  for (const [path, goal] of [
    ['', 'index.html'],
    ['/', 'index.html'],
    ['/guide', 'guide/'],
  ] as const) {
    test(`leads from "${path}" to ${goal}`, async () => {
      const answer = await world.stranger.asks(at + path)
      assert.equal(answer.status, 302)
      const url = new URL(answer.headers.location ?? '', `http://x.example${at}${path}`)
      assert.equal(url.pathname, `${at}/${goal}`)
    })
  }

  for (const path of [
    '/nothing.html',
    '/_static',
    '/../../../../../etc/passwd',
    '/..%2f..%2f..%2fetc/passwd',
    '/%2e%2e/%2e%2e/index.html',
    '/guide/..%2findex.html',
    '//index.html',
    '/%00index.html',
    '/C:%5Cindex.html',
    '/__proto__',
    `/${'a'.repeat(3000)}`,
  ]) {
    test(`has nothing at ${path.slice(0, 60)}`, async () => {
      const answer = await world.raw(`GET ${at}${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      assert.match(answer, /^HTTP\/1\.1 (404|400) /)
    })
  }

  test('says that a file is not in the documentation, in the words of devpi-web', async () => {
    const answer = await world.stranger.asks(`${at}/nothing.html`, { accept: 'application/json' })
    assert.equal(answer.json().message, 'File nothing.html not found in documentation.')
    const page = await world.stranger.asks(`${at}/nothing.html`, { accept: 'text/html' })
    assert.equal(page.status, 404)
    assert.match(page.headers['content-security-policy'] ?? '', /^sandbox /, 'it can be shown in the frame')
  })

  test('answers HEAD, and a tag that still holds with 304', async () => {
    const head = await world.stranger.asks(`${at}/index.html`, { method: 'HEAD' })
    assert.deepEqual([head.status, head.text], [200, ''])
    assert.equal(head.headers['content-length'], String(PAGE.length))
    const etag = head.headers.etag!
    const again = await world.stranger.asks(`${at}/index.html`, { headers: { 'if-none-match': etag } })
    assert.deepEqual([again.status, again.text, again.headers.etag], [304, '', etag])
    const other = await world.stranger.asks(`${at}/noise.bin`, { headers: { 'if-none-match': etag } })
    assert.equal(other.status, 200, 'another file has another tag')
  })

  for (const [range, status, text] of [
    ['bytes=2-4', 206, '234'],
    ['bytes=-3', 206, '789'],
    ['bytes=8-', 206, '89'],
    ['bytes=10-', 416, ''],
    ['lines=1-2', 200, '0123456789'],
  ] as const) {
    test(`answers the range ${range} with ${status}`, async () => {
      const answer = await world.stranger.asks(`${at}/noise.bin`, { headers: { range } })
      assert.deepEqual([answer.status, answer.text], [status, text])
      if (status !== 200) assert.match(answer.headers['content-range'] ?? '', /\/10$/)
    })
  }

  test('breaks off a file that does not hold what the zip promises, and never ends well', async () => {
    const lies = { unpackedBytes: 2000 }
    const bytes = zip([
      { name: 'index.html', content: '' },
      { name: 'a.txt', content: Buffer.alloc(1_000_000, 'a'), lies },
    ])
    assert.equal((await sends(world.alice, bytes, { name: 'bomb', version: '1.0' })).status, 200)
    const answer = await world.raw(
      'GET /alice/dev/bomb/1.0/+doc/a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    )
    const body = answer.slice(answer.indexOf('\r\n\r\n') + 4)
    assert.ok(/^HTTP\/1\.1 5/.test(answer) || body.length < 2000, `${body.length} bytes came`)
  })

  test('needs an index.html at the root to be documentation', async () => {
    const bytes = zip([{ name: 'sub/index.html', content: 'x' }])
    assert.equal((await sends(world.alice, bytes, { name: 'rootless', version: '1.0' })).status, 200)
    for (const place of ['+doc/sub/index.html', '+d/sub/index.html', '+d/index.html']) {
      const answer = await world.stranger.asks(`/alice/dev/rootless/1.0/${place}`, { accept: 'application/json' })
      assert.deepEqual([answer.status, answer.json().message], [404, 'No documentation available.'])
    }
    const page = await world.stranger.asks('/alice/dev/rootless/1.0', { accept: 'text/html' })
    assert.match(page.text, /rootless-1\.0\.doc\.zip/)
    assert.doesNotMatch(page.text, /\+d\//)
  })
})

describe('latest and stable', () => {
  const says = async (version: string, place = '+doc/index.html') => {
    const answer = await world.stranger.asks(`/alice/dev/many/${version}/${place}`, { accept: 'text/html' })
    return answer.status === 200
      ? answer.text
      : `${answer.status} ${/<p class="lead">(.*?)<\/p>/.exec(answer.text)?.[1]}`
  }
  const sent = async (version: string) => {
    const bytes = zip([{ name: 'index.html', content: `docs of ${version}` }])
    assert.equal((await sends(world.alice, bytes, { name: 'many', version })).status, 200)
  }

  test('lead to the newest documentation there is, as devpi-web does', async () => {
    assert.equal(await says('latest'), '404 The project many does not exist.')
    await sent('2.0rc1')
    assert.equal(await says('latest'), 'docs of 2.0rc1')
    assert.equal(await says('stable'), '404 The project many has no stable release.')
    await world.alice.registers('many', '1.0', 'alice/dev')
    assert.equal(await says('stable'), '404 No stable documentation available.')
    await sent('0.9')
    await sent('0.10')
    assert.equal(await says('stable'), 'docs of 0.10')
    assert.equal(await says('1.0'), '404 No documentation available.')
    assert.equal(await says('7.0'), '404 No documentation available.')
    assert.equal(await says('0.9'), 'docs of 0.9')
    // On the page around it, too, with the way to what is newer.
    const old = await says('0.9', '+d/index.html?highlight=%3Cb%3E')
    assert.match(old, /<iframe [^>]*src="[./]*alice\/dev\/many\/0\.9\/\+doc\/index\.html\?highlight=%3Cb%3E"/)
    assert.match(old, /many\/latest\/\+d\/index\.html">Latest documentation/)
    assert.match(old, /many\/stable\/\+d\/index\.html">Stable documentation/)
    const newest = await says('latest', '+d/index.html')
    assert.doesNotMatch(newest, /Latest documentation<|is older than/)
    await world.alice.registers('many', '3.0', 'alice/dev')
    assert.match(
      await says('latest', '+d/index.html'),
      /\(version 2\.0rc1\) is older than the latest version, <a [^>]*>3\.0</,
    )
  })

  test('the page around it may hold a frame of this server, and nothing else', async () => {
    const answer = await world.stranger.asks('/alice/dev/many/latest/+d/index.html', { accept: 'text/html' })
    const policy = answer.headers['content-security-policy'] ?? ''
    assert.match(policy, /default-src 'none';.*; frame-src 'self'$/)
    assert.doesNotMatch(policy, /script-src/)
    assert.match(answer.text, /<iframe [^>]*sandbox="allow-scripts [^"]*"/)
    assert.doesNotMatch(answer.text, /allow-same-origin/)
    const led = await world.stranger.asks('/alice/dev/many/latest/+d/')
    assert.equal(led.status, 302)
    assert.match(led.headers.location ?? '', /many\/latest\/\+d\/index\.html$/)
  })
})

test('documentation of a base is at the base, and linked from the index above', async () => {
  await stage('above', { bases: ['alice/dev'] })
  await sends(world.alice, ACME, { name: 'inherited', version: '1.0' })
  await world.alice.uploads(wheel({ name: 'inherited', version: '1.0' }), 'alice/dev')
  assert.equal((await world.stranger.asks('/alice/above/inherited/1.0/+doc/index.html')).status, 404)
  for (const path of ['/alice/above/inherited', '/alice/above/inherited/1.0']) {
    const page = await world.stranger.asks(path, { accept: 'text/html' })
    assert.match(page.text, /href="[./]*alice\/dev\/inherited\/1\.0\/\+d\/index\.html"/, path)
    assert.match(page.text, /inherited-1\.0\.doc\.zip"/, path)
  }
  const list = await world.stranger.asks('/alice/dev', { accept: 'text/html' })
  assert.match(list.text, /alice\/dev\/inherited\/1\.0\/\+d\/index\.html">documentation</)
})

test('the search finds a project by the words of its latest documentation, until that is gone', async () => {
  const finds = async (word: string, who = world.stranger) => {
    await world.jobsDone()
    const answer = await who.asks(`/+search?query=${word}`, { accept: 'application/json' })
    return answer.json<{ result: { hits: { name: string }[] } }>().result.hits.map((hit) => hit.name)
  }
  const page = (word: string) => [
    { name: 'index.html', content: '<p>Read on' },
    { name: 'deep/er/page.html', content: `<title>On ${word}s</title><script>hiddenword</script><p>x` },
    { name: 'broken.html', content: 'y', lies: { crc: 1 } },
    { name: 'notes.txt', content: 'textword' },
  ]
  await sends(world.alice, zip(page('zeppelin')), { name: 'airships', version: '1.0' })
  assert.deepEqual(await finds('zeppelin'), ['airships'])
  assert.deepEqual(await finds('hiddenword'), [])
  assert.deepEqual(await finds('textword'), [])
  await sends(world.alice, zip(page('balloon')), { name: 'airships', version: '1.1' })
  assert.deepEqual(await finds('zeppelin'), [])
  assert.deepEqual(await finds('balloon'), ['airships'])
  await world.alice.asks('/alice/dev/airships/1.1?force', { method: 'DELETE' })
  assert.deepEqual(await finds('balloon'), [])
  assert.deepEqual(await finds('zeppelin'), ['airships'])
  await world.alice.asks('/alice/dev/airships?force', { method: 'DELETE' })
  assert.deepEqual(await finds('zeppelin'), [])
  await stage('hidden', { acl_pkg_read: ['alice'] })
  await sends(world.alice, zip(page('dirigible')), { name: 'airships', version: '1.0' }, 'alice/hidden')
  assert.deepEqual(await finds('dirigible'), [])
  assert.deepEqual(await finds('dirigible', world.alice), ['airships'])
})

test('a zip that came in by an import and is none is no documentation, and no failure', async () => {
  const { catalog, blobs } = world.server.stores
  const blob = await writeBlob(blobs, [Buffer.from('no zip')], { limitBytes: 100 })
  await world.alice.registers('imported', '1.0', 'alice/dev')
  await catalog.write(async (writer) => {
    const index = await indexAsWritten(writer, 'alice/dev')
    await saveAttachment(writer, index!, {
      ...{ kind: 'doczip', project: projectName('imported'), version: '1.0', filename: 'imported-1.0.doc.zip' },
      ...{ ...blob, created: '2026-01-01T00:00:00Z', addressHash: blob.digest, log: [] },
    })
  })
  await world.jobsDone()
  assert.equal((await world.stranger.asks('/alice/dev/imported/1.0/+doc/index.html')).status, 404)
  const page = await world.stranger.asks('/alice/dev/imported/1.0', { accept: 'text/html' })
  assert.match(page.text, />Documentation as zip</)
})

test('documentation of an index is for those who may read it', async () => {
  await stage('secret', { acl_pkg_read: ['alice'] })
  assert.equal((await sends(world.alice, ACME, { name: 'acme', version: '1.0' }, 'alice/secret')).status, 200)
  for (const place of ['+doc/index.html', '+doc/', '+doc/nothing', '+d/index.html', '+toxresults/x.whl']) {
    const answer = await world.stranger.asks(`/alice/secret/acme/1.0/${place}`, { accept: 'text/html' })
    assert.equal(answer.status, 401, place)
    assert.doesNotMatch(answer.text, /acme/)
  }
  const bob = await world.person('robert')
  assert.equal((await bob.asks('/alice/secret/acme/1.0/+doc/index.html')).status, 403)
  const own = await world.alice.asks('/alice/secret/acme/1.0/+doc/index.html')
  assert.deepEqual([own.status, own.text], [200, PAGE])
  assert.equal(own.headers['cache-control'], 'private, max-age=60')
})
