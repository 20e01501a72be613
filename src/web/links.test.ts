import assert from 'node:assert/strict'
import { test } from 'node:test'
import { homeHref, indexHref, indexPageHref, outsideHref, pathOf, searchHref, simpleHref, userHref } from './links.ts'

test('addresses inside the server are relative to the page and encoded by segment', () => {
  assert.equal(homeHref(''), './')
  assert.equal(homeHref('../../'), '../../')
  assert.equal(userHref('../', 'a b'), '../a%20b')
  assert.equal(indexHref('../', 'root/pypi', 'x/y', '1!2.0+l?#'), '../root/pypi/x%2Fy/1!2.0+l%3F%23')
  assert.equal(indexHref('', 'root/pypi'), 'root/pypi')
  assert.equal(indexPageHref('', 'root/pypi', 'a&b'), 'root/pypi?after=a%26b')
  assert.equal(searchHref('../', 'a&b=c'), '../+search?query=a%26b%3Dc')
  assert.equal(pathOf('root/pypi/+f/ab/c d"<.whl'), 'root/pypi/+f/ab/c%20d%22%3C.whl')
})

test('a name cannot turn an address into a scheme or a host, nor break on half a surrogate pair', () => {
  assert.equal(userHref('', 'javascript:alert(1)'), 'javascript%3Aalert(1)')
  assert.equal(userHref('', '\\\\host'), '%5C%5Chost')
  assert.equal(userHref('', '\ud800'), '%EF%BF%BD')
})

test('simpleHref() normalizes the project, as clients ask for it (PEP 503)', () => {
  assert.equal(simpleHref('../', 'root/pypi', 'Foo.Bar'), '../root/pypi/+simple/foo-bar/')
  assert.equal(simpleHref('https://x.example/', 'root/pypi'), 'https://x.example/root/pypi/+simple/')
})

test('outsideHref() passes absolute http, https and mailto only', () => {
  assert.equal(outsideHref('https://x.example/a?b#c'), 'https://x.example/a?b#c')
  assert.equal(outsideHref('mailto:a@x.example'), 'mailto:a@x.example')
  for (const wrong of [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' java\nscript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'ftp://x',
    '//x.example',
    '/x',
    'x',
    '',
    '#x',
  ]) {
    assert.equal(outsideHref(wrong), undefined, wrong)
  }
})
