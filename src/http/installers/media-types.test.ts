import assert from 'node:assert/strict'
import { test } from 'node:test'
import { documentType } from './media-types.ts'

for (const [path, type] of [
  ['index.html', 'text/html'],
  ['a.b/INDEX.HTM', 'text/html'],
  ['_static/doctools.js', 'text/javascript; charset=utf-8'],
  ['_images/graph.svg', 'image/svg+xml'],
  ['_sources/index.rst.txt', 'text/plain; charset=utf-8'],
  ['objects.inv', 'application/octet-stream'],
  ['folder.html/README', 'application/octet-stream'],
  ['.html', 'text/html'],
  ['constructor', 'application/octet-stream'],
  ['x.__proto__', 'application/octet-stream'],
] as const) {
  test(`documentType() calls ${path} ${type}`, () => {
    assert.equal(documentType(path), type)
  })
}
