import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Parser } from 'htmlparser2'
import { type Markup, markupOf, renderReadme } from './readme.ts'
import { ID_PREFIX, README_ATTRIBUTES, README_TAGS } from './readme-clean.ts'

const limits = { readmeBytes: 2 ** 20, readmeMs: 20_000 }
const markdown = (text: string) => renderReadme({ text, contentType: 'text/markdown' }, limits).toString()
const rst = (text: string) => renderReadme({ text }, limits).toString()

test('markupOf() reads the content type with its parameters (core metadata, Description-Content-Type)', () => {
  const table: readonly (readonly [string | undefined, Markup])[] = [
    [undefined, 'rst'],
    ['', 'rst'],
    ['UNKNOWN', 'rst'],
    ['text/x-rst', 'rst'],
    ['text/x-rst; charset=UTF-8', 'rst'],
    ['text/markdown', 'gfm'],
    ['text/markdown; charset=UTF-8; variant=GFM', 'gfm'],
    ['Text/Markdown;charset="utf-8";variant=CommonMark', 'commonmark'],
    [' text/markdown ; variant=GFM ', 'gfm'],
    ['text/markdown; variant=Other', 'gfm'],
    ['text/plain', 'plain'],
    ['text/plain; charset=UTF-8', 'plain'],
    ['text/html', 'plain'],
    ['nonsense', 'plain'],
    ['text/markdown<script>', 'plain'],
  ]
  for (const [contentType, expected] of table) assert.equal(markupOf(contentType), expected, String(contentType))
})

test('renderReadme() renders Markdown: tables, code, lists, headings one level down with ids for links within', () => {
  const made = markdown(
    '[Use](#how-to-use)\n\n# How to use\n\n## A `b`\n\n|a|b|\n|-|-:|\n|1|~~2~~|\n\n```python\nx = "<b>"\n```\n\n- https://x.example/ setup.py\n',
  )
  for (const part of [
    `<a href="#${ID_PREFIX}how-to-use" rel="nofollow noopener noreferrer">Use</a>`,
    `<h2 id="${ID_PREFIX}how-to-use">How to use</h2>`,
    `<h3 id="${ID_PREFIX}a-b">A <code>b</code></h3>`,
    '<td class="align-right"><s>2</s></td>',
    '<pre tabindex="0"><code>x = "&lt;b&gt;"\n</code></pre>',
    '<a href="https://x.example/" rel="nofollow noopener noreferrer">https://x.example/</a> setup.py',
  ]) {
    assert.ok(made.includes(part), `${part}\nis not in\n${made}`)
  }
  assert.ok(
    !renderReadme({ text: '|a|\n|-|\n|b|', contentType: 'text/markdown; variant=CommonMark' }, limits)
      .toString()
      .includes('<table'),
  )
})

test('renderReadme() renders reStructuredText, also what the compiler alone would refuse', () => {
  const made = rst(
    'Title\n=====\n\nSome *em* ``code`` `link <https://x.example/>`_.\n\nSub\n---\n\n.. sectnum::\n\n.. sourcecode:: python\n\n   x = 1 < 2\n\n.. image:: https://x.example/b.svg\n   :target: `The Page`_\n   :alt: build\n\n.. _The Page: https://y.example/\n\n:math:`a<b`\n\n.. math::\n\n   a^2 < b\n',
  )
  for (const part of [
    '<h2 id="readme-title">',
    '<h3 id="readme-sub">',
    '<em>em</em>',
    '<code>code</code>',
    'href="https://x.example/"',
    'x = 1 &lt; 2',
    '<a href="https://y.example/" rel="nofollow noopener noreferrer"><span>build</span></a>',
    '<code>a&lt;b</code>',
    'a^2 &lt; b</pre>',
  ]) {
    assert.ok(made.includes(part), `${part}\nis not in\n${made}`)
  }
})

test('renderReadme() shows as plain text what it cannot or should not render', () => {
  const plain = '<pre class="plain" tabindex="0">'
  assert.equal(
    renderReadme({ text: '# <b>', contentType: 'text/plain' }, limits).toString(),
    `${plain}# &lt;b&gt;</pre>`,
  )
  assert.equal(
    renderReadme({ text: '# ä<', contentType: 'text/markdown' }, { readmeBytes: 4 }).toString(),
    `${plain}# ä&lt;</pre>`,
  )
  for (const text of ['.. unknown-directive:: <x>\n', '.. include:: /etc/passwd\n', 'a :nosuchrole:`b`']) {
    assert.ok(rst(text).startsWith(plain), text)
  }
  const start = performance.now()
  assert.ok(
    renderReadme({ text: '*a '.repeat(20_000) }, { readmeBytes: 2 ** 20, readmeMs: 50 })
      .toString()
      .startsWith(plain),
  )
  assert.ok(performance.now() - start < 5000)
})

test('renderReadme() loads no image: its text stands for it, linked where there is no link around it', () => {
  const rel = 'rel="nofollow noopener noreferrer"'
  for (const [text, expected] of [
    ['![alt](https://x.example/a.png)', `<a href="https://x.example/a.png" ${rel} class="image">alt</a>`],
    [
      '[![alt](https://x.example/a.png)](https://y.example/)',
      `<a href="https://y.example/" ${rel}><span>alt</span></a>`,
    ],
    [
      '![](https://x.example/dir/a.png?b#c)',
      `<a href="https://x.example/dir/a.png?b#c" ${rel} class="image">a.png</a>`,
    ],
    ['![alt](docs/a.png)', '<span>alt</span>'],
    ['<img src="data:image/png;base64,AA" alt="<b>">', '<span>&lt;b&gt;</span>'],
  ] as const) {
    assert.ok(markdown(text).includes(expected), markdown(text))
  }
})

const HOSTILE: readonly string[] = [
  '<script>alert(1)</script>',
  '<SCRIPT SRC=//x.example/x.js></SCRIPT>',
  '<scr<script>ipt>alert(1)</scr</script>ipt>',
  '<img src=x onerror=alert(1)>',
  '<img src="x" onerror="alert(1)" alt="\'"><script>alert(1)</script>">',
  '<svg><script>alert(1)</script></svg><svg onload=alert(1)>',
  '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="&#106;avascript:alert(1)">x</a>',
  '<a href="java&#x0A;script:alert(1)">x</a>',
  '<a href="\u0001javascript:alert(1)">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a>',
  '<a href="//x.example/">x</a><a href="/+admin">x</a><a href="../../+login">x</a>',
  '<a href="https://x.example/" onclick="alert(1)" style="position:fixed" target="_top" id="content">x</a>',
  '[x](javascript:alert(1)) [x](JAVASCRIPT:alert(1)) [x](data:text/html;base64,PHNjcmlwdD4=) [x](vbscript:x)',
  '[x](<javascript:alert(1)>) <javascript:alert(1)> [x]\n\n[x]: javascript:alert(1)',
  '![x](javascript:alert(1)) ![x](https://x.example/x.png "onerror=alert(1)")',
  '<style>*{display:none}</style><link rel=stylesheet href=//x.example/x.css><p style="background:url(//x.example/)">x</p>',
  '<iframe src="javascript:alert(1)"></iframe><iframe srcdoc="<script>alert(1)</script>"><script>alert(1)</script>',
  '<object data="x.swf"></object><embed src=x><applet code=x></applet>',
  '<form action="/+login"><input name=password><button formaction="javascript:alert(1)">x</button></form>',
  '<base href="//x.example/"><meta http-equiv="refresh" content="0;url=//x.example/">',
  '<textarea></textarea/><img src=x onerror=alert(1)></textarea>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
  '<xmp><img src=x onerror=alert(1)></xmp><plaintext><img src=x onerror=alert(1)>',
  '<!--><img src=x onerror=alert(1)>--><![CDATA[<img src=x onerror=alert(1)>]]>',
  '</div></div></section></main><footer class="bottom">x</footer><div class="notice warn" id="files">x</div>',
  '<div class="top skip wrap">x</div><h1 class="hidden" id="details">x</h1><a class="button" href="https://x.example">x</a>',
  '<video src=x onerror=alert(1)><source src=x></video><audio src=x></audio><picture><source srcset="//x.example/x"></picture>',
  '<td colspan="99999999" rowspan=99999 background="//x.example/">x</td><ol start="-99999999999">',
  '<details open ontoggle=alert(1)><summary>x</summary></details><p tabindex=1 accesskey=x contenteditable autofocus onfocus=alert(1)>x',
  '<a href="https://x.example/&quot; onmouseover=&quot;alert(1)">x</a>',
  '.. raw:: html\n\n   <script>alert(1)</script><img src=x onerror=alert(1)>\n',
  '`x <javascript:alert(1)>`_ `x <http://x.example/" onclick="alert(1)>`_',
  '.. image:: javascript:alert(1)\n   :target: javascript:alert(1)\n   :alt: "><script>alert(1)</script>\n',
  '.. image:: https://x.example/x" onerror="alert(1)\n',
  '.. _x: javascript:alert(1)\n\nx_\n',
  '.. note::\n   :class: top" onclick="alert(1)\n\n   x\n',
  '.. container:: top\n\n   x\n',
  'Title\n=====\n\n.. --><script>alert(1)</script>\n\n:field --><script>: x\n',
  '__proto__ constructor <__proto__> <constructor>x</constructor> <a constructor=x __proto__=y>',
]

test('renderReadme() leaves of hostile texts only what is on the allow-list', () => {
  for (const text of HOSTILE) {
    for (const made of [markdown(text), rst(text)]) assert.deepEqual(faultsOf(made), [], `${text}\nbecame\n${made}`)
  }
})

test('renderReadme() keeps a text from closing the page around it', () => {
  for (const text of HOSTILE) {
    for (const made of [markdown(text), rst(text)]) assert.equal(unopened(made), 0, made)
  }
})

const HUGE: readonly (readonly [string, string])[] = [
  ['blockquotes', `${'>'.repeat(10_000)} x`],
  ['lists', Array.from({ length: 1000 }, (_, at) => `${' '.repeat(2 * at)}* x`).join('\n')],
  ['list markers', `${'- '.repeat(10_000)}x`],
  ['brackets', '['.repeat(10_000)],
  ['brackets closed', `${'['.repeat(10_000)}x${']'.repeat(10_000)}`],
  ['image openers', `${'!['.repeat(10_000)}x`],
  ['link openers', '[a](<b'.repeat(10_000)],
  ['emphasis', '*a _b '.repeat(10_000)],
  ['backquotes', '`a'.repeat(10_000)],
  ['bars', '|a '.repeat(10_000)],
  ['divs', '<div>'.repeat(10_000)],
  ['anchors', '<a href="https://x.example/">'.repeat(10_000)],
  ['iframes', '<iframe>'.repeat(10_000)],
  ['noscripts', '<noscript><textarea>'.repeat(5_000)],
  ['comments', '<!--'.repeat(10_000)],
  ['entities', '&#x'.repeat(10_000)],
  ['ideographs', '漢'.repeat(100_000)],
  ['spaces', `a${' '.repeat(100_000)}b`],
  ['indents', Array.from({ length: 500 }, (_, at) => `${' '.repeat(at)}x`).join('\n\n')],
  ['underlines', `${'='.repeat(50_000)}\n`.repeat(3)],
  ['grid tables', '+---+\n'.repeat(3000)],
]

test('renderReadme() ends in time with huge nesting and repetition', () => {
  for (const [what, text] of HUGE) {
    for (const contentType of ['text/markdown', 'text/x-rst']) {
      const start = performance.now()
      const made = renderReadme({ text, contentType }, { readmeBytes: 2 ** 20, readmeMs: 200 }).toString()
      const tookMs = performance.now() - start
      assert.ok(tookMs < 5000, `${what} as ${contentType} took ${tookMs} ms`)
      assert.deepEqual(faultsOf(made), [], what)
      assert.ok(deepest(made) <= 100, `${what} as ${contentType} is nested ${deepest(made)} deep`)
    }
  }
})

test('renderReadme() leaves only what is on the allow-list of any mix of markup', () => {
  const piece = fc.oneof(
    fc.constantFrom(...HOSTILE),
    fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '&',
      '`',
      '``',
      '*',
      '_',
      '[',
      ']',
      '(',
      ')',
      '\n',
      '\n\n',
      '    ',
      '# ',
      '> ',
      '- ',
      '|',
      '::',
      '.. ',
      '==\n',
      '&lt;',
      '&#60;',
      '-->',
    ),
    fc.constantFrom(
      '<a href="',
      '<img src=',
      "<p title='",
      '<table>',
      '</a>',
      '<svg>',
      '<style>',
      'onclick=',
      'javascript:',
      'https://x.example/',
    ),
    fc.string({ unit: 'binary', maxLength: 20 }),
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.constantFrom('text/markdown', 'text/x-rst', 'text/plain'),
      (pieces, contentType) => {
        const made = renderReadme(
          { text: pieces.join(''), contentType },
          { readmeBytes: 2 ** 20, readmeMs: 300 },
        ).toString()
        assert.deepEqual(faultsOf(made), [])
        assert.equal(unopened(made), 0)
      },
    ),
    { numRuns: 300 },
  )
})

/** Everything in rendered HTML that should not be there, read by a parser and not by the one that wrote it. */
function faultsOf(made: string): string[] {
  const faults: string[] = []
  const ids = new Set<string>()
  const classes = /^(?:admonition|line|image|align-(?:left|center|right)|admonition line)$/
  const parser = new Parser({
    onopentag(tag, attributes) {
      if (!README_TAGS.includes(tag)) faults.push(`<${tag}>`)
      for (const [name, value] of Object.entries(attributes)) {
        const allowed = [...(README_ATTRIBUTES[tag] ?? []), ...(README_ATTRIBUTES['*'] ?? [])]
        const isFallback = tag === 'pre' && name === 'class' && value === 'plain'
        if (!allowed.includes(name) && !isFallback) faults.push(`<${tag} ${name}>`)
        if (name === 'href' && !/^(?:https?:\/\/|mailto:|#readme-)/.test(value)) faults.push(`href ${value}`)
        if (name === 'id' && (!value.startsWith(ID_PREFIX) || ids.has(value))) faults.push(`id ${value}`)
        if (name === 'id') ids.add(value)
        if (name === 'class' && !classes.test(value) && !isFallback) faults.push(`class ${value}`)
        if (/span$/.test(name) && !/^\d{1,2}$/.test(value)) faults.push(`${name} ${value}`)
      }
      if (attributes.href !== undefined && attributes.rel !== 'nofollow noopener noreferrer')
        faults.push('link without rel')
    },
    oncomment: () => faults.push('comment'),
    onprocessinginstruction: (name) => faults.push(name),
  })
  parser.end(made)
  return faults
}

/** How many end tags have no start tag before them: each would close something of the page. */
function unopened(made: string): number {
  const open: string[] = []
  let count = 0
  for (const [, slash, tag] of made.matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g)) {
    if (tag === 'br' || tag === 'hr') continue
    if (slash === '') open.push(tag!)
    else if (open.pop() !== tag) count++
  }
  return count + open.length
}

function deepest(made: string): number {
  let depth = 0
  let most = 0
  for (const [, slash, tag] of made.matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g)) {
    if (tag === 'br' || tag === 'hr') continue
    depth += slash === '' ? 1 : -1
    most = Math.max(most, depth)
  }
  return most
}
