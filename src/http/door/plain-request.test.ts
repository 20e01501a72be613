import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { keyOf, readPlainRequest } from './plain-request.ts'

const HEAD = 'GET /root/dev/+simple/acme/ HTTP/1.1\r\nHost: x\r\n'

const SAME: readonly (readonly [what: string, fields: string])[] = [
  ['another version of the same kind of client', 'User-Agent: curl/8.1\r\n'],
  ['a browser', 'Sec-Fetch-Mode: navigate\r\nSec-Ch-Ua: "x"\r\nAccept-Language: de\r\nReferer: http://x/\r\n'],
  ['a client that wants it fresh', 'Cache-Control: no-cache\r\nPragma: no-cache\r\n'],
  ['a connection that stays', 'Connection: Keep-Alive\r\n'],
  ['a proxy that says for whom', 'X-Forwarded-For: 192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\nVia: 1.1 y\r\n'],
]
for (const [what, fields] of SAME) {
  test(`readPlainRequest() gives ${what} the same key`, () => {
    assert.equal(readPlainRequest(`${HEAD}${fields}\r\n`)?.key, readPlainRequest(`${HEAD}\r\n`)?.key)
  })
}

const OTHER: readonly (readonly [what: string, head: string])[] = [
  ['an installer', `${HEAD}User-Agent: pip/26.3 {}\r\n\r\n`],
  ['another form', `${HEAD}Accept: text/html\r\n\r\n`],
  ['another encoding', `${HEAD}Accept-Encoding: gzip\r\n\r\n`],
  ['a validator', `${HEAD}If-None-Match: "x"\r\n\r\n`],
  ['an outside address', `${HEAD}X-Outside-Url: http://y\r\n\r\n`],
  ['a forwarded host', `${HEAD}X-Forwarded-Host: y\r\n\r\n`],
  ['a query', `${HEAD.replace('/ ', '/?format=x ')}\r\n`],
  ['the head alone', `${HEAD.replace('GET', 'HEAD')}\r\n`],
  ['another host', `${HEAD.replace('Host: x', 'Host: y')}\r\n`],
]
for (const [what, head] of OTHER) {
  test(`readPlainRequest() gives ${what} a key of its own`, () => {
    const key = readPlainRequest(head)?.key
    assert.ok(key !== undefined && key !== readPlainRequest(`${HEAD}\r\n`)!.key)
  })
}

const DOUBTFUL: readonly (readonly [what: string, head: string])[] = [
  ['with credentials', `${HEAD}Authorization: Basic eDp5\r\n\r\n`],
  ["with devpi's credentials", `${HEAD}X-Devpi-Auth: eDp5\r\n\r\n`],
  ['with a cookie', `${HEAD}Cookie: a=b\r\n\r\n`],
  ['with a range', `${HEAD}Range: bytes=0-1\r\n\r\n`],
  ['with a body', `${HEAD}Content-Length: 1\r\n\r\n`],
  ['with a body of no bytes', `${HEAD}Content-Length: 0\r\n\r\n`],
  ['with chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n`],
  ['that ends its connection', `${HEAD}Connection: close\r\n\r\n`],
  ['with a field nobody knows', `${HEAD}X-Remote-User: root\r\n\r\n`],
  ['without a host', HEAD.replace('Host: x\r\n', '\r\n')],
  ['with two hosts', `${HEAD}Host: y\r\n\r\n`],
  ['that is not whole', HEAD],
  ['with another behind it', `${HEAD}\r\n${HEAD}\r\n`],
  ['with bytes behind it', `${HEAD}\r\nx`],
  ['of HTTP/1.0', `${HEAD.replace('1.1', '1.0')}\r\n`],
  ['for a whole address', `${HEAD.replace(' /', ' http://x/')}\r\n`],
  ['with a folded line', `${HEAD} folded: 1\r\n\r\n`],
  ['with a bare line feed', `${HEAD}Accept: a\nHost: y\r\n\r\n`],
  ['with a space before the colon', `${HEAD}Accept : a\r\n\r\n`],
  ['with a control character', `${HEAD}Accept: a\0\r\n\r\n`],
  ['that posts', `${HEAD.replace('GET', 'POST')}\r\n`],
  ['that is long', `${HEAD}Accept: ${'x'.repeat(9000)}\r\n\r\n`],
]
for (const [what, head] of DOUBTFUL) {
  test(`readPlainRequest() leaves a request ${what} to node:http`, () => {
    assert.equal(readPlainRequest(head), undefined)
  })
}

test('keyOf() finds in what node:http read the key that readPlainRequest() finds in the bytes', async () => {
  const keys: (string | undefined)[] = []
  const server = createServer((request, response) => {
    keys.push(keyOf(request.method!, request.url!, request.rawHeaders))
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const heads = [...SAME.map(([, fields]) => `${HEAD}${fields}\r\n`), ...OTHER.map(([, head]) => head)].map((head) =>
    head.replace('Accept: ', 'ACCEPT:\t ').replace('\r\n\r\n', ' \t\r\n\r\n'),
  )
  const { port } = server.address() as AddressInfo
  for (const head of heads) {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(head))
      socket.once('data', () => socket.destroy())
      socket.once('close', () => resolve())
      socket.once('error', reject)
    })
  }
  await new Promise((resolve) => server.close(resolve))
  assert.deepEqual(
    keys,
    heads.map((head) => readPlainRequest(head)?.key),
  )
  assert.ok(keys.every((key) => key !== undefined))
})
