import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseDocument } from 'htmlparser2'
import { type HtmlValue, html, raw } from './html.ts'

test('html() escapes values in every place', () => {
  const hostile = `<script>alert('1')</script>"&\0`
  const escaped = '&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;'
  for (const [place, made, expected] of [
    ['text', html`<p>${hostile}</p>`, `<p>${escaped}</p>`],
    ['double quotes', html`<p title="${hostile}">x</p>`, `<p title="${escaped}">x</p>`],
    ['single quotes', html`<p title='${hostile}'>x</p>`, `<p title='${escaped}'>x</p>`],
    ['part of an attribute', html`<a href="./${hostile}/x">x</a>`, `<a href="./${escaped}/x">x</a>`],
    [
      'second attribute',
      html`<a id="a" title="${hostile}">${hostile}</a>`,
      `<a id="a" title="${escaped}">${escaped}</a>`,
    ],
    ['array', html`<p>${[hostile, html`<b>${hostile}</b>`]}</p>`, `<p>${escaped}<b>${escaped}</b></p>`],
    ['array in an attribute', html`<p class="${[hostile, ' b']}">x</p>`, `<p class="${escaped} b">x</p>`],
    ['after a quoted >', html`<p title=">${hostile}">${hostile}</p>`, `<p title=">${escaped}">${escaped}</p>`],
  ] as const) {
    assert.equal(made.toString(), expected, place)
  }
})

test('html() takes numbers, leaves out undefined and false, and does not escape finished HTML again', () => {
  assert.equal(
    html`${0} ${undefined}${false}${[]} ${html`<b>${'&'}</b>`} ${raw('<i>')}`.toString(),
    '0  <b>&amp;</b> <i>',
  )
})

test('html() refuses places where escaping does not protect', () => {
  const value = 'x'
  assert.throws(() => html`<p class=${value}>`, TypeError)
  assert.throws(() => html`<p ${value}>`, TypeError)
  assert.throws(() => html`<${value}>`, TypeError)
  assert.throws(() => html`<p title="${html`<b>"</b>`}">`, TypeError)
  assert.throws(() => html`<p title="${[html`"`]}">`, TypeError)
})

test('html() gives back any text unchanged when parsed, and nothing but it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const plain = text.replaceAll('\0', '')
      const [element] = parseDocument(html`<p title="${text}">${text}</p>`.toString()).children
      assert.ok(element?.type === 'tag' && element.name === 'p')
      assert.deepEqual(element.attribs, { title: plain })
      assert.ok(element.children.length <= 1)
      const [inner] = element.children
      assert.equal(inner === undefined ? '' : inner.type === 'text' ? inner.data : undefined, plain)
    }),
  )
})

test('HtmlValue excludes what would be shown as [object Object]', () => {
  // @ts-expect-error an object is no value
  const wrong: HtmlValue = { a: 1 }
  // @ts-expect-error neither is true, which would be shown as the word
  const also: HtmlValue = true
  assert.deepEqual([wrong, also], [{ a: 1 }, true])
})
