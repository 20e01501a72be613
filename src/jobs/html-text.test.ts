import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HtmlText } from './html-text.ts'

function textOf(html: string, limit = 1000, cut = html.length): string {
  const reader = new HtmlText(limit)
  const bytes = Buffer.from(html)
  reader.write(bytes.subarray(0, cut))
  reader.write(bytes.subarray(cut))
  return reader.end()
}

for (const [html, text] of [
  ['<title>Acme</title><h1>Wel&amp;come</h1><p>to  the\nguide', 'Acme Wel&come to the guide'],
  ['<td>one</td><td>two</td>', 'one two'],
  ['a<script>let hidden = "<p>x</p>"</script><style>p { }</style><nav><a>menu</a></nav>b', 'ab'],
  ['</nav></script>shown<nav>', 'shown'],
  ['', ''],
] as const) {
  test(`HtmlText reads ${JSON.stringify(html)}`, () => {
    assert.equal(textOf(html), text)
  })
}

test('HtmlText keeps letters whole that come in two pieces, and stops at its limit', () => {
  assert.equal(textOf('<p>Übergröße', 1000, 4), 'Übergröße')
  assert.equal(textOf(`<p>${'x'.repeat(5000)}`, 10).length, 9)
})
