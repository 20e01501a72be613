import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnswerCounter } from './answer-counter.ts'

const PLAIN = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n'

for (const [what, text, status, bodyBytes, closes] of [
  ['a told length', PLAIN, 200, 5, false],
  ['chunks, their frames counted', CHUNKED, 200, 21, false],
  ['no body', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', 304, 0, false],
  ['a length of none', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', 200, 0, true],
] as const) {
  test(`AnswerCounter.take() finds the end of an answer with ${what}, however it is cut`, () => {
    const expected = { status, bodyBytes, closes }
    const counter = new AnswerCounter()
    for (const pieces of [[text], [...text], [text.slice(0, 20), text.slice(20)], [text], [text]]) {
      const found = pieces.map((piece) => counter.take(Buffer.from(piece)))
      assert.deepEqual(found.at(-1), expected)
      assert.ok(found.slice(0, -1).every((each) => each === undefined))
    }
  })
}

test('AnswerCounter tells the status of each answer, also where the heads alternate', () => {
  const counter = new AnswerCounter()
  const missing = 'HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
  const statuses = [PLAIN, missing, PLAIN, missing].map((text) => counter.take(Buffer.from(text))?.status)
  assert.deepEqual(statuses, [200, 404, 200, 404])
})

test('AnswerCounter.closed() ends an answer of no told length', () => {
  const counter = new AnswerCounter()
  assert.equal(counter.take(Buffer.from('HTTP/1.0 200 OK\r\n\r\nhel')), undefined)
  assert.equal(counter.take(Buffer.from('lo')), undefined)
  assert.deepEqual(counter.closed(), { status: 200, bodyBytes: 5, closes: true })
})

test('AnswerCounter.take() refuses bytes that nobody asked for', () => {
  assert.throws(() => new AnswerCounter().take(Buffer.from(PLAIN + PLAIN)), /nobody asked for/)
  assert.throws(() => new AnswerCounter().take(Buffer.from('SSH-2.0\r\n\r\n')), /begins with "SSH/)
})
