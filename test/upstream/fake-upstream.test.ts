import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { test } from 'node:test'
import { type Behaviour, type FakeUpstream, startFakeUpstream } from './fake-upstream.ts'

const JSON_ACCEPT = { accept: 'application/vnd.pypi.simple.v1+json' }

interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  /** The connection ended before the body did. */
  readonly broken: boolean
}

/** Asks with as little help from a client as there can be, and gives up after `patienceMs`. */
function ask(url: string, headers: Record<string, string> = {}, patienceMs = 2000): Promise<Answered | 'silence'> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      asking.destroy()
      resolve('silence')
    }, patienceMs)
    const asking = httpRequest(url, { headers, agent: false }, (response) => {
      let body = ''
      const done = (broken: boolean) => {
        clearTimeout(timer)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, broken })
      }
      response.setEncoding('latin1').on('data', (chunk) => {
        body += chunk
        if (body.length > 1e6) asking.destroy()
      })
      response.on('end', () => done(!response.complete))
      response.on('error', () => done(true))
    })
    asking.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    asking.end()
  })
}

async function answered(url: string, headers: Record<string, string> = {}): Promise<Answered> {
  const answer = await ask(url, headers)
  assert.notEqual(answer, 'silence')
  return answer as Answered
}

test('startFakeUpstream() tells every fact of a file in JSON and in HTML', async () => {
  await using upstream = await startFakeUpstream()
  const file = upstream.add('Foo.Bar', {
    filename: 'foo_bar-1.0-py3-none-any.whl',
    bytes: 'wheel',
    metadata: 'Name: foo-bar\n',
    requiresPython: '>=3.9',
    yanked: 'bad <build>',
    provenance: { version: 1 },
  })
  upstream.setStatus('foo-bar', 'archived', 'moved')
  const json = await answered(`${upstream.url}foo-bar/`, JSON_ACCEPT)
  assert.equal(json.headers['content-type'], JSON_ACCEPT.accept)
  const sha256 = createHash('sha256').update('wheel').digest('hex')
  const metadata = { sha256: createHash('sha256').update('Name: foo-bar\n').digest('hex') }
  assert.deepEqual(JSON.parse(json.body), {
    meta: { '_last-serial': 1002, 'api-version': '1.4' },
    name: 'foo-bar',
    'project-status': { status: 'archived', reason: 'moved' },
    files: [
      {
        filename: 'foo_bar-1.0-py3-none-any.whl',
        url: file.url,
        hashes: { sha256 },
        size: 5,
        'upload-time': '2024-05-06T07:08:09.123456Z',
        'requires-python': '>=3.9',
        yanked: 'bad <build>',
        'core-metadata': metadata,
        'data-dist-info-metadata': metadata,
        provenance: `${file.url}.provenance`,
      },
    ],
    versions: ['1.0'],
  })
  const html = await answered(`${upstream.url}foo-bar/`)
  assert.equal(html.headers['content-type'], 'text/html')
  assert.match(html.body, new RegExp(`href="${file.url}#sha256=${sha256}" data-requires-python="&gt;=3.9"`))
  assert.match(html.body, /data-yanked="bad &lt;build&gt;"/)
  assert.match(html.body, new RegExp(`data-core-metadata="sha256=${metadata.sha256}"`))
  assert.match(html.body, /name="pypi:project-status" content="archived"/)
  assert.equal((await answered(file.url)).body, 'wheel')
  assert.equal((await answered(`${file.url}.metadata`)).body, 'Name: foo-bar\n')
  assert.equal((await answered(`${file.url}.provenance`)).body, '{"version":1}')
  const list = await answered(upstream.url, JSON_ACCEPT)
  assert.deepEqual(JSON.parse(list.body).projects, [{ '_last-serial': 1002, name: 'foo-bar' }])
  assert.equal((await answered(`${upstream.url}Foo_Bar`)).headers.location, '/simple/foo-bar/')
})

test('startFakeUpstream() answers conditions and ranges, and stops when told to', async () => {
  await using upstream = await startFakeUpstream()
  const file = upstream.add('foo', { filename: 'foo-1.0.tar.gz', bytes: '0123456789' })
  const page = `${upstream.url}foo/`
  const first = await answered(page, JSON_ACCEPT)
  const etag = String(first.headers.etag)
  assert.equal((await answered(page, { ...JSON_ACCEPT, 'if-none-match': etag })).status, 304)
  const modified = String(first.headers['last-modified'])
  assert.equal((await answered(page, { ...JSON_ACCEPT, 'if-modified-since': modified })).status, 304)
  upstream.yank('foo', 'foo-1.0.tar.gz', true)
  assert.equal((await answered(page, { ...JSON_ACCEPT, 'if-none-match': etag })).status, 200)
  assert.equal((await answered(page, { ...JSON_ACCEPT, 'if-modified-since': modified })).status, 200)
  upstream.settings.etags = false
  const bare = await answered(page, { ...JSON_ACCEPT, 'if-none-match': etag })
  assert.equal(bare.status, 200)
  assert.equal(bare.headers.etag, undefined)

  for (const [range, status, body, contentRange] of [
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=10-', 416, '', 'bytes */10'],
  ] as const) {
    const part = await answered(file.url, { range })
    assert.deepEqual([part.status, part.body, part.headers['content-range']], [status, body, contentRange], range)
  }
  upstream.settings.ranges = false
  assert.equal((await answered(file.url, { range: 'bytes=2-4' })).status, 200)
  upstream.settings.projectList = false
  assert.equal((await answered(upstream.url)).status, 404)
  upstream.settings.json = false
  assert.equal((await answered(page, JSON_ACCEPT)).headers['content-type'], 'text/html')
  upstream.settings.strictAccept = true
  assert.equal((await answered(page, JSON_ACCEPT)).status, 406)
})

test('startFakeUpstream() asks for credentials, but not on a separate file host', async () => {
  await using upstream = await startFakeUpstream({ credentials: { user: 'u', password: 'p' }, links: 'separate' })
  const file = upstream.add('foo', { filename: 'foo-1.0.tar.gz', bytes: 'x' })
  assert.equal((await answered(`${upstream.url}foo/`)).status, 401)
  const authorization = `Basic ${Buffer.from('u:p').toString('base64')}`
  const page = await answered(`${upstream.url}foo/`, { ...JSON_ACCEPT, authorization })
  assert.equal(JSON.parse(page.body).files[0].url, file.url)
  assert.notEqual(new URL(file.url).port, new URL(upstream.url).port)
  assert.equal((await answered(file.url)).status, 200)
  assert.equal(upstream.requests.at(-1)?.host, 'files')
})

const BODY = 'b'.repeat(1000)

test('misbehave() spoils an answer in each way', async () => {
  await using upstream = await startFakeUpstream()
  const file = upstream.add('foo', { filename: 'foo-1.0.tar.gz', bytes: BODY })
  const spoilt = async (behaviour: Behaviour, patienceMs = 150) => {
    upstream.behave()
    upstream.misbehave(file.path, behaviour)
    const answer = await ask(file.url, {}, patienceMs)
    return answer === 'silence' ? answer : { ...answer, length: answer.headers['content-length'] }
  }
  const heard = async (behaviour: Behaviour) => {
    const answer = await spoilt(behaviour, 2000)
    if (answer === 'silence') return assert.fail(`${behaviour.kind} was silent`)
    return answer
  }
  const wrong = await heard({ kind: 'wrong-bytes' })
  assert.deepEqual([wrong.body.length, wrong.body === BODY, wrong.broken], [1000, false, false])
  const cut = await heard({ kind: 'cut', afterBytes: 300 })
  assert.deepEqual([cut.body.length, cut.length, cut.broken], [300, '1000', true])
  const cutAtOnce = await heard({ kind: 'cut', afterBytes: 0 })
  assert.deepEqual([cutAtOnce.status, cutAtOnce.body, cutAtOnce.broken], [200, '', true])
  const short = await heard({ kind: 'short', afterBytes: 300 })
  assert.deepEqual([short.body.length, short.length, short.broken], [300, undefined, false])
  assert.equal(await spoilt({ kind: 'hang' }), 'silence')
  assert.equal(await spoilt({ kind: 'hang-body', afterBytes: 10 }), 'silence')
  assert.equal(upstream.requests.at(-1)?.sentBytes, 10)
  assert.equal(await spoilt({ kind: 'trickle', bytesPerSecond: 100 }, 250), 'silence')
  const trickled = upstream.requests.at(-1)?.sentBytes ?? 0
  assert.ok(trickled >= 10 && trickled <= 500, `${trickled}`)
  const busy = await heard({ kind: 'status', status: 429, retryAfterSeconds: 7 })
  assert.deepEqual([busy.status, busy.headers['retry-after']], [429, '7'])
  const more = await heard({ kind: 'wrong-length', byBytes: 5 })
  assert.deepEqual([more.body.length, more.length, more.broken], [1000, '1005', true])
  const endless = await heard({ kind: 'endless' })
  assert.ok(endless.body.length > 1e6 && endless.broken)
  const looped = await heard({ kind: 'redirect-loop' })
  assert.deepEqual([looped.status, looped.headers.location], [302, file.path])
  const login = await heard({ kind: 'login-page' })
  assert.deepEqual([login.status, login.headers['content-type']], [200, 'text/html; charset=utf-8'])
  const encoded = await heard({ kind: 'wrong-encoding' })
  assert.deepEqual([encoded.headers['content-encoding'], encoded.body], ['gzip', BODY])
  assert.equal(await spoilt({ kind: 'slow', ms: 400 }), 'silence')
  assert.equal((await heard({ kind: 'slow', ms: 20 })).body, BODY)
})

test('misbehave() keeps to its path, method and number of times', async () => {
  await using upstream = await startFakeUpstream()
  const file = upstream.add('foo', { filename: 'foo-1.0.tar.gz', bytes: BODY })
  upstream.misbehave('/packages/*', { kind: 'status', status: 503 }, { times: 1, method: 'GET' })
  assert.equal((await answered(`${upstream.url}foo/`)).status, 200)
  assert.equal((await answered(file.url)).status, 503)
  assert.equal((await answered(file.url)).status, 200)
  upstream.misbehave('*', { kind: 'status', status: 500 })
  assert.equal((await answered(`${upstream.url}foo/`)).status, 500)
  upstream.behave('*')
  assert.equal((await answered(`${upstream.url}foo/`)).status, 200)
  assert.equal(upstream.count(file.path), 2)
  assert.equal(upstream.count('/simple/*'), 3)
  assert.equal(upstream.count('*', 'POST'), 0)
  assert.deepEqual(
    upstream.requests.map((one) => one.status),
    [200, 503, 200, 500, 200],
  )
})

test('pause() refuses connections, resume() takes them on the same port', async () => {
  await using upstream = await startFakeUpstream()
  upstream.misbehave('/hung', { kind: 'hang' })
  const hung = ask(`${upstream.root}/hung`)
  while (upstream.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const broken = assert.rejects(hung)
  await upstream.pause()
  await broken
  await assert.rejects(ask(upstream.url), /ECONNREFUSED/)
  await upstream.resume()
  assert.equal((await answered(upstream.url)).status, 200)
})

test('bigFile() sends what it promised, from any place', async () => {
  await using upstream = await startFakeUpstream()
  const size = 5_000_001
  const file = await upstream.bigFile('big', 'big-1.0.tar.gz', size)
  const body = Buffer.from(await (await fetch(file.url)).arrayBuffer())
  assert.equal(body.length, size)
  assert.equal(createHash('sha256').update(body).digest('hex'), file.sha256)
  const part = await fetch(file.url, { headers: { range: 'bytes=65530-200000' } })
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), body.subarray(65530, 200_001))
  const again = await upstream.bigFile('big', 'big-1.0.zip', size, 'other seed')
  assert.notEqual(again.sha256, file.sha256)
})

test('generatedNames makes a long project list without holding it', async () => {
  await using upstream: FakeUpstream = await startFakeUpstream({ generatedNames: 30_000 })
  upstream.addProject('acme')
  const list = (await (await fetch(upstream.url, { headers: JSON_ACCEPT })).json()) as { projects: { name: string }[] }
  assert.equal(list.projects.length, 30_001)
  assert.deepEqual([list.projects[0]?.name, list.projects.at(-1)?.name], ['acme', 'generated-0030000'])
})
