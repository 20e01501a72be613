/** What every `Catalog` promises about reading, writing, the journal and jobs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { indexName, userName } from '../model/names.ts'
import type { Job, Serial } from '../model/records.ts'
import { projectName } from '../pep/name.ts'
import { deleteUser, listUsers, saveUser, userAsWritten } from './accounts.ts'
import type { Catalog, Reader, Writer } from './catalog.ts'
import { changesSince, lastCommitTime, lastSerial } from './journal.ts'
import { claim, countJobs, nextDueMs, postpone, settle } from './queue.ts'
import { searchProjects } from './search.ts'

export interface OpenedCatalog extends AsyncDisposable {
  readonly catalog: Catalog
  /** Closes this one and opens the same place again. */
  reopen(): Promise<Catalog>
}

const NONE = 0 as Serial

export const NOW = new Date('2026-01-02T03:04:05.678Z')

/** `open` makes an empty catalog whose clock stands at `NOW`. */
export function catalogContract(options: { readonly name: string; readonly open: () => Promise<OpenedCatalog> }): void {
  const promise = (sentence: string, check: (catalog: Catalog, opened: OpenedCatalog) => Promise<void>) =>
    test(`${options.name}: ${sentence}`, async () => {
      await using opened = await options.open()
      await check(opened.catalog, opened)
    })
  const job = (key: string): Job => ({
    kind: 'describe-file',
    key,
    index: indexName('u', 'i'),
    project: projectName('p'),
    filename: key,
  })
  const addUser = (writer: Writer, name: string) =>
    saveUser(writer, { name: userName(name), created: 'then' }, 'created')

  promise('the serial begins at 0, and each write with changes takes the next one', async (catalog, { reopen }) => {
    assert.equal(await catalog.latestSerial(), 0)
    assert.equal(await catalog.read(lastCommitTime), undefined)
    await catalog.write((writer) => addUser(writer, 'a'))
    assert.equal(await catalog.latestSerial(), 1)
    await catalog.write(async (writer) => {
      await addUser(writer, 'b')
      await addUser(writer, 'c')
    })
    assert.equal(await catalog.latestSerial(), 2)
    assert.equal(await catalog.read(lastSerial), 2)
    assert.equal(await catalog.read(lastCommitTime), NOW.toISOString())
    assert.equal(await (await reopen()).latestSerial(), 2)
  })

  promise('a write without changes takes no serial', async (catalog) => {
    await catalog.write(async () => {})
    await catalog.write((writer) => writer.enqueue(job('k')))
    assert.equal(await catalog.latestSerial(), 0)
    assert.deepEqual(await catalog.read((reader) => changesSince(reader, NONE, 10)), [])
  })

  promise('the journal holds the changes of each write in order', async (catalog) => {
    await catalog.write(async (writer) => {
      await addUser(writer, 'a')
      await addUser(writer, 'b')
    })
    await catalog.write((writer) => deleteUser(writer, userName('a')))
    const all = await catalog.read((reader) => changesSince(reader, NONE, 10))
    assert.deepEqual(all, [
      {
        serial: 1,
        at: NOW.toISOString(),
        changes: [
          { what: 'user', how: 'created', user: 'a' },
          { what: 'user', how: 'created', user: 'b' },
        ],
      },
      { serial: 2, at: NOW.toISOString(), changes: [{ what: 'user', how: 'deleted', user: 'a' }] },
    ])
    assert.deepEqual(
      (await catalog.read((reader) => changesSince(reader, 1 as Serial, 10))).map((each) => each.serial),
      [2],
    )
    assert.equal((await catalog.read((reader) => changesSince(reader, NONE, 1))).length, 1)
  })

  promise('a write that throws leaves nothing: no rows, no journal, no jobs, no call afterwards', async (catalog) => {
    let isCalled = false
    await assert.rejects(
      catalog.write(async (writer) => {
        await addUser(writer, 'a')
        await writer.enqueue(job('k'))
        writer.onCommit(() => {
          isCalled = true
        })
        throw new Error('no')
      }),
      /no/,
    )
    assert.equal(await catalog.read((reader) => userAsWritten(reader, 'a')), undefined)
    assert.equal(await catalog.read(countJobs), 0)
    assert.equal(await catalog.latestSerial(), 0)
    assert.equal(await catalog.read(lastSerial), 0)
    assert.equal(isCalled, false)
    await catalog.write((writer) => addUser(writer, 'b'))
    assert.equal(await catalog.latestSerial(), 1)
    assert.deepEqual(
      (await catalog.read(listUsers)).map((user) => user.name),
      ['b'],
    )
  })

  promise('writes come one after the other, in the order they were asked for', async (catalog) => {
    const order: number[] = []
    let running = 0
    const writes = Array.from({ length: 10 }, (_, each) =>
      catalog.write(async (writer) => {
        assert.equal(++running, 1)
        if (each % 3 === 0) await delay(3)
        order.push(each)
        await addUser(writer, `u${each}`)
        running--
        if (each === 4) {
          throw new Error('one fails')
        }
        return each
      }),
    )
    const results = await Promise.allSettled(writes)
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert.deepEqual(
      results.map((each) => each.status === 'fulfilled'),
      order.map((each) => each !== 4),
    )
    assert.equal(await catalog.latestSerial(), 9)
  })

  promise('a reader sees one state from its first question to its last', async (catalog) => {
    await catalog.write((writer) => addUser(writer, 'a'))
    await catalog.read(async (reader) => {
      const before = await listUsers(reader)
      await catalog.write((writer) => addUser(writer, 'b'))
      assert.deepEqual(await listUsers(reader), before)
      assert.equal(await lastSerial(reader), 1)
    })
    assert.equal((await catalog.read(listUsers)).length, 2)
  })

  promise('nobody sees a write before it is committed', async (catalog) => {
    await catalog.write(async (writer) => {
      await addUser(writer, 'a')
      assert.ok(await userAsWritten(writer, 'a'))
      assert.equal(await catalog.read((reader) => userAsWritten(reader, 'a')), undefined)
      assert.equal(await catalog.latestSerial(), 0)
    })
    assert.ok(await catalog.read((reader) => userAsWritten(reader, 'a')))
  })

  promise(
    'more readers at once than there are connections all get their turn, also after failures',
    async (catalog) => {
      const reads = Array.from({ length: 30 }, (_, each) =>
        catalog.read(async (reader) => {
          await delay(1)
          if (each % 5 === 0) throw new Error('no')
          return (await listUsers(reader)).length
        }),
      )
      const results = await Promise.allSettled(reads)
      assert.equal(results.filter((each) => each.status === 'fulfilled').length, 24)
    },
  )

  promise('a reader cannot write', async (catalog) => {
    const writing = catalog.read((reader) => addUser(reader as Writer, 'a'))
    await assert.rejects(writing, /readonly|read-only/)
    assert.equal(await catalog.read((reader) => userAsWritten(reader, 'a')), undefined)
  })

  promise('a reader and a writer throw once their transaction has ended, whatever they are asked', async (catalog) => {
    const late: Record<string, () => unknown> = {}
    const keep = (reader: Reader, who: string) => {
      const { db } = reader
      const query = db.selectFrom('users').selectAll()
      late[`${who}: a statement`] = () => userAsWritten(reader, 'a')
      late[`${who}: a query`] = () => listUsers(reader)
      late[`${who}: a query that was begun`] = () => query.execute()
      late[`${who}: a search`] = () => searchProjects(reader, 'acme', 10, [])
    }
    await catalog.read(async (reader) => keep(reader, 'reader'))
    await catalog.write(async (writer) => {
      keep(writer, 'writer')
      late['writer: a change'] = () => writer.change({ what: 'group', how: 'deleted', group: 'g' })
      late['writer: a job'] = () => writer.enqueue(job('k'))
      late['writer: a call afterwards'] = () => writer.onCommit(() => {})
      late['writer: a row'] = () => addUser(writer, 'late')
    })
    const failing = catalog.write(async (writer) => {
      keep(writer, 'failed writer')
      throw new Error('no')
    })
    await assert.rejects(failing, /no/)
    for (const [what, ask] of Object.entries(late)) {
      await assert.rejects(async () => ask(), { name: 'TypeError', message: /has ended/ }, what)
      // Also while another transaction has the connection.
      await catalog.write(async () => assert.rejects(async () => ask(), /has ended/, what))
    }
    assert.deepEqual(await catalog.read(listUsers), [])
  })

  promise('onCommit() is called after the commit, when the serial says so', async (catalog) => {
    const seen: number[] = []
    await catalog.write(async (writer) => {
      writer.onCommit(() => seen.push(catalog.serialWithin(0) ?? -1))
      await addUser(writer, 'a')
      assert.deepEqual(seen, [])
    })
    assert.deepEqual(seen, [1])
  })

  promise('a job commits with its cause, and asking twice is one job', async (catalog) => {
    await catalog.write(async (writer) => {
      await addUser(writer, 'a')
      await writer.enqueue(job('k'))
      await writer.enqueue(job('k'))
      await writer.enqueue(job('l'))
    })
    assert.equal(await catalog.read(countJobs), 2)
    assert.equal(await catalog.read(nextDueMs), NOW.getTime())
  })

  promise('claim() gives each job to one worker, oldest first, and again when its lease ran out', async (catalog) => {
    const now = NOW.getTime()
    const take = (at: number, lease: number) => catalog.write((writer) => claim(writer, at, lease))
    await catalog.write((writer) => writer.enqueue(job('one')))
    await catalog.write((writer) => writer.enqueue(job('two')))
    const [a, b, c] = [await take(now, now + 100), await take(now, now + 200), await take(now, now + 300)]
    assert.deepEqual([a?.job.key, b?.job.key, c], ['one', 'two', undefined])
    assert.deepEqual([a?.attempts, b?.attempts], [1, 1])
    assert.equal(await take(now + 99, now + 300), undefined)
    const again = await take(now + 100, now + 300)
    assert.deepEqual([again?.job.key, again?.attempts], ['one', 2])
    await catalog.write((writer) => settle(writer, again!.id))
    await catalog.write((writer) => postpone(writer, b!.id, now + 5000, 'it rained'))
    assert.equal(await take(now + 4999, now + 9000), undefined)
    assert.equal(await catalog.read(nextDueMs), now + 5000)
    const late = await take(now + 5000, now + 9000)
    assert.deepEqual([late?.job, late?.attempts], [job('two'), 2])
    await catalog.write((writer) => settle(writer, late!.id))
    assert.equal(await catalog.read(countJobs), 0)
    assert.equal(await catalog.read(nextDueMs), undefined)
  })

  promise('a job asked for again is due at once and begins anew', async (catalog) => {
    const now = NOW.getTime()
    await catalog.write((writer) => writer.enqueue(job('one')))
    const first = await catalog.write((writer) => claim(writer, now, now + 100))
    await catalog.write((writer) => postpone(writer, first!.id, now + 9000, 'x'))
    await catalog.write((writer) => writer.enqueue(job('one')))
    const second = await catalog.write((writer) => claim(writer, now, now + 100))
    assert.equal(second?.attempts, 1)
  })
}
