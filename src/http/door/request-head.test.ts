import assert from 'node:assert/strict'
import { test } from 'node:test'
import { areDoubtful, bodyFraming, chunkBytes } from './request-head.ts'

const LINE = 'POST /alice/dev HTTP/1.1'

for (const [fields, expected] of [
  [[], 0],
  [['Host: x', 'Accept: */*', 'X-Empty:', 'X-Latin: caf\xe9\ttea'], 0],
  [['Content-Length: 12'], 12],
  [['content-length:0'], 0],
  [['Content-Length:   7'], 7],
  [['Transfer-Encoding: chunked'], 'chunked'],
  [['TRANSFER-ENCODING: Chunked', 'Connection: Keep-Alive'], 'chunked'],
  [['Expect: 100-continue', 'Content-Length: 3'], 3],
  [['X-Content-Length: 12', 'Content-Length-X: 3'], 0],
  [['X: Content-Length: 12'], 0],
  [['Content-Length: 12', 'Content-Length: 12'], undefined],
  [['Content-Length: 12', 'Transfer-Encoding: chunked'], undefined],
  [['Transfer-Encoding: chunked', 'Content-Length: 12'], undefined],
  [['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], undefined],
  [['Transfer-Encoding: gzip, chunked'], undefined],
  [['Transfer-Encoding: identity'], undefined],
  [['Content-Length: +12'], undefined],
  [['Content-Length: 12 '], undefined],
  [['Content-Length: 1 2'], undefined],
  [['Content-Length: 12, 12'], undefined],
  [['Content-Length: 0x10'], undefined],
  [['Content-Length:'], undefined],
  [['Content-Length: 1234567890123456'], undefined],
  [['Content-Length : 12'], undefined],
  [[' Content-Length: 12'], undefined],
  [['X: a', ' folded'], undefined],
  [['X: a\nContent-Length: 12'], undefined],
  [['X: a\rContent-Length: 12'], undefined],
  [['X: a\0b'], undefined],
  [['No colon'], undefined],
  [[': no name'], undefined],
  [['X\xe9: a'], undefined],
  [['Connection: close'], undefined],
  [['Connection: keep-alive, Upgrade'], undefined],
  [['Proxy-Connection: close'], undefined],
  [['Upgrade: websocket'], undefined],
  [['Expect: the unexpected'], undefined],
] as const) {
  test(`bodyFraming() of ${JSON.stringify(fields)} is ${expected}`, () => {
    assert.equal(bodyFraming([LINE, ...fields].join('\r\n')), expected)
  })
}

for (const [line, expected] of [
  ['GET / HTTP/1.1', 0],
  ['M-SEARCH * HTTP/1.1', 0],
  ['PUSH /a/b?c=%20 HTTP/1.1', 0],
  ['GET /caf\xe9 HTTP/1.1', 0],
  ['GET / HTTP/1.0', undefined],
  ['GET / HTTP/2.0', undefined],
  ['GET /', undefined],
  ['GET  / HTTP/1.1', undefined],
  ['GET / HTTP/1.1 ', undefined],
  ['GET /a b HTTP/1.1', undefined],
  ['get / HTTP/1.1', undefined],
  ['\r\nGET / HTTP/1.1', undefined],
  ['\nGET / HTTP/1.1', undefined],
  ['CONNECT host:1 HTTP/1.1', undefined],
  ['', undefined],
] as const) {
  test(`bodyFraming() of the line ${JSON.stringify(line)} is ${expected}`, () => {
    assert.equal(bodyFraming(`${line}\r\nHost: x`), expected)
  })
}

for (const [line, expected] of [
  ['0', 0],
  ['0000', 0],
  ['a', 10],
  ['fF', 255],
  ['5;name=value', 5],
  ['5;name="quoted; value"', 5],
  ['5;', 5],
  ['', undefined],
  ['5 ', undefined],
  [' 5', undefined],
  ['5 ;x', undefined],
  ['0x5', undefined],
  ['-5', undefined],
  ['5;a="\\"', undefined],
  ['5;a\rb', undefined],
  ['5;a\nb', undefined],
  ['1234567890123', undefined],
] as const) {
  test(`chunkBytes() of ${JSON.stringify(line)} is ${expected}`, () => assert.equal(chunkBytes(line), expected))
}

for (const [trailers, expected] of [
  ['', false],
  ['\r\nX-Hash: abc\r\nY: ', false],
  ['\r\nContent-Length: 5', true],
  ['\r\ntransfer-encoding: chunked', true],
  ['\r\nX: a\nb', true],
  ['\r\nX : a', true],
  ['X: a', true],
] as const) {
  test(`areDoubtful() of ${JSON.stringify(trailers)} is ${expected}`, () => {
    assert.equal(areDoubtful(trailers), expected)
  })
}
