import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { type BuiltFile, sdist, wheel } from '../../../test/builders/wheels.ts'
import { type Listener, listen } from '../../../test/world/listener.ts'
import { NEAR } from '../../../test/world/near.ts'
import { openTempStores, type TempStores } from '../../../test/world/temp-stores.ts'
import { unattested } from '../../../test/world/unattested.ts'
import { writeBlob } from '../../blob/blob-store.ts'
import { saveAttachment } from '../../catalog/attachments.ts'
import { stage } from '../../indexes/stage.ts'
import { ANONYMOUS, mayUnder, type Principal } from '../../model/access.ts'
import type { Problem } from '../../model/errors.ts'
import { type Limits, withLimits } from '../../model/limits.ts'
import { userName } from '../../model/names.ts'
import type { StageRecord } from '../../model/records.ts'
import { projectName } from '../../pep/name.ts'
import { OutgoingPolicy } from '../../upstream/outgoing-policy.ts'
import { isTaken, OutwardPushes } from './push-external.ts'
import { readPushOrder } from './push-order.ts'
import type { ActionRow } from './pushed-release.ts'

const ALICE: Principal = { name: userName('alice'), groups: [] }
const BOB: Principal = { name: userName('bob'), groups: [] }
const WHEEL = wheel({ name: 'acme', version: '1.0', summary: 'Anvils', requiresPython: '>=3.9' })
const SDIST = sdist({ name: 'acme', version: '1.0', requiresDist: ['glue', 'rope; extra == "x"'] })
/** Larger than what fits into the buffers on the way. */
const LARGE = wheel({ name: 'large', version: '1.0', files: { noise: Buffer.alloc(3_000_000, 'noise of an anvil ') } })
const addressOf = ({ sha256, filename }: BuiltFile) =>
  `alice/dev/+f/${sha256.slice(0, 3)}/${sha256.slice(3, 16)}/${filename}`

interface Received {
  readonly headers: IncomingMessage['headers']
  readonly url: string | undefined
  readonly body: Buffer
}

interface Elsewhere extends AsyncDisposable {
  readonly received: readonly Received[]
  pushes(sent?: object, who?: Principal, limits?: Partial<Limits>): Promise<ActionRow[]>
  pusher(limits?: Partial<Limits>): OutwardPushes
  order(sent?: object): ReturnType<typeof readPushOrder>
}

/** alice/dev with releases, and an index elsewhere that answers with `answer`, or 200. */
async function openElsewhere(
  answer: (response: ServerResponse, nth: number) => void = (response) => response.end(),
): Promise<Elsewhere> {
  await using stack = new AsyncDisposableStack()
  const stores = stack.use(await openTempStores())
  const received: Received[] = []
  const listener: Listener = await listen(async (request, response) => {
    const body = await buffer(request)
    received.push({ headers: request.headers, url: request.url, body })
    answer(response, received.length)
  })
  stack.defer(() => listener.close())
  const dev = await stores.addStage('alice/dev')
  await stores.addStage('alice/secret', { acl_pkg_read: ['alice'] })
  for (const file of [SDIST, WHEEL, LARGE]) await stores.addFile(dev, file)
  await stores.addRelease(dev, 'acme', '1.0', { name: 'Acme', version: '1.0', author: 'Wile E.', keywords: '' })
  await addDocumentation(stores, dev)
  const pusher = (limits: Partial<Limits> = {}) =>
    new OutwardPushes({
      pusher: {
        ...stores,
        limits: withLimits(limits),
        may: mayUnder({ mayPushOut: ['alice', 'bob'] }),
        provenances: unattested,
        indexes: { layer: async (record) => stage(stores.catalog, record as StageRecord) },
      },
      userAgent: 'airlock/test',
      policy: new OutgoingPolicy(NEAR.outgoing),
      isNamed: () => true,
    })
  const order = (sent: object = {}) =>
    readPushOrder({
      name: 'acme',
      version: '1.0',
      posturl: `${listener.url}/legacy/?x=1`,
      username: 'wile',
      password: 'a:ü',
      ...sent,
    })
  const opened = stack.move()
  return {
    received,
    pusher,
    order,
    pushes: (sent, who = ALICE, limits = {}) => pusher(limits).push(who, 'alice/dev', order(sent)),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function addDocumentation(stores: TempStores, index: StageRecord): Promise<void> {
  const blob = await writeBlob(stores.blobs, [Buffer.from('zip')], { limitBytes: 10 })
  await stores.catalog.write((writer) =>
    saveAttachment(writer, index, {
      kind: 'doczip',
      project: projectName('acme'),
      version: '1.0',
      filename: 'acme-1.0.doc.zip',
      ...blob,
      created: '2026-01-01T00:00:00Z',
      addressHash: blob.digest,
      log: [],
    }),
  )
}

/** Field to values, in the order sent; the file as `content: filename`. */
function fieldsOf({ headers, body }: Received): Record<string, string[]> {
  const [, boundary] = /boundary=(.*)$/.exec(headers['content-type'] ?? '') ?? []
  const fields: Record<string, string[]> = {}
  for (const part of body.toString('latin1').split(`--${boundary}\r\n`).slice(1)) {
    const [, name = '', filename, value = ''] =
      /^Content-Disposition: form-data; name="([^"]+)"(?:; filename="([^"]+)")?\r\n.*?\r\n\r\n(.*)\r\n/s.exec(
        part.replace('\r\n\r\n', '\r\n\r\n\r\n'),
      ) ?? []
    fields[name] = [...(fields[name] ?? []), filename ?? value.trim()]
  }
  return fields
}

const refusal = (code: Problem['code'], message: RegExp) => (error: unknown) => {
  assert.equal((error as Problem).code, code)
  assert.match((error as Problem).message, message)
  return true
}

test('OutwardPushes.push() sends archives in order of name, then documentation, as twine would', async () => {
  await using elsewhere = await openElsewhere()
  const rows = await elsewhere.pushes()
  assert.deepEqual(rows, [
    [200, 'upload', addressOf(WHEEL), ''],
    [200, 'upload', addressOf(SDIST), ''],
    [200, 'docfile', 'Acme'],
  ])
  assert.ok(isTaken(rows))
  const [first, second, third] = elsewhere.received.map(fieldsOf)
  assert.deepEqual(first, {
    ':action': ['file_upload'],
    name: ['acme'],
    version: ['1.0'],
    author: ['Wile E.'],
    metadata_version: ['2.1'],
    summary: ['Anvils'],
    requires_python: ['>=3.9'],
    filetype: ['bdist_wheel'],
    pyversion: ['py3'],
    sha256_digest: [WHEEL.sha256],
    content: [WHEEL.filename],
  })
  assert.deepEqual(second!.requires_dist, ['glue', 'rope; extra == "x"'])
  assert.deepEqual([second!.filetype, second!.pyversion], [['sdist'], ['source']])
  assert.equal('requires_python' in second!, false)
  assert.deepEqual([third![':action'], third!.content], [['doc_upload'], ['Acme.zip']])
})

test('OutwardPushes.push() tells the length first, and who it is', async () => {
  await using elsewhere = await openElsewhere()
  await elsewhere.pushes({ name: 'large' })
  const [{ headers, url, body }] = elsewhere.received as [Received]
  assert.equal(headers['content-length'], String(body.length))
  assert.equal(headers['transfer-encoding'], undefined)
  assert.equal(headers.authorization, `Basic ${Buffer.from('wile:a:ü').toString('base64')}`)
  assert.equal(headers['user-agent'], 'airlock/test')
  assert.equal(url, '/legacy/?x=1')
  assert.ok(body.includes(LARGE.bytes))
})

for (const [status, done] of [
  [200, true],
  [201, true],
  [410, true],
  [400, false],
  [301, false],
] as const) {
  test(`OutwardPushes.push() ${done ? 'goes on' : 'stops'} after a registration answered with ${status}`, async () => {
    await using elsewhere = await openElsewhere((response, nth) => {
      response.writeHead(nth === 1 ? status : 200, { location: '/elsewhere' }).end()
    })
    const rows = await elsewhere.pushes({ register_project: true, no_docs: true })
    assert.deepEqual(rows[0], [status, 'register', 'acme', '1.0'])
    assert.equal(rows.length, done ? 3 : 1)
    assert.equal(isTaken(rows), done)
    assert.equal(elsewhere.received.length, rows.length)
    assert.deepEqual(fieldsOf(elsewhere.received[0]!)[':action'], ['submit'])
  })
}

test('OutwardPushes.push() tells what each form was answered with, up to a bound', async () => {
  await using elsewhere = await openElsewhere((response, nth) => {
    response.writeHead(nth === 1 ? 409 : 403).end(nth === 1 ? 'It is there' : 'long '.repeat(100_000))
  })
  const rows = await elsewhere.pushes({ no_docs: true }, ALICE, { outwardAnswerBytes: 10 })
  assert.deepEqual(rows, [
    [409, 'upload', addressOf(WHEEL), 'It is ther'],
    [403, 'upload', addressOf(SDIST), 'long long '],
  ])
  assert.equal(isTaken(rows), false)
})

for (const [what, answer] of [
  ['hangs up', (response: ServerResponse) => response.destroy()],
  ['says nothing', () => {}],
  ['does not end its answer', (response: ServerResponse) => void response.writeHead(500).write('Err')],
] as const) {
  test(`OutwardPushes.push() ends with a row when the other side ${what}`, async () => {
    await using elsewhere = await openElsewhere(answer)
    const rows = await elsewhere.pushes({}, ALICE, { outwardAnswerMs: 300 })
    assert.equal(rows.length, 1)
    assert.deepEqual(rows[0]!.slice(0, 2), [-1, 'exception on release upload:'])
    assert.ok(!rows[0]![2]!.includes('wile'), rows[0]![2]!)
    assert.equal(isTaken(rows), false)
  })
}

test('OutwardPushes.push() ends with a row when nobody is there', async () => {
  await using elsewhere = await openElsewhere()
  const sent = { posturl: 'http://127.0.0.1:1/' }
  const [[status, what]] = (await elsewhere.pushes({ ...sent, only_docs: true })) as [ActionRow]
  assert.deepEqual([status, what], [-1, 'exception on documentation upload:'])
  const [row] = await elsewhere.pushes({ ...sent, register_project: true })
  assert.deepEqual(row!.slice(0, 2), [-1, 'exception on register:'])
})

test('OutwardPushes.push() is for those who are logged in and may read the source', async () => {
  await using elsewhere = await openElsewhere()
  await assert.rejects(elsewhere.pushes({}, ANONYMOUS), refusal('login-required', /without login/))
  const pusher = elsewhere.pusher()
  await assert.rejects(pusher.push(BOB, 'alice/secret', elsewhere.order()), refusal('not-allowed', /read forbidden/))
  assert.equal(elsewhere.received.length, 0)
})

test('OutwardPushes.push() refuses one push more than may be on their way', async () => {
  await using elsewhere = await openElsewhere((response) => setTimeout(() => response.end(), 200))
  const pusher = elsewhere.pusher({ outwardPushes: 1 })
  const pushes = [0, 1].map(() => pusher.push(ALICE, 'alice/dev', elsewhere.order({ no_docs: true })))
  // Either may be the first to have looked up what it pushes.
  await assert.rejects(Promise.all(pushes), refusal('busy', /on their way/))
  const [taken, ...more] = (await Promise.allSettled(pushes)).filter((each) => each.status === 'fulfilled')
  assert.deepEqual(more, [])
  assert.ok(isTaken(taken!.value))
  assert.ok(isTaken(await pusher.push(ALICE, 'alice/dev', elsewhere.order({ only_docs: true }))))
})

for (const [sent, message] of [
  [{ posturl: undefined }, /no targetindex\/posturl/],
  [{ password: 3 }, /no username\/password/],
  [{ posturl: 'file:///etc/passwd' }, /no http or https address/],
  [{ posturl: 'nothing' }, /no http or https address/],
] as const) {
  test(`OutwardPushes.push() refuses ${JSON.stringify(sent)}`, async () => {
    await using elsewhere = await openElsewhere()
    await assert.rejects(elsewhere.pushes(sent), refusal('bad-request', message))
  })
}
