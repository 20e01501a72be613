import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { details } from '../../test/builders/details.ts'
import { projectName } from './name.ts'
import type { ProjectDetail } from './simple.ts'
import { detailFromHtml, detailToHtml, listToHtml, namesFromHtml } from './simple-html.ts'

const PAGE = new URL('https://index.example/simple/acme/')
const acme = projectName('acme')

async function* chunks(text: string, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function names(text: string): Promise<string[]> {
  return await Array.fromAsync(namesFromHtml(chunks(text)))
}

function page(body: string): string {
  return `<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.4"></head><body>${body}</body></html>`
}

test('detailToHtml() writes the shape that tools read with regular expressions', () => {
  const text = detailToHtml({
    name: acme,
    versions: ['1.0'],
    status: { status: 'deprecated', reason: 'use "b" & <c>' },
    lastStamp: 7,
    files: [
      {
        filename: 'acme-1.0.tar.gz',
        url: '../../a/acme-1.0.tar.gz',
        hashes: { md5: 'cd', sha256: 'ab' },
        size: 3,
        uploadTime: '2026-01-02T03:04:05Z',
        requiresPython: '>=3.8,<4',
        yanked: 'it\'s <bad> & "ugly"',
        coreMetadata: { sha256: 'ef' },
        gpgSig: true,
        provenance: 'https://index.example/p',
      },
      { filename: 'acme-1.0.zip', url: 'acme-1.0.zip', hashes: {}, yanked: true, coreMetadata: true },
    ],
  })
  assert.equal(
    text,
    `<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="1.4">
    <meta name="pypi:project-status" content="deprecated">
    <meta name="pypi:project-status-reason" content="use &quot;b&quot; &amp; &lt;c&gt;">
    <title>Links for acme</title>
  </head>
  <body>
    <h1>Links for acme</h1>
    <a href="../../a/acme-1.0.tar.gz#sha256=ab" data-requires-python="&gt;=3.8,&lt;4" data-dist-info-metadata="sha256=ef" data-core-metadata="sha256=ef" data-yanked="it&#x27;s &lt;bad&gt; &amp; &quot;ugly&quot;" data-gpg-sig="true" data-provenance="https://index.example/p" data-size="3" data-upload-time="2026-01-02T03:04:05Z">acme-1.0.tar.gz</a><br />
    <a href="acme-1.0.zip" data-dist-info-metadata="true" data-core-metadata="true" data-yanked="">acme-1.0.zip</a><br />
  </body>
</html>
<!--SERIAL 7-->
`,
  )
  // The expression of a client in the field: an unescaped ">" in an attribute would hide a file from it.
  assert.deepEqual(
    [...text.matchAll(/<a [^>]+>([^<]+)<\/a>/g)].map((found) => found[1]),
    ['acme-1.0.tar.gz', 'acme-1.0.zip'],
  )
})

test('detailToHtml() keeps each file on one line, and line ends of a reason as they are', () => {
  const reasons = ['first\nsecond', 'first\r\nsecond', 'first\rsecond']
  const files = reasons.map((yanked, at) => ({ filename: `acme-${at}.zip`, url: `acme-${at}.zip`, hashes: {}, yanked }))
  const text = detailToHtml({ name: acme, versions: ['0', '1', '2'], files })
  assert.equal(text.split('\n').filter((line) => /^ {4}<a .*<\/a><br \/>$/.test(line)).length, 3)
  assert.ok(!text.includes('\r'))
  assert.deepEqual(
    detailFromHtml(text, PAGE, acme).files.map((file) => file.yanked),
    reasons,
  )
})

test('detailFromHtml() gives back what HTML can carry of what detailToHtml() wrote', () => {
  fc.assert(
    fc.property(details, (detail) => {
      const read = detailFromHtml(detailToHtml(detail), PAGE, detail.name)
      assert.deepEqual({ ...read, versions: [] }, { ...carried(detail), versions: [] })
    }),
  )
})

test('detailFromHtml() reads what real indexes send', () => {
  const detail = detailFromHtml(
    `<html><head><base href="/files/"><base href="/ignored/"></head><body>
      <a href="../">Parent</a> <a href="https://home.example/">home page</a> <a name="x">anchor</a>
      <A HREF='acme-1.0%2Bcu1-py3-none-any.whl#sha256=AB' data-requires-python='&gt;=3.8' data-dist-info-metadata=true>x</A>
      <a href="https://cdn.example/q/acme-1.1.tar.gz?token=1#md5=cd&amp;egg=acme" data-yanked data-core-metadata="false">y
      <a href="acme-1.2.zip#egg=acme-1.2" data-upload-time="nonsense" data-size="x" data-core-metadata="sha256=EF"><b>z</b></a>
      <a href="acme-1.3.zip%">bad</a><a href="ftp://x/acme-1.4.zip">ftp</a><a href="http://[/acme-1.5.zip">bad</a>
      <a href="a%2Fb-1.0.zip">two components in one</a>
    </body></html>`,
    PAGE,
    acme,
  )
  assert.deepEqual(detail, {
    name: 'acme',
    versions: ['1.0+cu1', '1.1', '1.2'],
    files: [
      {
        filename: 'acme-1.0+cu1-py3-none-any.whl',
        url: 'https://index.example/files/acme-1.0%2Bcu1-py3-none-any.whl',
        hashes: { sha256: 'ab' },
        requiresPython: '>=3.8',
        coreMetadata: true,
      },
      {
        filename: 'acme-1.1.tar.gz',
        url: 'https://cdn.example/q/acme-1.1.tar.gz?token=1',
        hashes: { md5: 'cd' },
        yanked: true,
      },
      {
        filename: 'acme-1.2.zip',
        url: 'https://index.example/files/acme-1.2.zip',
        hashes: {},
        coreMetadata: { sha256: 'ef' },
      },
    ],
  })
})

test('detailFromHtml() takes a page without frame, and refuses one that lost its end', () => {
  assert.equal(detailFromHtml('<a href="acme-1.0.zip">a</a>', PAGE, acme).files.length, 1)
  assert.equal(detailFromHtml('<body><a href="acme-1.0.zip">a</a></body>', PAGE, acme).files.length, 1)
  const text = page('<a href="acme-1.0.zip">a</a>')
  const head = '<!DOCTYPE html><html>'.length
  for (let length = head; length < text.length; length++) {
    assert.throws(() => detailFromHtml(text.slice(0, length), PAGE, acme), SyntaxError, text.slice(0, length))
  }
})

test('detailFromHtml() takes a page without files only where it calls itself an index', () => {
  const titled = (title: string) =>
    `<html><head><title>${title}</title></head><body><a href="/terms">x</a></body></html>`
  for (const text of [
    page(''),
    titled('Links for acme'),
    titled('Index of /simple/acme/'),
    titled('\n links for Acme'),
  ]) {
    assert.deepEqual(detailFromHtml(text, PAGE, acme).files, [], text)
  }
  for (const text of ['', 'Something went wrong', titled('Sign in'), titled('')]) {
    assert.throws(() => detailFromHtml(text, PAGE, acme), /does not call itself an index/, text)
  }
})
test('detailFromHtml() refuses a login form and another major API version', () => {
  assert.throws(
    () => detailFromHtml('<html><form><input type="Password"></form></html>', PAGE, acme),
    /asks for a password/,
  )
  assert.throws(
    () => detailFromHtml('<html><meta name="pypi:repository-version" content="2.0"></html>', PAGE, acme),
    SyntaxError,
  )
})

test('detailFromHtml() ends with nothing but its documented error on any text', () => {
  const pieces = fc.constantFrom(
    '<a href="',
    '">',
    '</a>',
    '<html>',
    '</html>',
    '&',
    '&#x0;',
    '#sha256=',
    'a-1.zip',
    '%',
    '<!--',
    '-->',
    ' data-yanked="',
    '<base href="//',
    '\0',
    '<',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join('')),
      ),
      (text) => {
        try {
          detailFromHtml(text, PAGE, acme)
        } catch (error) {
          assert.ok(error instanceof SyntaxError, String(error))
        }
      },
    ),
  )
})

test('listToHtml() writes chunks that namesFromHtml() reads', async () => {
  const many = Array.from({ length: 10_000 }, (_, i) => `project-${i}`)
  async function* listed() {
    for (let from = 0; from < many.length; from += 100) yield many.slice(from, from + 100)
  }
  const written = await Array.fromAsync(listToHtml(listed()))
  assert.ok(written.length > 1 && written.every((chunk) => chunk.length < 70_000))
  const text = Buffer.concat(written).toString()
  assert.match(text, /^ {4}<a href="project-1\/">project-1<\/a><br \/>$/m)
  assert.deepEqual(await names(text), many)
})

test('namesFromHtml() prefers the address, falls back to the text, and leaves out what is no name', async () => {
  const rows: [string, string[]][] = [
    ['<a href="a-b/">A_B</a>', ['a-b']],
    ['<a href="/simple/Foo.Bar">x</a>', ['foo-bar']],
    ['<a href="https://index.example/simple/foo/?x=1#y">x</a>', ['foo']],
    ['<a href="./foo/">x</a><a href="../simple/bar/">y</a>', ['foo', 'bar']],
    ['<a href="/~foo~/">Foo</a>', ['foo']],
    ['<a>Foo</a>', ['foo']],
    ['<a href="foo/"><a href="bar/">two, the first not closed</a>', ['foo', 'bar']],
    [
      '<a href="?C=N;O=D">Name</a><a href="../">Up</a><a href="/">Home</a><a href="#top">Top</a><a href="mailto:x@y">x</a><a href="foo/">foo</a>',
      ['foo'],
    ],
    ['<a href="a%20b/">a b</a><a href="foo/">f</a>', ['foo']],
  ]
  for (const [body, expected] of rows) assert.deepEqual(await names(page(body)), expected, body)
})

test('namesFromHtml() never believes a list that lost its end', async () => {
  const text = page('<a href="a/">a</a>\n<a href="bcd/">bcd</a>')
  assert.deepEqual(await names(text), ['a', 'bcd'])
  for (let length = 0; length < text.length; length++) {
    await assert.rejects(names(text.slice(0, length)), SyntaxError, text.slice(0, length))
  }
})

test('namesFromHtml() refuses what is no list, and takes an empty one that says so', async () => {
  for (const text of [
    '',
    'Not Found',
    '<html><body>Please log in</body></html>',
    '<html><a href="/login">l</a><input type=password></html>',
    '{"projects":[]}',
  ]) {
    await assert.rejects(names(text), SyntaxError, text)
  }
  assert.deepEqual(await names(page('')), [])
})

/** HTML carries one hash, and no key of metadata hashes but one. */
function carried(detail: ProjectDetail): ProjectDetail {
  return {
    ...detail,
    files: detail.files.map((file) => ({ ...file, hashes: file.hashes.sha256 ? { sha256: file.hashes.sha256 } : {} })),
  }
}

for (const [what, text, isIndex] of [
  ['nothing on it', '<html><body></body></html>', true],
  [
    'nothing on it but white space',
    '<!DOCTYPE html>\n<html>\n <head><meta charset="utf-8"></head>\n<body>\n</body></html>\n',
    true,
  ],
  ['nothing but a body', '<body></body>', true],
  ['a title and nothing else', '<html><head><title>Sign in</title></head><body></body></html>', false],
  ['a heading that calls it an index', '<html><body><h1>Links for acme</h1></body></html>', true],
  ['a second heading that does', '<html><body><h1>Hello</h1><h1>Links for acme</h1></body></html>', false],
  ['words', '<html><body>Please wait</body></html>', false],
  ['a link', '<html><body><a href="/login"></a></body></html>', false],
  ['a form', '<html><body><form action="/login"></form></body></html>', false],
  ['a script', '<html><body><script src="/app.js"></script></body></html>', false],
  ['a frame', '<html><body><iframe src="/login"></iframe></body></html>', false],
  [
    'a jump elsewhere',
    '<html><head><meta http-equiv="Refresh" content="0; url=/login"></head><body></body></html>',
    false,
  ],
  ['no end', '<html><body>', false],
  ['no page', ' ', false],
] as const) {
  test(`detailFromHtml() ${isIndex ? 'takes' : 'refuses'} a page without files that has ${what}`, () => {
    const read = () => detailFromHtml(text, new URL('http://index.example/simple/acme/'), projectName('acme'))
    if (isIndex) assert.deepEqual(read().files, [])
    else assert.throws(read, SyntaxError)
  })
}
