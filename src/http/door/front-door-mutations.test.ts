import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BYTES } from '../../../test/trouble/request-mutations.ts'
import { cut, type Heard, Listener } from '../../../test/world/paired-connection.ts'
import { keepFrontDoor } from './front-door.ts'

const bare = new Listener()
const door = new Listener()
keepFrontDoor(door.server)

const FIXED = { seed: 20_261_122, numRuns: 2000 }

/** `VERB` stands where a push may stand, and in bodies. */
const REQUESTS = [
  'GET /a HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n',
  'VERB /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}',
  'POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 29\r\n\r\nVERB /x HTTP/1.1\r\nHost: x\r\n\r\n',
  'VERB /d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nVERB \r\n2;VERB=1\r\n\r\n\r\n0\r\n\r\n',
  'POST /e HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1f\r\n\r\n\r\nVERB /x HTTP/1.1\r\nHost: x\r\n\r\n0;VERB\r\nX-T: VERB \r\n\r\n',
  'PUT /f HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nVERB ',
  'HEAD /g HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
]

const NASTY = [
  ...BYTES,
  ...['VERB ', 'VERB / HTTP/1.1\r\nHost: x\r\n\r\n', '0\r\n\r\n', 'HTTP/1.0', 'Host: x\r\n', ' HTTP/1.1', 'CONNECT '],
  ...[
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n',
    'content-length : 3\r\n',
    'Content-Length: 5, 5\r\n',
    ' Content-Length: 9\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
    'Transfer-Encoding:\tCHUNKED\r\n',
    'chunked',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: upgrade\r\nUpgrade: h2c\r\n',
    'Upgrade: x\r\n',
    'Expect: x\r\n',
    'Proxy-Connection: close\r\n',
  ],
]

const anywhere = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const mutation = fc.record({
  at: anywhere,
  /** Bytes taken away there. */
  taken: fc.constantFrom(0, 0, 0, 1, 1, 2, 4, 20),
  put: fc.oneof(fc.constantFrom(...NASTY), fc.constant('')),
})
const sequence = fc.record({
  requests: fc.array(fc.constantFrom(...REQUESTS), { minLength: 1, maxLength: 4 }),
  mutations: fc.array(mutation, { maxLength: 3 }),
  cuts: fc.array(anywhere, { maxLength: 6 }),
})

type Sequence = typeof sequence extends fc.Arbitrary<infer T> ? T : never

function textOf({ requests, mutations }: Sequence): string {
  let text = requests.join('')
  for (const { at, taken, put } of mutations) {
    const from = Math.floor(at * text.length)
    text = text.slice(0, from) + put + text.slice(from + taken)
  }
  return text
}

function piecesOf(text: string, cuts: readonly number[], verb: string): Buffer[] {
  const bytes = Buffer.from(text.replaceAll('VERB', verb), 'latin1')
  const offsets = cuts.map((at) => Math.floor(at * bytes.length)).sort((a, b) => a - b)
  return cut(bytes, offsets)
}

/** Time-outs apart, all that a handler can see; the verb as node:http gave it. */
function seen(heard: readonly Heard[]): string[] {
  return heard.map(({ method, url, body, isComplete }) => `${method} ${url} ${body} ${isComplete}`)
}

test('keepFrontDoor() changes no answer where nobody says PUSH', async () => {
  await fc.assert(
    fc.asyncProperty(sequence, async (each) => {
      const pieces = piecesOf(textOf(each), each.cuts, 'POST')
      const [wanted, got] = [await bare.exchange(pieces), await door.exchange(pieces)]
      assert.deepEqual(got, wanted)
    }),
    FIXED,
  )
})

test('keepFrontDoor() changes nothing that node:http would take as it is', async () => {
  await fc.assert(
    fc.asyncProperty(sequence, async (each) => {
      const pieces = piecesOf(textOf(each), each.cuts, 'PUSH')
      const without = seen((await bare.exchange(pieces)).heard)
      const got = await door.exchange(pieces)
      const pushed = got.heard.findIndex(({ said }) => said === 'PUSH')
      // Without the door the first PUSH ends the connection.
      const before = seen(pushed < 0 ? got.heard : got.heard.slice(0, pushed))
      assert.deepEqual(before, without)
      assert.ok(got.heard.every(({ said, method }) => said === method || (said === 'PUSH' && method === 'POST')))
    }),
    FIXED,
  )
})

test('keepFrontDoor() takes pushes for posts and nothing else, for what is not mutated', async () => {
  await fc.assert(
    fc.asyncProperty(sequence, async ({ requests, cuts }) => {
      const verbs = requests.map((request) => request.replace(/^VERB/, 'POST').replaceAll('VERB', 'PUSH'))
      const wanted = await bare.exchange([Buffer.from(verbs.join(''), 'latin1')])
      const got = await door.exchange(piecesOf(requests.join(''), cuts, 'PUSH'))
      assert.deepEqual(seen(got.heard), seen(wanted.heard))
      assert.equal(got.answered, wanted.answered)
      assert.deepEqual(
        got.heard.map(({ said }) => said === 'PUSH'),
        requests.map((request) => request.startsWith('VERB')),
      )
    }),
    FIXED,
  )
})
