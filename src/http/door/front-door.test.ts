import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cut, type Exchange, Listener } from '../../../test/world/paired-connection.ts'
import { keepFrontDoor } from './front-door.ts'

const bare = new Listener()
const door = new Listener()
keepFrontDoor(door.server)

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n'
const POST = 'POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nPUSH /x\r\n\r\n'
const PUSH = 'PUSH /c HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nPUSH {}'
const CHUNKED_PUSH = [
  'PUSH /d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
  '5\r\nPUSH \r\n0a;ext="PUSH ";b\r\n\r\n0\r\n\r\nPUS\r\n0;last\r\nX-Trailer: PUSH \r\nY: z\r\n\r\n',
].join('')
const CHUNKED_POST = `${CHUNKED_PUSH.replace('PUSH /d', 'POST /e')}`
const PUT = 'PUT /f HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nPUSH'

/** What would be said if devpi's client said POST. */
function asPosts(requests: readonly string[]): Buffer {
  return Buffer.from(requests.map((request) => request.replace(/^PUSH /, 'POST ')).join(''), 'latin1')
}

function verbs(exchange: Exchange): string[] {
  return exchange.heard.map(({ said, url }) => `${said} ${url}`)
}

for (const requests of [
  [PUSH],
  [GET, PUSH, GET],
  [POST, PUSH],
  [PUSH, GET, PUSH],
  [CHUNKED_PUSH, CHUNKED_POST, PUSH],
  [CHUNKED_POST, PUT, CHUNKED_PUSH],
]) {
  const names = requests.map((request) => request.slice(0, request.indexOf(' HTTP'))).join(', ')
  test(`keepFrontDoor() lets ${names} be answered as POST, cut anywhere`, async () => {
    const bytes = Buffer.from(requests.join(''), 'latin1')
    const untouched = Buffer.from(bytes)
    const wanted = await bare.exchange([asPosts(requests)])
    for (let at = 0; at <= bytes.length; at++) {
      const got = await door.exchange(cut(bytes, [at]))
      assert.deepEqual(verbs(got), names.split(', '), `cut at ${at}`)
      assert.deepEqual(
        got.heard.map(({ said, ...rest }) => rest),
        wanted.heard.map(({ said, ...rest }) => rest),
        `cut at ${at}`,
      )
      assert.equal(got.answered, wanted.answered, `cut at ${at}`)
    }
    const bits = await door.exchange(Array.from(bytes, (byte) => Buffer.from([byte])))
    assert.equal(bits.answered, wanted.answered, 'byte by byte')
    assert.deepEqual(bytes, untouched, "the sender's own bytes were changed")
  })
}

test('keepFrontDoor() lets a PUSH of 300 kB pass whole, whose body is full of PUSH', async () => {
  const body = 'PUSH / HTTP/1.1\r\n\r\n'.repeat(15_790)
  const head = (verb: string) => `${verb} /c HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`
  const wanted = await bare.exchange([Buffer.from(head('POST') + body + GET)])
  const bytes = Buffer.from(head('PUSH') + body + GET + PUSH)
  const slices = Array.from({ length: Math.ceil(bytes.length / 999) }, (_, at) =>
    bytes.subarray(at * 999, at * 999 + 999),
  )
  for (const pieces of [[bytes], slices]) {
    const got = await door.exchange(pieces)
    assert.deepEqual(verbs(got), ['PUSH /c', 'GET /a', 'PUSH /c'])
    assert.equal(got.heard[0]?.body, wanted.heard[0]?.body)
    assert.ok(got.heard[0]?.isComplete)
  }
})

for (const [why, before] of [
  ['both lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['an empty line before', '\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['HTTP/1.0', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'],
  ['an upgrade', 'GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'],
  ['bare line feeds', 'GET / HTTP/1.1\nHost: x\n\n'],
  ['the last request', 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
] as const) {
  test(`keepFrontDoor() changes nothing more after ${why}`, async () => {
    const bytes = Buffer.from(before + PUSH + PUSH)
    const wanted = await bare.exchange([bytes])
    assert.ok(wanted.heard.every(({ url }) => url === '/'))
    for (const pieces of [[bytes], cut(bytes, [before.length]), Array.from(bytes, (byte) => Buffer.from([byte]))]) {
      assert.deepEqual(await door.exchange(pieces), wanted)
    }
  })
}

for (const almost of [
  'P',
  'PU',
  'PUSH',
  'PUSHX / HTTP/1.1\r\n\r\n',
  'push / HTTP/1.1\r\n\r\n',
  'PUSH\t/ HTTP/1.1\r\n\r\n',
]) {
  test(`keepFrontDoor() leaves ${JSON.stringify(almost)} to node:http`, async () => {
    for (const before of ['', GET]) {
      const bytes = Buffer.from(before + almost)
      const wanted = await bare.exchange(cut(bytes, [before.length]))
      assert.match(wanted.answered, /400 Bad Request/)
      for (let at = before.length; at < bytes.length; at++) {
        const got = await door.exchange(cut(bytes, [before.length, at]))
        assert.deepEqual(got.heard, wanted.heard)
        // While the door waits for the rest of what could be a PUSH, the request before is answered.
        assert.ok(got.answered.endsWith(wanted.answered))
      }
    }
  })
}

test('cameAsPush() cannot be claimed by what a POST carries', async () => {
  const bytes = Buffer.from(
    'POST /PUSH HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: PUSH\r\nPUSH: PUSH / HTTP/1.1\r\nContent-Length: 0\r\n\r\n',
  )
  assert.deepEqual(verbs(await door.exchange([bytes])), ['POST /PUSH'])
})
