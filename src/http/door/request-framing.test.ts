import assert from 'node:assert/strict'
import { maxHeaderSize } from 'node:http'
import { test } from 'node:test'
import { RequestFraming } from './request-framing.ts'

/** Where requests begin in the pieces, counted over all of them; `lost` where the framing was given up. */
function beginnings(pieces: readonly Buffer[]): { readonly starts: readonly number[]; readonly isLost: boolean } {
  const framing = new RequestFraming()
  const starts: number[] = []
  let before = 0
  for (const piece of pieces) {
    for (let at = 0; at < piece.length && !framing.isLost; at = framing.read(piece, at)) {
      if (framing.isAtStart) starts.push(before + at)
    }
    before += piece.length
  }
  return { starts, isLost: framing.isLost }
}

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n'
const POST = 'POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nPUSH /x\r\n\r\n'
const EMPTY = 'POST /c HTTP/1.1\r\nContent-Length: 0\r\n\r\n'
const CHUNKED = [
  'PUSH /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n',
  '5\r\nPUSH \r\n0a;ext="PUSH ";b\r\n\r\n0\r\n\r\nPUS\r\n0;last\r\nX-Trailer: PUSH \r\nY: z\r\n\r\n',
].join('')
const BARE_CHUNKED = 'PUT /e HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'

for (const requests of [
  [GET, GET],
  [POST, GET],
  [EMPTY, POST, EMPTY],
  [CHUNKED, GET, CHUNKED],
  [BARE_CHUNKED, BARE_CHUNKED, GET],
  [GET, POST, CHUNKED, EMPTY, BARE_CHUNKED, GET],
]) {
  test(`RequestFraming finds ${requests.length} requests however their ${requests.join('').length} bytes are cut`, () => {
    const bytes = Buffer.from(requests.join(''), 'latin1')
    const starts = requests.map((_, index) => requests.slice(0, index).join('').length)
    const expected = { starts, isLost: false }
    assert.deepEqual(beginnings([bytes]), expected)
    assert.deepEqual(beginnings(Array.from(bytes, (byte) => Buffer.from([byte]))), expected, 'byte by byte')
    for (let first = 0; first <= bytes.length; first++) {
      const pieces = [bytes.subarray(0, first), bytes.subarray(first)]
      assert.deepEqual(beginnings(pieces), expected, `cut at ${first}`)
    }
    for (let second = 7; second <= bytes.length; second++) {
      const pieces = [bytes.subarray(0, second - 7), bytes.subarray(second - 7, second), bytes.subarray(second)]
      assert.deepEqual(beginnings(pieces), expected, `7 bytes before ${second}`)
    }
  })
}

for (const doubtful of [
  'GET /a HTTP/1.0\r\n\r\n',
  '\r\nGET /a HTTP/1.1\r\n\r\n',
  'GET /a HTTP/1.1\nHost: x\n\nPUSH /b HTTP/1.1\r\n\r\n',
  'POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
  'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\n',
  'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n',
  'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n',
  'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n',
  `GET /a HTTP/1.1\r\nX: ${'a'.repeat(2 * maxHeaderSize)}\r\n\r\n`,
  `GET /a HTTP/1.1\r\nX: ${'a'.repeat(2 * maxHeaderSize)}`,
  `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;${'a'.repeat(3 * maxHeaderSize)}`,
]) {
  test(`RequestFraming is lost for good in ${JSON.stringify(doubtful.slice(0, 90))}`, () => {
    const bytes = Buffer.from(doubtful + GET + GET)
    assert.deepEqual(beginnings([bytes]), { starts: [0], isLost: true })
    const bit = bytes.length > 1000 ? 100 : 1
    const bits = Array.from({ length: Math.ceil(bytes.length / bit) }, (_, at) =>
      bytes.subarray(at * bit, (at + 1) * bit),
    )
    assert.deepEqual(beginnings(bits), { starts: [0], isLost: true })
  })
}
