import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { tempFolder } from '../world/temp-folder.ts'
import { startFakeUpstream } from './fake-upstream.ts'
import { type RelayOptions, realUpstream } from './real-upstream.ts'

const JSON_ACCEPT = { accept: 'application/vnd.pypi.simple.v1+json' }

/** A stand-in for the real index, a relay in front of it, and an empty folder. */
async function ground(options: RelayOptions = {}) {
  const folder = await tempFolder()
  const index = await startFakeUpstream({ links: 'separate' })
  const file = index.add('foo', {
    filename: 'foo-1.0-py3-none-any.whl',
    bytes: 'f'.repeat(200_000),
    metadata: 'Name: foo\n',
  })
  const relays = [await realUpstream({ index: index.url, folder: folder.path, ...options })]
  return {
    index,
    file,
    relay: relays[0]!,
    async another(more: RelayOptions = {}) {
      const relay = await realUpstream({ index: index.url, folder: folder.path, ...options, ...more })
      relays.push(relay)
      return relay
    },
    async [Symbol.asyncDispose]() {
      for (const relay of relays) await relay.close()
      await index.close()
      await folder.remove()
    },
  }
}

async function fileUrl(relayUrl: string): Promise<string> {
  const page = (await (await fetch(`${relayUrl}foo/`, { headers: JSON_ACCEPT })).json()) as { files: { url: string }[] }
  return page.files[0]!.url
}

test('realUpstream() leads every link to itself, in JSON and in HTML, and keeps the end of the path', async () => {
  await using stands = await ground()
  const url = await fileUrl(stands.relay.url)
  assert.ok(url.startsWith(`${stands.relay.root}/file/`), url)
  assert.ok(url.endsWith(stands.file.path), url)
  const html = await (await fetch(`${stands.relay.url}foo/`)).text()
  assert.ok(html.includes(`href="${url}#sha256=${stands.file.sha256}"`), html)
  assert.equal(await (await fetch(`${url}.metadata`)).text(), 'Name: foo\n')
  assert.equal((await fetch(`${stands.relay.url}bar/`)).status, 404)
  const list = (await (await fetch(stands.relay.url, { headers: JSON_ACCEPT })).json()) as {
    projects: { name: string }[]
  }
  assert.deepEqual(
    list.projects.map((project) => project.name),
    ['foo'],
  )
})

test('realUpstream() passes the project list and files on while they come', async () => {
  await using stands = await ground()
  const url = await fileUrl(stands.relay.url)
  for (const [path, address] of [
    ['/simple/', stands.relay.url],
    [stands.file.path, url],
  ] as const) {
    stands.index.misbehave(path, { kind: 'hang-body', afterBytes: 20 })
    const reader = (await fetch(address)).body?.getReader()
    assert.equal((await reader?.read())?.value?.length, 20, path)
    await stands.index.pause()
    await assert.rejects(async () => reader?.read())
    await stands.index.resume()
    stands.index.behave()
    const whole = await (await fetch(address)).arrayBuffer()
    assert.ok(whole.byteLength > 20)
  }
})

test('realUpstream() fetches each file once, for all relays and for any range', async () => {
  await using stands = await ground()
  const url = await fileUrl(stands.relay.url)
  const whole = await Promise.all([1, 2, 3].map(async () => (await (await fetch(url)).arrayBuffer()).byteLength))
  assert.deepEqual(whole, [200_000, 200_000, 200_000])
  const second = await stands.another()
  const there = url.replace(stands.relay.root, second.root)
  const part = await fetch(there, { headers: { range: 'bytes=-5' } })
  assert.deepEqual([part.status, await part.text()], [206, 'fffff'])
  const head = await fetch(there, { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers.get('content-length')], [200, '200000'])
  assert.equal(stands.index.count(stands.file.path), 1)
})

test('realUpstream() fetches once when the first request is for a range or comes from two relays at once', async () => {
  await using stands = await ground()
  const second = await stands.another()
  const url = await fileUrl(stands.relay.url)
  stands.index.misbehave(stands.file.path, { kind: 'slow', ms: 60 })
  const [part, other] = await Promise.all([
    fetch(url, { headers: { range: 'bytes=0-3' } }),
    fetch(url.replace(stands.relay.root, second.root)),
  ])
  assert.deepEqual([part.status, await part.text()], [206, 'ffff'])
  assert.equal((await other.arrayBuffer()).byteLength, 200_000)
  assert.equal(stands.index.count(stands.file.path), 1)
})

test('realUpstream() keeps whole files while memory is cleared all the time', async () => {
  await using stands = await ground()
  const url = await fileUrl(stands.relay.url)
  setFlagsFromString('--expose-gc')
  const clearMemory = runInNewContext('gc') as () => void
  const clearing = setInterval(clearMemory, 1)
  try {
    for (let version = 1; version <= 10; version++) {
      const file = stands.index.add('foo', { filename: `foo-1.${version}.tar.gz`, bytes: `${version}`.repeat(100_000) })
      const answer = await fetch(url.replace(stands.file.path, file.path))
      assert.equal((await answer.arrayBuffer()).byteLength, file.sizeBytes)
    }
  } finally {
    clearInterval(clearing)
  }
})

test('realUpstream() asks again for a page that is old, and answers with it while the index is gone', async () => {
  await using stands = await ground({ pageAgeMs: 0 })
  const first = await fetch(`${stands.relay.url}foo/`, { headers: JSON_ACCEPT })
  stands.index.add('foo', { filename: 'foo-2.0.tar.gz', bytes: 'two' })
  const second = await fetch(`${stands.relay.url}foo/`, { headers: JSON_ACCEPT })
  assert.equal(((await second.json()) as { files: unknown[] }).files.length, 2)
  assert.notEqual(first.headers.get('etag'), second.headers.get('etag'))
  await stands.index.pause()
  const third = await fetch(`${stands.relay.url}foo/`, { headers: JSON_ACCEPT })
  assert.equal(((await third.json()) as { files: unknown[] }).files.length, 2)
  const unchanged = { ...JSON_ACCEPT, 'if-none-match': String(third.headers.get('etag')) }
  assert.equal((await fetch(`${stands.relay.url}foo/`, { headers: unchanged })).status, 304)
})

test('realUpstream() says what it could not fetch, and fails the test that needed it', async () => {
  await using stands = await ground()
  const relay = await stands.another()
  const url = await fileUrl(relay.url)
  await stands.index.pause()
  const answer = await fetch(url)
  assert.equal(answer.status, 502)
  assert.match(await answer.text(), /^Cannot fetch "http.*\.whl" from the index .*ECONNREFUSED/)
  assert.equal(relay.unreachable.length, 1)
  await assert.rejects(async () => relay[Symbol.asyncDispose](), /is not kept in \.cache\/upstream/)
})

test('realUpstream() keeps nothing of a file that broke off, nor of a server in trouble', async () => {
  await using stands = await ground()
  const url = await fileUrl(stands.relay.url)
  stands.index.misbehave(stands.file.path, { kind: 'cut', afterBytes: 70_000 }, { times: 1 })
  await assert.rejects(async () => (await fetch(url)).arrayBuffer())
  stands.index.misbehave(stands.file.path, { kind: 'status', status: 503 }, { times: 1 })
  assert.equal((await fetch(url)).status, 503)
  assert.equal((await (await fetch(url)).arrayBuffer()).byteLength, 200_000)
})

test('swallow() never answers, pause() refuses, resume() ends both', async () => {
  await using stands = await ground()
  stands.relay.swallow()
  await assert.rejects(fetch(stands.relay.url, { signal: AbortSignal.timeout(100) }), { name: 'TimeoutError' })
  await stands.relay.resume()
  assert.equal((await fetch(stands.relay.url)).status, 200)
  await stands.relay.pause()
  await assert.rejects(fetch(stands.relay.url))
  await stands.relay.resume()
  assert.equal((await fetch(stands.relay.url)).status, 200)
  assert.equal(stands.relay.count('/simple/'), 3)
})

test('realUpstream() keeps a part of a file as a part, where it may', async () => {
  await using stands = await ground({ parts: true })
  const url = await fileUrl(stands.relay.url)
  for (let each = 0; each < 2; each++) {
    const part = await fetch(url, { headers: { range: 'bytes=10-19' } })
    assert.equal(part.status, 206)
    assert.equal(part.headers.get('content-range'), 'bytes 10-19/200000')
    assert.equal(await part.text(), 'f'.repeat(10))
  }
  const asked = stands.index.requests.filter((each) => each.path === stands.file.path)
  assert.deepEqual(
    asked.map((each) => each.headers.range),
    ['bytes=10-19'],
  )
})

test('realUpstream() stands for an index without metadata files, where it is told to', async () => {
  await using stands = await ground({ metadata: 'none' })
  const json = await (await fetch(`${stands.relay.url}foo/`, { headers: JSON_ACCEPT })).text()
  const html = await (await fetch(`${stands.relay.url}foo/`)).text()
  for (const page of [json, html]) {
    assert.match(page, /foo-1\.0-py3-none-any\.whl/)
    assert.doesNotMatch(page, /metadata/)
  }
  assert.equal((await fetch(`${await fileUrl(stands.relay.url)}.metadata`)).status, 404)
})

test('realUpstream() announces the metadata files that an index has, where it is told to', async () => {
  await using stands = await ground({ metadata: 'announced' })
  stands.index.settings.coreMetadata = false
  const page = await (await fetch(`${stands.relay.url}foo/`, { headers: JSON_ACCEPT })).text()
  assert.match(page, /"core-metadata":true/)
  assert.equal(await (await fetch(`${await fileUrl(stands.relay.url)}.metadata`)).text(), 'Name: foo\n')
})
