import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MetadataError, parseMetadata } from './metadata.ts'

function parse(text: string) {
  return parseMetadata(Buffer.from(text))
}

test('parseMetadata() reads headers under the keys of the upload form, and the body as description', () => {
  const metadata = parse(`Metadata-Version: 2.4
Name: Acme.Tools
Version: 1.0-1
Summary: Tools: all of them
Home-page: https://acme.example
Author-email: Ann <ann@acme.example>
Keywords: a,b
Platform: linux
Classifier: One :: Two
Classifier: Three
Project-URL: Docs, https://acme.example/docs
Requires-Dist: six>=1
Requires-Dist: tomli; python_version < "3.11"
Requires-Python: >=3.9
Provides-Extra: fast
Dynamic: version
License-Expression: MIT
License-File: LICENSE
License-File: NOTICE
Import-Name: acme
Description-Content-Type: text/markdown; charset=UTF-8

# Acme

Text with: a colon
`)
  assert.deepEqual(metadata, {
    name: 'Acme.Tools',
    version: '1.0-1',
    metadataVersion: '2.4',
    fields: {
      metadata_version: '2.4',
      name: 'Acme.Tools',
      version: '1.0-1',
      summary: 'Tools: all of them',
      home_page: 'https://acme.example',
      author_email: 'Ann <ann@acme.example>',
      keywords: 'a,b',
      platform: ['linux'],
      classifiers: ['One :: Two', 'Three'],
      project_urls: ['Docs, https://acme.example/docs'],
      requires_dist: ['six>=1', 'tomli; python_version < "3.11"'],
      requires_python: '>=3.9',
      provides_extras: ['fast'],
      dynamic: ['version'],
      license_expression: 'MIT',
      license_file: ['LICENSE', 'NOTICE'],
      import_names: ['acme'],
      description_content_type: 'text/markdown; charset=UTF-8',
      description: '# Acme\n\nText with: a colon\n',
    },
  })
})

const HEAD = 'Metadata-Version: 1.1\nName: a\nVersion: 1\n'

test('parseMetadata() undoes folds: one space in a line, lines in license and description', () => {
  const { fields } = parse(
    `${HEAD}Summary: one\n   two\n\tthree\nLicense: first\n        second\n          indented\n        \n        last\nDescription: title\n       |\n       |  code\n       |end\n`,
  )
  assert.equal(fields.summary, 'one two three')
  assert.equal(fields.license, 'first\nsecond\n  indented\n\nlast')
  assert.equal(fields.description, 'title\n\n  code\nend')
})

test('parseMetadata() reads UNKNOWN as empty', () => {
  const { fields } = parse(`${HEAD}Summary: UNKNOWN\nPlatform: UNKNOWN\nLicense: UNKNOWN\n`)
  assert.deepEqual([fields.summary, fields.platform, fields.license], ['', [], ''])
})

test("parseMetadata() takes what Python's parser takes", () => {
  assert.equal(parse('﻿Metadata-Version: 2.1\r\nNAME:a\r\nversion:   1.0  \r\n\r\nbody').version, '1.0')
  assert.equal(parse('Metadata-Version: 2.1\rName: a\rVersion: 1').version, '1')
  assert.equal(parse(`${HEAD}Name: b\nVersion: 2`).name, 'a', 'the first of two')
  assert.equal(parse(`${HEAD}this is no header\nSummary: x`).fields.description, 'this is no header\nSummary: x')
  assert.equal(parse('Name: a\nVersion: 1\n').metadataVersion, '1.0')
  assert.equal(parse('Metadata-Version: 2.99\nName: a\nVersion: 1\n').metadataVersion, '2.99')
  assert.equal(parse(`${HEAD}Author: Zoë 💥\n`).fields.author, 'Zoë 💥')
  assert.equal(parseMetadata(Buffer.from(`${HEAD}Author: Zoë\n`, 'latin1')).fields.author, 'Zoë')
  assert.deepEqual(Object.keys(parse(`${HEAD}__proto__: x\nX-Own: y\n`).fields), [
    'metadata_version',
    'name',
    'version',
    'x_own',
  ])
})

test('parseMetadata() says what is missing', () => {
  const rows: [string, RegExp][] = [
    ['', /it has no "Name"/],
    ['Metadata-Version: 2.1\nVersion: 1\n', /it has no "Name"/],
    ['Metadata-Version: 2.1\nName: UNKNOWN\nVersion: 1\n', /it has no "Name"/],
    ['Metadata-Version: 2.1\nName: a\n\nVersion: 1\n', /it has no "Version"/],
    ['Metadata-Version: 2.1\nName: ../a\nVersion: 1\n', /the name "\.\.\/a" is invalid/],
    ['Metadata-Version: 3.0\nName: a\nVersion: 1\n', /"3\.0" is not known/],
    ['<html>not metadata</html>', /it has no "Name"/],
  ]
  for (const [text, message] of rows) {
    assert.throws(
      () => parse(text),
      (error) => error instanceof MetadataError && message.test(error.message),
      text,
    )
  }
})

test('parseMetadata() ends with nothing but its documented error on any bytes', () => {
  const line = fc.constantFrom(
    'Name: a\n',
    'Version: 1\n',
    'Metadata-Version: 2.1\n',
    ' fold\n',
    ':\n',
    '\r',
    '\n',
    'Classifier: x\n',
    'Name\n',
    'constructor: x\n',
  )
  const text = fc.oneof(
    fc.uint8Array(),
    fc.array(fc.oneof(line, fc.string())).map((lines) => Buffer.from(lines.join(''))),
    fc.array(fc.oneof(line, fc.string())).map((lines) => Buffer.from(HEAD + lines.join(''))),
  )
  fc.assert(
    fc.property(text, (bytes) => {
      try {
        parseMetadata(bytes)
      } catch (error) {
        assert.ok(error instanceof MetadataError, String(error))
      }
    }),
  )
})
