/**
 * One file on its way from upstream: stored and checked once, read by everyone who asks for it meanwhile.
 *
 * Readers follow the draft as it grows. The last byte is let go only after length and hash were found right; when they
 * are wrong, or upstream fails, every reader's stream throws, so no client can take what it got for the file.
 */
import { createHash, type Hash } from 'node:crypto'
import { type BlobInfo, type BlobStore, BlobTooLarge, type Draft } from '../blob/blob-store.ts'
import { Problem } from '../model/errors.ts'
import type { Body } from './upstream.ts'

export interface DownloadPlan {
  readonly filename: string
  /** hashlib names to hex digests, as upstream announced them; may be empty. */
  readonly hashes: Readonly<Record<string, string>>
  /** As announced on the page. */
  readonly sizeBytes?: number
  readonly limitBytes: number
  readonly open: () => Promise<Body>
  /** Records the file in the catalog; runs before the last byte is let go. */
  readonly keep: (blob: BlobInfo) => Promise<void>
}

export class Download {
  /** Settles when upstream's answer began: its size, where known. Rejects when there was none. */
  readonly head: Promise<{ readonly sizeBytes?: number }>
  /** Settles when the file is kept, or rejects with what prevented it. */
  readonly done: Promise<BlobInfo>
  readonly #blobs: BlobStore
  readonly #plan: DownloadPlan
  #draft: Draft | undefined
  #readers = 0
  /** The draft is gone: nobody was reading any more when the download ended. */
  #isReleased = false
  #state: 'running' | 'kept' | 'failed' = 'running'
  #failure: unknown
  #progress = Promise.withResolvers<void>()

  constructor(blobs: BlobStore, plan: DownloadPlan) {
    this.#blobs = blobs
    this.#plan = plan
    const head = Promise.withResolvers<{ readonly sizeBytes?: number }>()
    this.head = head.promise
    this.done = this.#run(head)
    // Every reader is told by its own stream; a download nobody waits for any more must not end the process.
    this.head.catch(() => {})
    this.done.catch(() => {})
  }

  /** The bytes from `start` to `end` (exclusive; absent: to the end of the file), as they arrive. */
  async *read(start = 0, end = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    await this.head
    this.#readers++
    try {
      let position = start
      while (position < end) {
        const arrived = this.#progress.promise
        if (this.#state === 'failed') throw this.#failure
        if (this.#isReleased) {
          const { digest, sizeBytes } = await this.done
          if (position < sizeBytes)
            yield* await this.#blobs.open(digest, { start: position, end: Math.min(end, sizeBytes) })
          return
        }
        const draft = this.#draft!
        // Also the last byte of a part is held back: a part that ends well is taken for a part of the right file.
        const visible = this.#state === 'kept' ? Math.min(end, draft.sizeBytes) : Math.min(end, draft.sizeBytes) - 1
        if (position < visible) {
          for await (const chunk of draft.read({ start: position, end: visible })) {
            position += chunk.length
            yield chunk
          }
        } else if (this.#state === 'kept') return
        else await arrived
      }
    } finally {
      this.#readers--
      await this.#release()
    }
  }

  async #run(head: PromiseWithResolvers<{ readonly sizeBytes?: number }>): Promise<BlobInfo> {
    try {
      const { bytes, sizeBytes } = await this.#plan.open()
      this.#checkSize(sizeBytes)
      const limitBytes = this.#plan.sizeBytes ?? this.#plan.limitBytes
      const draft = await this.#blobs.draft({ limitBytes })
      this.#draft = draft
      const total = sizeBytes ?? this.#plan.sizeBytes
      head.resolve(total === undefined ? {} : { sizeBytes: total })
      const hashes = hashesFor(this.#plan.hashes)
      for await (const chunk of bytes) {
        // Before it is written: readers who know the announced size must never see its last byte of a longer file.
        this.#checkLength(draft.sizeBytes + chunk.length)
        for (const { hash } of hashes) hash.update(chunk)
        await draft.append(chunk)
        this.#tell()
      }
      this.#checkSize(draft.sizeBytes)
      this.#checkHashes(draft, hashes)
      const blob = await draft.commit()
      await this.#plan.keep(blob)
      this.#state = 'kept'
      return blob
    } catch (error) {
      this.#state = 'failed'
      this.#failure = error instanceof BlobTooLarge ? this.#wrong(`it has more than ${error.limitBytes} bytes`) : error
      head.reject(this.#failure)
      throw this.#failure
    } finally {
      this.#tell()
      await this.#release()
    }
  }

  #tell(): void {
    const told = this.#progress
    this.#progress = Promise.withResolvers<void>()
    told.resolve()
  }

  async #release(): Promise<void> {
    if (this.#readers > 0 || this.#state === 'running' || this.#isReleased) return
    this.#isReleased = true
    await this.#draft?.[Symbol.asyncDispose]()
  }

  #checkSize(found: number | undefined): void {
    const expected = this.#plan.sizeBytes
    if (expected !== undefined && found !== undefined && found !== expected) {
      throw this.#wrong(`it has ${found} bytes, its page says ${expected}`)
    }
  }

  #checkLength(soFar: number): void {
    const expected = this.#plan.sizeBytes
    if (expected !== undefined && soFar > expected) {
      throw this.#wrong(`it has more than the ${expected} bytes that its page says`)
    }
  }

  #checkHashes(draft: Draft, hashes: readonly { name: string; hash: Hash }[]): void {
    const found = new Map<string, string>([['sha256', draft.digest()]])
    for (const { name, hash } of hashes) found.set(name, hash.digest('hex'))
    for (const [name, expected] of Object.entries(this.#plan.hashes)) {
      const digest = found.get(name)
      if (digest !== undefined && digest !== expected.toLowerCase()) {
        throw this.#wrong(`its ${name} is ${digest}, its page says ${expected}`)
      }
    }
  }

  #wrong(what: string): Problem {
    return new Problem(
      'upstream-failed',
      `Cannot deliver "${this.#plan.filename}": upstream sent other content: ${what}`,
      {
        hint: 'nothing was kept; ask again later, or ask who runs the upstream',
      },
    )
  }
}

/** Besides sha256, which the draft computes itself; names that this machine's crypto lacks cannot be checked. */
function hashesFor(announced: Readonly<Record<string, string>>): { name: string; hash: Hash }[] {
  const checkable = ['sha512', 'sha384', 'sha224', 'sha1', 'md5']
  return checkable.filter((name) => name in announced).map((name) => ({ name, hash: createHash(name) }))
}
