/** What every `Catalog` promises about reading, writing, the journal, jobs and search. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { digestOf } from '../lib/digest.ts'
import { createdOptions } from '../model/index-options.ts'
import { indexName, userName } from '../model/names.ts'
import type { IndexRecord, Job } from '../model/records.ts'
import { projectName } from '../pep/name.ts'
import { createIndex, deleteIndex, deleteUser, findIndex, findUser, listUsers, saveUser } from './accounts.ts'
import type { Catalog, Writer } from './catalog.ts'
import { findFiles, isBlobNamed, listFiles, type NewFile, saveFile } from './files.ts'
import { changesSince, lastCommitTime, lastSerial } from './journal.ts'
import { findPage, savePage, writeState } from './mirror-pages.ts'
import { findProject, listProjects, listReleases, saveRelease } from './projects.ts'
import { claim, countJobs, nextDueMs, postpone, settle } from './queue.ts'
import { searchProjects } from './search.ts'

export interface OpenedCatalog extends AsyncDisposable {
  readonly catalog: Catalog
  /** Closes this one and opens the same place again. */
  reopen(): Promise<Catalog>
}

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
    assert.equal(catalog.serial, 0)
    assert.equal(await catalog.read(lastCommitTime), undefined)
    await catalog.write((writer) => addUser(writer, 'a'))
    assert.equal(catalog.serial, 1)
    await catalog.write(async (writer) => {
      await addUser(writer, 'b')
      await addUser(writer, 'c')
    })
    assert.equal(catalog.serial, 2)
    assert.equal(await catalog.read(lastSerial), 2)
    assert.equal(await catalog.read(lastCommitTime), NOW.toISOString())
    assert.equal((await reopen()).serial, 2)
  })

  promise('a write without changes takes no serial', async (catalog) => {
    await catalog.write(async () => {})
    await catalog.write((writer) => writer.enqueue(job('k')))
    assert.equal(catalog.serial, 0)
    assert.deepEqual(await catalog.read((reader) => changesSince(reader, catalog.serial, 10)), [])
  })

  promise('the journal holds the changes of each write in order', async (catalog) => {
    await catalog.write(async (writer) => {
      await addUser(writer, 'a')
      await addUser(writer, 'b')
    })
    await catalog.write((writer) => deleteUser(writer, userName('a')))
    const all = await catalog.read((reader) => changesSince(reader, 0 as Catalog['serial'], 10))
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
      (await catalog.read((reader) => changesSince(reader, 1 as Catalog['serial'], 10))).map((each) => each.serial),
      [2],
    )
    assert.equal((await catalog.read((reader) => changesSince(reader, 0 as Catalog['serial'], 1))).length, 1)
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
    assert.equal(await catalog.read((reader) => findUser(reader, 'a')), undefined)
    assert.equal(await catalog.read(countJobs), 0)
    assert.equal(catalog.serial, 0)
    assert.equal(await catalog.read(lastSerial), 0)
    assert.equal(isCalled, false)
    await catalog.write((writer) => addUser(writer, 'b'))
    assert.equal(catalog.serial, 1)
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
    assert.equal(catalog.serial, 9)
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
      assert.ok(await findUser(writer, 'a'))
      assert.equal(await catalog.read((reader) => findUser(reader, 'a')), undefined)
      assert.equal(catalog.serial, 0)
    })
    assert.ok(await catalog.read((reader) => findUser(reader, 'a')))
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
    await assert.rejects(catalog.read((reader) => addUser({ ...reader, change: () => {} } as unknown as Writer, 'a')))
    assert.equal(await catalog.read((reader) => findUser(reader, 'a')), undefined)
  })

  promise('onCommit() is called after the commit, when the serial says so', async (catalog) => {
    const seen: number[] = []
    await catalog.write(async (writer) => {
      writer.onCommit(() => seen.push(catalog.serial))
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

  const file = (name: string, version = '1.0'): NewFile => ({
    project: projectName(name),
    version,
    filename: `${name}-${version}.tar.gz`,
    digest: digestOf(`${name} ${version}`),
    sizeBytes: 5,
    uploadTime: NOW.toISOString(),
    addressHash: digestOf(name),
    log: [],
  })
  async function addIndex(catalog: Catalog, name: string, type = 'stage'): Promise<IndexRecord> {
    const [user = '', index = ''] = name.split('/')
    return await catalog.write(async (writer) => {
      if ((await findUser(writer, user)) === undefined) await addUser(writer, user)
      const owner = userName(user)
      await createIndex(writer, indexName(user, index), owner, createdOptions(owner, { type }))
      return (await findIndex(writer, name))!
    })
  }
  const addProject = (
    catalog: Catalog,
    index: IndexRecord,
    name: string,
    metadata: Record<string, string> = {},
    version = '1.0',
  ) => catalog.write((writer) => saveRelease(writer, index, { project: projectName(name), version, metadata }))

  promise('a file row is kept whole', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    const full: NewFile = {
      ...file('acme'),
      requiresPython: '>=3.8',
      yanked: 'broken',
      coreMetadata: { digest: digestOf('m'), sizeBytes: 1 },
      origin: 'http://far/acme-1.0.tar.gz',
      log: [{ what: 'upload', who: 'u', when: [2026, 1, 2, 3, 4, 5] }],
    }
    await catalog.write((writer) => saveFile(writer, index, full, 'uploaded'))
    await catalog.write((writer) => saveFile(writer, index, { ...file('acme', '2.0'), yanked: true }, 'uploaded'))
    const [one, two] = await catalog.read((reader) => listFiles(reader, index, projectName('acme')))
    const { id: _id, ...rest } = one!
    assert.deepEqual(rest, { ...full, index: 'u/i' })
    assert.equal(two!.yanked, true)
    assert.equal((await catalog.read((reader) => findFiles(reader, index, 'acme-1.0.tar.gz'))).length, 1)
    for (const named of ['m', 'acme 1.0', 'acme 2.0']) {
      assert.equal(await catalog.read((reader) => isBlobNamed(reader, digestOf(named))), true)
    }
    assert.equal(await catalog.read((reader) => isBlobNamed(reader, digestOf('other'))), false)
  })

  promise('a file saved again takes the place of the one of its name', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    await catalog.write((writer) => saveFile(writer, index, { ...file('acme'), yanked: true }, 'uploaded'))
    await catalog.write((writer) => saveFile(writer, index, { ...file('acme'), digest: digestOf('new') }, 'replaced'))
    const files = await catalog.read((reader) => listFiles(reader, index, projectName('acme')))
    assert.deepEqual(
      files.map((each) => [each.digest, each.yanked]),
      [[digestOf('new'), undefined]],
    )
  })

  promise('projects are listed by name, in pages, with the latest version', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    for (const name of ['zeta', 'acme', 'beta']) await addProject(catalog, index, name, { summary: `About ${name}` })
    await addProject(catalog, index, 'acme', { summary: 'Newer' }, '1.10')
    await addProject(catalog, index, 'acme', { summary: 'Older' }, '1.9')
    const first = await catalog.read((reader) => listProjects(reader, index, '', 2))
    assert.deepEqual(
      first.map((row) => [row.name, row.latestVersion, row.summary]),
      [
        ['acme', '1.10', 'Newer'],
        ['beta', '1.0', 'About beta'],
      ],
    )
    const rest = await catalog.read((reader) => listProjects(reader, index, 'beta', 10))
    assert.deepEqual(
      rest.map((row) => row.name),
      ['zeta'],
    )
    assert.equal((await catalog.read((reader) => listReleases(reader, index, projectName('acme')))).length, 3)
  })

  for (const [what, remove] of [
    ['an index', async (writer: Writer, index: IndexRecord) => deleteIndex(writer, index)],
    ['a user', async (writer: Writer) => deleteUser(writer, userName('u'))],
  ] as const) {
    promise(`deleting ${what} takes everything below it, the search included`, async (catalog) => {
      const index = await addIndex(catalog, 'u/i', 'mirror')
      const other = await addIndex(catalog, 'v/i')
      for (const each of [index, other]) {
        await addProject(catalog, each, 'acme', { summary: 'wonderful' })
        await catalog.write((writer) => saveFile(writer, each, file('acme'), 'uploaded'))
      }
      await catalog.write(async (writer) => {
        await savePage(writer, index, projectName('acme'), { fetchedMs: 1, detail: Buffer.from('x') })
        await writeState(writer, index, 'url', 'x')
      })
      await catalog.write((writer) => remove(writer, index))
      assert.equal(await catalog.read((reader) => findIndex(reader, 'u/i')), undefined)
      assert.equal(await catalog.read((reader) => findProject(reader, index, projectName('acme'))), undefined)
      assert.deepEqual(await catalog.read((reader) => listFiles(reader, index, projectName('acme'))), [])
      assert.equal(await catalog.read((reader) => findPage(reader, index, projectName('acme'))), undefined)
      for (const query of ['wonderful', 'acme', 'acm']) {
        const hits = await catalog.read((reader) => searchProjects(reader, query, 10))
        assert.deepEqual(
          hits.map((hit) => hit.index),
          ['v/i'],
          query,
        )
      }
      assert.equal((await catalog.read((reader) => listFiles(reader, other, projectName('acme')))).length, 1)
    })
  }

  promise('search finds words, their beginnings, and parts of names', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    await addProject(catalog, index, 'django-rest-tools', {
      summary: 'Helpers for frameworks',
      description: 'Long story about authentication',
    })
    await addProject(catalog, index, 'requests', { summary: 'HTTP for humans' })
    await addProject(catalog, index, 'grpcio', { summary: 'Remote calls for Grüße 日本語' })
    const find = async (query: string) =>
      (await catalog.read((reader) => searchProjects(reader, query, 10))).map((hit) => hit.name)
    for (const [query, expected] of [
      ['requests', ['requests']],
      ['req', ['requests']],
      ['humans http', ['requests']],
      ['HUM', ['requests']],
      ['django-rest', ['django-rest-tools']],
      ['django-rest-tools', ['django-rest-tools']],
      ['django rest', ['django-rest-tools']],
      ['authentic', ['django-rest-tools']],
      ['pcio', ['grpcio']],
      ['quest', ['requests']],
      ['grüße', ['grpcio']],
      ['humans django', []],
      ['zzz', []],
      ['', []],
      ['   ', []],
      ['-', []],
    ] as const) {
      assert.deepEqual(await find(query), expected, query)
    }
  })

  promise('search puts the project of that very name first, and keeps to its bound', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    for (let each = 0; each < 8; each++) await addProject(catalog, index, `acme-${each}`, { summary: 'acme acme acme' })
    await addProject(catalog, index, 'acme', { summary: 'x' })
    const hits = await catalog.read((reader) => searchProjects(reader, 'acme', 5))
    assert.equal(hits.length, 5)
    assert.deepEqual(hits[0], { index: 'u/i', name: 'acme', version: '1.0', summary: 'x' })
  })

  promise('search finds what a project says now, not what it said before', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    await addProject(catalog, index, 'acme', { summary: 'oldword' })
    await addProject(catalog, index, 'acme', { summary: 'newword' }, '2.0')
    const count = async (query: string) => (await catalog.read((reader) => searchProjects(reader, query, 10))).length
    assert.deepEqual([await count('oldword'), await count('newword')], [0, 1])
  })

  promise('search never throws, whatever it is asked', async (catalog) => {
    const index = await addIndex(catalog, 'u/i')
    await addProject(catalog, index, 'acme', { summary: 'and or not near' })
    const hostile = [
      '"',
      '""',
      '"a',
      '*',
      'a*',
      '^a',
      'AND',
      'a AND',
      'OR NOT',
      'NEAR(',
      'NEAR(a b, 5)',
      'name:acme',
      '-a',
      '(',
      ')',
      '{a b}',
      "'; DROP TABLE search; --",
      '\0',
      'a\0b',
      '🐍',
      '日本語',
      'ﬁ',
      '\ud800',
      '%',
      '_',
      'x'.repeat(10_000),
      'a '.repeat(10_000),
      '"*'.repeat(5000),
    ]
    for (const query of hostile) await catalog.read((reader) => searchProjects(reader, query, 10))
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (query) => {
        await catalog.read((reader) => searchProjects(reader, query, 10))
      }),
      { numRuns: 200 },
    )
  })
}
