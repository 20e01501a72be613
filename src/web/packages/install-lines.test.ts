import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installLines, shellWord, trustedHost } from './install-lines.ts'

const frame = { root: '', serverUrl: 'http://packages.example:3141/base', version: '1' }

test('installLines() gives pip and uv the index, and pip the host to trust', () => {
  const lines = [
    ...installLines(frame, 'root/prod', 'flask==3.1.3')
      .toString()
      .matchAll(/<pre><code>(.*?)<\/code><\/pre>/g),
  ]
  assert.deepEqual(
    lines.map(([, command]) => command),
    [
      'pip install --index-url http://packages.example:3141/base/root/prod/+simple/ --trusted-host packages.example flask==3.1.3',
      'uv pip install --index-url http://packages.example:3141/base/root/prod/+simple/ flask==3.1.3',
    ],
  )
})

test('trustedHost() names only hosts that pip does not trust by itself', () => {
  for (const [url, host] of [
    ['http://packages.example', 'packages.example'],
    ['http://10.0.0.1:3141', '10.0.0.1'],
    ['http://127.example', '127.example'],
    ['https://packages.example', undefined],
    ['http://localhost:3141', undefined],
    ['http://127.0.0.1:3141', undefined],
    ['http://127.8.0.1:3141', undefined],
    ['http://[::1]:3141', undefined],
  ] as const) {
    assert.equal(trustedHost(url), host, url)
  }
})

test('shellWord() leaves nothing for a shell to read', () => {
  assert.equal(shellWord('flask==1.0+local'), 'flask==1.0+local')
  assert.equal(shellWord('a==1!2'), "'a==1!2'")
  assert.equal(shellWord('a; rm -rf $HOME'), "'a; rm -rf $HOME'")
  assert.equal(shellWord("it's"), `'it'\\''s'`)
  assert.equal(shellWord('a\nb'), "'a\nb'")
  assert.equal(shellWord(''), "''")
})
