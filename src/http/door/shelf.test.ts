import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openTempStores, type TempStores } from '../../../test/world/temp-stores.ts'
import { indexAsWritten } from '../../catalog/accounts.ts'
import { changesSince } from '../../catalog/journal.ts'
import { type Limits, withLimits } from '../../model/limits.ts'
import { projectName } from '../../pep/name.ts'
import { readPlainRequest } from './plain-request.ts'
import { Shelf } from './shelf.ts'

const ACME = projectName('acme')
const OTHER = projectName('other')

interface Ground extends AsyncDisposable {
  readonly stores: TempStores
  readonly shelf: Shelf
  /** Puts an answer on the shelf, by the path it is asked for at; `untilMs` from now on. */
  put(path: string, body: string | Buffer, project?: typeof ACME, untilMs?: number): boolean
  /** What stands ready at the path. */
  sent(path: string): string | undefined
}

async function ground(limits: Partial<Limits> = {}): Promise<Ground> {
  const stores = await openTempStores()
  await stores.addStage('alice/dev')
  const shelf = new Shelf({
    ...{ catalog: stores.catalog, limits: withLimits(limits), nowMs: () => stores.clock.ms },
    changesSince: (serial, most) => stores.catalog.read((reader) => changesSince(reader, serial, most)),
    onTrouble: (error) => assert.fail(String(error)),
  })
  return {
    stores,
    shelf,
    put: (path, body, project = ACME, untilMs) => {
      const basis = {
        project,
        group: 'simple',
        ...(untilMs !== undefined && { untilMs: stores.clock.ms + untilMs }),
      } as const
      return shelf.put(readPlainRequest(headOf(path))!.key, partsOf(body), basis, shelf.begin())
    },
    sent: (path) => {
      const answer = shelf.find(headOf(path), '')
      return answer && shelf.bytes(answer).toString('latin1')
    },
    [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose](),
  }
}

function headOf(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
}

function partsOf(body: string | Buffer) {
  const headers = [
    ['etag', '"1"'],
    ['x-devpi-serial', '0'],
    ['content-length', String(body.length)],
  ] as const
  return { status: 200 as const, headers, body: Buffer.from(body), keepAliveSeconds: 65 }
}

/** Until the shelf has looked at what was committed. */
async function caughtUp({ shelf, stores }: Ground): Promise<void> {
  shelf.find(headOf('/nothing'), '')
  for (let turn = 0; turn < 100 && shelf.figures.seen !== stores.catalog.serial; turn++) await delay(5)
  assert.equal(shelf.figures.seen, stores.catalog.serial)
}

test('Shelf gives the bytes of an answer, with the date and the serial of now', async () => {
  await using all = await ground()
  assert.ok(all.put('/a', 'body'))
  const { serial } = all.stores.catalog
  const wanted = (date: string, now = String(serial)) =>
    `HTTP/1.1 200 OK\r\netag: "1"\r\nx-devpi-serial: ${now}\r\ncontent-length: 4\r\n` +
    `Date: ${date}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=65\r\n\r\nbody`
  assert.equal(all.sent('/a'), wanted('Fri, 02 Jan 2026 03:04:05 GMT'))
  all.stores.clock.ms += 999
  assert.equal(all.sent('/a'), wanted('Fri, 02 Jan 2026 03:04:05 GMT'))
  all.stores.clock.ms += 1
  assert.equal(all.sent('/a'), wanted('Fri, 02 Jan 2026 03:04:06 GMT'))
  // Past a serial with another number of digits.
  for (let more = 0; more < 12; more++) await all.stores.addRelease(await stageOf(all), 'other', `1.${more}`)
  await caughtUp(all)
  assert.equal(all.sent('/a'), wanted('Fri, 02 Jan 2026 03:04:06 GMT', String(serial + 12)))
})

test('Shelf leaves bytes that are still on their way as they are', async () => {
  await using all = await ground()
  all.put('/a', 'body')
  const answer = all.shelf.find(headOf('/a'), '')!
  const lent = all.shelf.bytes(answer)
  const before = lent.toString('latin1')
  answer.lend()
  all.stores.clock.ms += 5000
  const after = all.shelf.bytes(all.shelf.find(headOf('/a'), '')!)
  assert.match(after.toString('latin1'), /03:04:10 GMT/)
  assert.equal(lent.toString('latin1'), before)
})

test('Shelf has nothing for a request that is answered otherwise', async () => {
  await using all = await ground()
  all.put('/a', 'body')
  assert.equal(all.sent('/b'), undefined)
  assert.equal(all.shelf.find(headOf('/a').replace('Host: x', 'Host: x\r\nAccept: text/html'), ''), undefined)
  assert.equal(all.shelf.find(headOf('/a'), 'proxied '), undefined)
  assert.ok(all.shelf.find(headOf('/a'), ''))
})

test('Shelf lets go what a commit changes, and keeps the rest', async () => {
  await using all = await ground()
  all.put('/a', 'body')
  all.put('/other', 'body', OTHER)
  assert.ok(all.sent('/a') && all.sent('/other'))
  await all.stores.addRelease(await stageOf(all), 'acme', '1.0')
  // At once, before the journal is read.
  assert.equal(all.sent('/a'), undefined)
  await caughtUp(all)
  assert.equal(all.sent('/a'), undefined)
  assert.ok(all.sent('/other'))
})

test('Shelf lets everything go when an index changes', async () => {
  await using all = await ground()
  all.put('/a', 'body')
  all.put('/other', 'body', OTHER)
  await all.stores.addStage('alice/more')
  await caughtUp(all)
  assert.deepEqual([all.sent('/a'), all.sent('/other'), all.shelf.figures.answers], [undefined, undefined, 0])
})

test('Shelf takes no answer that something has happened since', async () => {
  await using all = await ground()
  const key = readPlainRequest(headOf('/a'))!.key
  const basis = { project: ACME, group: 'simple' } as const
  const begun = all.shelf.begin()
  await all.stores.addRelease(await stageOf(all), 'other', '1.0')
  assert.equal(all.shelf.put(key, partsOf('old'), basis, begun), false)
  const again = all.shelf.begin()
  all.shelf.forgetMirrored()
  assert.equal(all.shelf.put(key, partsOf('old'), basis, again), false)
  assert.equal(all.shelf.put(key, partsOf('new'), basis, all.shelf.begin()), true)
})

test('Shelf keeps what an upstream has a part in for its time, or until there is news of it', async () => {
  await using all = await ground()
  all.put('/a', 'body', ACME, 1000)
  all.put('/b', 'body', OTHER, 1000)
  all.put('/own', 'body')
  assert.ok(all.sent('/a') && all.sent('/b') && all.sent('/own'))
  all.shelf.forgetMirrored(ACME)
  assert.equal(all.sent('/a'), undefined)
  assert.ok(all.sent('/b'))
  all.stores.clock.ms += 1000
  assert.equal(all.sent('/b'), undefined)
  all.put('/b', 'body', OTHER, 1000)
  all.shelf.forgetMirrored()
  assert.equal(all.sent('/b'), undefined)
  assert.ok(all.sent('/own'))
})

test('Shelf makes room for what comes, and lets go first what nobody asks for', async () => {
  await using all = await ground({ shelfBytes: 10_000, shelfAnswerBytes: 4000 })
  assert.equal(all.put('/large', 'x'.repeat(5000)), false)
  for (let at = 0; at < 5; at++) {
    assert.ok(all.put(`/${at}`, 'x'.repeat(2500)))
    assert.ok(all.sent('/0'), `after ${at}`)
  }
  assert.ok(all.shelf.figures.bytes <= 10_000)
  assert.equal(all.sent('/1'), undefined)
  assert.ok(all.sent('/4'))
})

test('Shelf forgets the heads of requests when there are too many, not the answers', async () => {
  await using all = await ground({ shelfHeadCharacters: 1000 })
  all.put('/a', 'body')
  for (let at = 0; at < 200; at++) {
    assert.ok(all.shelf.find(headOf('/a').replace('Host: x', `Host: x\r\nReferer: http://x/${at}`), ''))
  }
  assert.ok(all.shelf.figures.heads * headOf('/a').length <= 1000)
})

async function stageOf({ stores }: Ground) {
  return (await stores.catalog.read((reader) => indexAsWritten(reader, 'alice/dev')))!
}
