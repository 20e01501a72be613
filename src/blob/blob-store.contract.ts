/** What every `BlobStore` promises, one test each. Run by the file system's and by the one in memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Digest, digestOf } from '../lib/digest.ts'
import { collect } from '../lib/streams.ts'
import { BlobMissing, type BlobStore, BlobTooLarge, DigestMismatch, type Draft, writeBlob } from './blob-store.ts'

/** What a store may go without, each with its reason. */
export type Lack = 'survives-reopening' | 'drafts-taking-room'

export interface OpenedStore extends AsyncDisposable {
  readonly store: BlobStore
  /** How many drafts take up room. */
  drafts(): Promise<number>
  /** A new store over the same place, as after the end of the process; with `clear`, as its only writer. */
  reopen(clear: boolean): Promise<BlobStore>
}

export function blobStoreContract(options: {
  readonly name: string
  readonly open: () => Promise<OpenedStore>
  readonly lacks: readonly { readonly what: Lack; readonly why: string }[]
}): void {
  const lacked = new Map(options.lacks.map(({ what, why }) => [what, why]))
  const takesRoom = !lacked.has('drafts-taking-room')
  const promise = (sentence: string, check: (opened: OpenedStore) => Promise<void>, needs?: Lack) => {
    if (needs !== undefined && lacked.has(needs)) return
    test(`${options.name}: ${sentence}`, async () => {
      await using opened = await options.open()
      await check(opened)
    })
  }
  const bytes = Buffer.from('0123456789'.repeat(1000))
  const digest = digestOf(bytes)
  const absent = digestOf('absent')
  const unlimited = { limitBytes: 1_000_000 }
  const readAll = async (store: BlobStore, ...range: [start: number, end: number] | []) =>
    collect(await store.open(digest, range.length === 0 ? undefined : { start: range[0], end: range[1] }), 1e6)
  const readDraft = (draft: Draft, start: number, end: number) => collect(draft.read({ start, end }), 1e6)
  const listed = async (store: BlobStore) => (await Array.fromAsync(store.list())).map((blob) => blob.digest)

  promise('a blob that was written is there under its sha256, whole', async ({ store, drafts }) => {
    assert.deepEqual(await writeBlob(store, [bytes], unlimited), { digest, sizeBytes: bytes.length })
    assert.deepEqual(await store.stat(digest), { digest, sizeBytes: bytes.length })
    assert.ok((await readAll(store)).equals(bytes))
    assert.equal(await drafts(), 0)
  })

  promise('pieces make the same blob as the whole', async ({ store }) => {
    const pieces = Array.from({ length: 100 }, (_, each) => bytes.subarray(each * 100, (each + 1) * 100))
    assert.equal((await writeBlob(store, pieces, unlimited)).digest, digest)
    assert.ok((await readAll(store)).equals(bytes))
  })

  promise('a draft that is in memory gives the whole of it, and no other does', async ({ store }) => {
    await using draft = await store.draft(unlimited)
    for (const end of [100, bytes.length]) {
      await draft.append(bytes.subarray(draft.sizeBytes, end))
      const whole = draft.whole()
      assert.ok(whole === undefined || whole.equals(bytes.subarray(0, end)))
    }
  })

  promise('a reader fills what it is given, from any place and as far as the blob goes', async ({ store }) => {
    await writeBlob(store, [bytes], unlimited)
    await using reader = await store.reader(digest)
    const into = Buffer.alloc(4096)
    assert.equal(await reader.read(into, 5000), 4096)
    assert.ok(into.equals(bytes.subarray(5000, 5000 + 4096)))
    assert.equal(await reader.read(into, bytes.length - 10), 10)
    assert.ok(into.subarray(0, 10).equals(bytes.subarray(-10)))
    assert.equal(await reader.read(into, bytes.length), 0)
    await assert.rejects(store.reader(absent), BlobMissing)
  })

  promise('a reader reads on to the end when the blob was deleted meanwhile', async ({ store }) => {
    await writeBlob(store, [bytes], unlimited)
    await using reader = await store.reader(digest)
    await store.delete(digest)
    const into = Buffer.alloc(bytes.length)
    assert.equal(await reader.read(into, 0), bytes.length)
    assert.ok(into.equals(bytes))
  })

  promise('an empty blob is a blob', async ({ store }) => {
    const empty = await writeBlob(store, [], unlimited)
    assert.deepEqual(empty, { digest: digestOf(''), sizeBytes: 0 })
    assert.equal((await collect(await store.open(empty.digest), 10)).length, 0)
    assert.equal((await collect(await store.open(empty.digest, { start: 0, end: 0 }), 10)).length, 0)
    const full = await writeBlob(store, [Buffer.from('abc')], unlimited)
    assert.equal((await collect(await store.open(full.digest, { start: 2, end: 2 }), 10)).length, 0)
  })

  promise('nothing is to be seen before the commit', async ({ store }) => {
    await using draft = await store.draft(unlimited)
    await draft.append(bytes)
    assert.equal(await store.stat(digest), undefined)
    assert.deepEqual(await listed(store), [])
    await draft.commit()
    assert.deepEqual(await listed(store), [digest])
  })

  promise('writing a blob that exists is a success and changes nothing', async ({ store }) => {
    await writeBlob(store, [bytes], unlimited)
    assert.deepEqual(await writeBlob(store, [bytes], unlimited), { digest, sizeBytes: bytes.length })
    assert.deepEqual(await listed(store), [digest])
    assert.ok((await readAll(store)).equals(bytes))
  })

  promise('many writers of one content at once all succeed', async ({ store, drafts }) => {
    const written = await Promise.all(Array.from({ length: 12 }, () => writeBlob(store, [bytes], unlimited)))
    for (const blob of written) assert.equal(blob.digest, digest)
    assert.deepEqual(await listed(store), [digest])
    assert.equal(await drafts(), 0)
  })

  promise('another digest than expected publishes nothing', async ({ store, drafts }) => {
    await assert.rejects(writeBlob(store, [bytes], { ...unlimited, expect: absent }), (error: DigestMismatch) => {
      assert.ok(error instanceof DigestMismatch)
      assert.deepEqual([error.expected, error.found], [absent, digest])
      return true
    })
    assert.deepEqual(await listed(store), [])
    assert.equal(await drafts(), 0)
  })

  promise('the expected digest is a success', async ({ store }) => {
    assert.equal((await writeBlob(store, [bytes], { ...unlimited, expect: digest })).digest, digest)
  })

  promise(
    'more than the limit is refused at the chunk that passes it, and leaves nothing',
    async ({ store, drafts }) => {
      await using draft = await store.draft({ limitBytes: 10 })
      await draft.append(bytes.subarray(0, 10))
      await assert.rejects(
        draft.append(bytes.subarray(0, 1)),
        (error: BlobTooLarge) => error instanceof BlobTooLarge && error.limitBytes === 10,
      )
      assert.equal(draft.sizeBytes, 10)
      await assert.rejects(writeBlob(store, [bytes], { limitBytes: bytes.length - 1 }), BlobTooLarge)
      if (takesRoom) assert.equal(await drafts(), 1)
      assert.deepEqual(await listed(store), [])
    },
  )

  promise('a source that fails leaves nothing', async ({ store, drafts }) => {
    async function* broken() {
      yield bytes
      throw new Error('cut')
    }
    await assert.rejects(writeBlob(store, broken(), unlimited), /cut/)
    assert.equal(await drafts(), 0)
    assert.deepEqual(await listed(store), [])
  })

  for (const [start, end] of [
    [0, 1],
    [0, bytes.length],
    [5000, 5010],
    [bytes.length - 1, bytes.length],
    [9999, 10_000],
  ] as const) {
    promise(`open() reads the bytes from ${start} to ${end}`, async ({ store }) => {
      await writeBlob(store, [bytes], unlimited)
      assert.ok((await readAll(store, start, end)).equals(bytes.subarray(start, end)))
    })
  }

  promise('open() of a blob that is not here throws BlobMissing', async ({ store }) => {
    await assert.rejects(async () => store.open(absent), BlobMissing)
    await assert.rejects(async () => store.open(absent, { start: 0, end: 1 }), BlobMissing)
    assert.equal(await store.stat(absent), undefined)
  })

  promise('a draft is read while it grows', async ({ store }) => {
    await using draft = await store.draft(unlimited)
    assert.equal((await readDraft(draft, 0, 100)).length, 0)
    await draft.append(bytes.subarray(0, 6000))
    assert.equal(draft.sizeBytes, 6000)
    assert.ok((await readDraft(draft, 10, 20)).equals(bytes.subarray(10, 20)))
    assert.ok((await readDraft(draft, 5990, 9999)).equals(bytes.subarray(5990, 6000)))
    await draft.append(bytes.subarray(6000))
    assert.ok((await readDraft(draft, 0, Number.POSITIVE_INFINITY)).equals(bytes))
    assert.equal((await readDraft(draft, bytes.length, bytes.length + 5)).length, 0)
  })

  promise('a draft is read after its commit, until it is disposed', async ({ store, drafts }) => {
    const draft = await store.draft(unlimited)
    await draft.append(bytes)
    assert.equal(draft.digest(), digest)
    await draft.commit()
    assert.ok((await readDraft(draft, 0, bytes.length)).equals(bytes))
    await draft[Symbol.asyncDispose]()
    assert.equal(await drafts(), 0)
    assert.ok((await readAll(store)).equals(bytes))
  })

  promise('disposing a draft that was not committed removes it', async ({ store, drafts }) => {
    const draft = await store.draft(unlimited)
    await draft.append(bytes)
    if (takesRoom) assert.equal(await drafts(), 1)
    await draft[Symbol.asyncDispose]()
    assert.equal(await drafts(), 0)
    assert.deepEqual(await listed(store), [])
  })

  promise('delete() takes a blob away, and one that is not here is a success', async ({ store }) => {
    await writeBlob(store, [bytes], unlimited)
    await store.delete(digest)
    await store.delete(digest)
    await store.delete(absent)
    assert.equal(await store.stat(digest), undefined)
    assert.equal((await writeBlob(store, [bytes], unlimited)).digest, digest)
    assert.ok(await store.stat(digest))
  })

  promise('what is being read is read to its end after delete()', async ({ store }) => {
    await writeBlob(store, [bytes], unlimited)
    const reading = await store.open(digest)
    await store.delete(digest)
    assert.ok((await collect(reading, bytes.length)).equals(bytes))
  })

  promise('discard() takes what nobody names, and leaves what is named or held', async ({ store }) => {
    const draft = await store.draft(unlimited)
    await draft.append(bytes)
    await draft.commit()
    assert.equal(await store.discard(digest, unnamed), false)
    draft.release()
    assert.equal(await store.discard(digest, async () => true), false)
    assert.ok((await readDraft(draft, 0, bytes.length)).equals(bytes))
    await draft[Symbol.asyncDispose]()
    const holds = [store.hold(digest), store.hold(digest)]
    for (const held of holds) {
      assert.equal(await store.discard(digest, unnamed), false)
      held[Symbol.dispose]()
      held[Symbol.dispose]()
    }
    assert.ok(await store.stat(digest))
    assert.equal(await store.discard(digest, unnamed), true)
    assert.equal(await store.stat(digest), undefined)
    assert.equal(await store.discard(digest, unnamed), true)
  })

  promise('a blob of writeBlob() is held, for its row is still to come', async ({ store }) => {
    await writeBlob(store, [bytes], unlimited)
    assert.equal(await store.discard(digest, unnamed), false)
    assert.ok(await store.stat(digest))
  })

  promise('what is committed while discard() decides is there afterwards', async ({ store }) => {
    const first = await store.draft(unlimited)
    await first.append(bytes)
    await first.commit()
    await first[Symbol.asyncDispose]()
    const second = await store.draft(unlimited)
    await second.append(bytes)
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<boolean>()
    const discarding = store.discard(digest, () => {
      asked.resolve()
      return answer.promise
    })
    await asked.promise
    const committing = second.commit()
    answer.resolve(false)
    assert.equal(await discarding, true)
    await committing
    assert.ok((await readAll(store)).equals(bytes))
    await second[Symbol.asyncDispose]()
  })

  promise('list() gives every blob in order of digest, with size and time', async ({ store }) => {
    const before = Date.now() - 2000
    const expected: Digest[] = []
    for (let each = 0; each < 40; each++)
      expected.push((await writeBlob(store, [Buffer.from(`blob ${each}`)], unlimited)).digest)
    const found = await Array.fromAsync(store.list())
    assert.deepEqual(
      found.map((blob) => blob.digest),
      expected.sort(),
    )
    for (const blob of found) {
      assert.deepEqual(await store.stat(blob.digest), { digest: blob.digest, sizeBytes: blob.sizeBytes })
      assert.ok(blob.writtenMs >= before && blob.writtenMs <= Date.now() + 2000)
    }
  })

  promise(
    'writing a blob again makes it young, so that no collection takes it from under the row to come',
    async ({ store }) => {
      await writeBlob(store, [bytes], unlimited)
      const [first] = await Array.fromAsync(store.list())
      await new Promise((resolve) => setTimeout(resolve, 30))
      await writeBlob(store, [bytes], unlimited)
      const [second] = await Array.fromAsync(store.list())
      assert.ok(second!.writtenMs > first!.writtenMs)
    },
  )

  promise(
    'what a crash left is cleared by the sole writer alone, and blobs stay',
    async ({ store, drafts, reopen }) => {
      await writeBlob(store, [bytes], unlimited)
      const draft = await store.draft(unlimited)
      await draft.append(bytes)
      const reader = await reopen(false)
      if (takesRoom) assert.equal(await drafts(), 1)
      assert.deepEqual(await listed(reader), [digest])
      const writer = await reopen(true)
      assert.equal(await drafts(), 0)
      assert.deepEqual(await listed(writer), [digest])
      // Its bytes were cleared away: whether the end of it says so is not promised.
      await Promise.resolve(draft[Symbol.asyncDispose]()).catch(() => {})
    },
    'survives-reopening',
  )
}

const unnamed = async () => false
