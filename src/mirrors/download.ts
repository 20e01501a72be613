/**
 * A download in progress: one file from upstream, stored and checked once, and read by every request for it (request
 * coalescing).
 *
 * Readers follow the draft as it grows. The last byte is let go only after length and every announced hash were found
 * right, be it sha256, md5 or another; where upstream announces none, the length it says alone is held against what came.
 * When they are wrong, or upstream fails, every reader's stream throws, so no client can take what it got for the file.
 */
import { type BlobInfo, type BlobStore, BlobTooLarge, type Draft } from '../blob/blob-store.ts'
import { letGo, OtherContent, type ResumeBounds, unbroken } from '../upstream/unbroken-body.ts'
import type { Body, ResumePoint } from '../upstream/upstream.ts'
import { AnnouncedContent, type Announcement } from './announced-content.ts'
import { SharedDraft } from './shared-draft.ts'

export interface DownloadPlan extends Announcement {
  readonly limitBytes: number
  /** The file from its start, or from a later place on. */
  readonly open: (from?: ResumePoint) => Promise<Body>
  /** How often what breaks off is asked for again; absent: never. */
  readonly resume?: ResumeBounds
  /** A download that its last reader left goes on so long; absent: to its end. */
  readonly unreadMs?: number
  /** Records the file in the catalog; runs before the last byte is let go. */
  readonly keep: (blob: BlobInfo) => Promise<void>
  /** Runs after that, still before the last byte is let go. Must not throw: the file is kept. */
  readonly afterwards?: () => Promise<void>
}

export class Download {
  /** Settles when upstream's answer began: its size, where known. Rejects when there was none. */
  readonly head: Promise<{ readonly sizeBytes?: number }>
  /** Settles when the file is kept, or rejects with what prevented it. */
  readonly done: Promise<BlobInfo>
  readonly #blobs: BlobStore
  readonly #plan: DownloadPlan
  readonly #announced: AnnouncedContent
  #draft: Draft | undefined
  #shared: SharedDraft | undefined
  #readers = 0
  /** The draft is gone: nobody was reading any more when the download ended. */
  #isReleased = false
  #state: 'running' | 'kept' | 'failed' = 'running'
  #failure: unknown
  #progress = Promise.withResolvers<void>()
  #isWanted = false
  #isGivenUp = false
  #unread: NodeJS.Timeout | undefined
  #totalBytes: number | undefined

  constructor(blobs: BlobStore, plan: DownloadPlan) {
    this.#blobs = blobs
    this.#plan = plan
    this.#announced = new AnnouncedContent(plan)
    const head = Promise.withResolvers<{ readonly sizeBytes?: number }>()
    this.head = head.promise
    this.done = this.#run(head)
    // Every reader is told by its own stream; a download nobody waits for any more must not end the process.
    this.head.catch(() => {})
    this.done.catch(() => {})
  }

  /** It has no readers and will fail: a new request needs a new download. */
  get isGivenUp(): boolean {
    return this.#isGivenUp
  }

  /** So much of it is here. */
  get receivedBytes(): number {
    return this.#draft?.sizeBytes ?? 0
  }

  /** As `done`, and the download goes to its end for it, be there readers or not. */
  async complete(): Promise<BlobInfo> {
    this.#isWanted = true
    return await this.done
  }

  /** The bytes from `start` to `end` (exclusive; absent: to the end of the file), as they arrive. */
  async *read(start = 0, end = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    await this.head
    this.#readers++
    clearTimeout(this.#unread)
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
          const piece = await this.#shared!.piece(position, visible)
          position += piece.length
          yield piece
        } else if (this.#state === 'kept') return
        else await arrived
      }
    } finally {
      this.#readers--
      if (this.#readers === 0) this.#expectReaders()
      await this.#release()
    }
  }

  async #run(head: PromiseWithResolvers<{ readonly sizeBytes?: number }>): Promise<BlobInfo> {
    try {
      const body = await this.#plan.open()
      await this.#checkAnswer(body)
      const limitBytes = this.#plan.sizeBytes ?? this.#plan.limitBytes
      const draft = await this.#blobs.draft({ limitBytes })
      this.#draft = draft
      const shared = new SharedDraft(draft)
      this.#shared = shared
      const total = body.sizeBytes ?? this.#plan.sizeBytes
      this.#totalBytes = total
      head.resolve(total === undefined ? {} : { sizeBytes: total })
      for await (const chunk of this.#whole(body, draft)) {
        if (this.#isGivenUp) throw new Error(`Cannot go on with "${this.#plan.filename}": nobody reads it any more`)
        // Before it is written: readers who know the announced size must never see its last byte of a longer file.
        this.#announced.checkLength(draft.sizeBytes + chunk.length)
        this.#announced.update(chunk)
        await shared.append(chunk)
        this.#tell()
      }
      this.#announced.checkSize(draft.sizeBytes)
      this.#announced.checkHashes(draft.digest())
      const blob = await draft.commit()
      await this.#plan.keep(blob)
      draft.release()
      await this.#plan.afterwards?.()
      this.#state = 'kept'
      return blob
    } catch (error) {
      this.#state = 'failed'
      if (error instanceof BlobTooLarge)
        this.#failure = this.#announced.wrong(`it has more than ${error.limitBytes} bytes`)
      else this.#failure = error instanceof OtherContent ? this.#announced.wrong(error.message) : error
      head.reject(this.#failure)
      throw this.#failure
    } finally {
      clearTimeout(this.#unread)
      this.#tell()
      await this.#release()
    }
  }

  async #checkAnswer(body: Body): Promise<void> {
    try {
      this.#announced.checkSize(body.sizeBytes)
    } catch (error) {
      await letGo(body)
      throw error
    }
  }

  #whole(body: Body, draft: Draft): AsyncIterable<Uint8Array> {
    const { open, resume } = this.#plan
    if (resume === undefined) return body.bytes
    return unbroken(body, {
      open,
      earlier: (start, end) => draft.read({ start, end }),
      sizeBytes: this.#totalBytes,
      isHashed: this.#announced.isHashed,
      bounds: resume,
    })
  }

  /** What nobody reads is fetched to the end only where most of it is here: clients that come back soon join it. */
  #expectReaders(): void {
    const { unreadMs } = this.#plan
    if (unreadMs === undefined || this.#isWanted || this.#state !== 'running') return
    this.#unread = setTimeout(() => {
      const isMostHere = this.#totalBytes !== undefined && this.receivedBytes * 2 > this.#totalBytes
      this.#isGivenUp = this.#state === 'running' && !this.#isWanted && !isMostHere
    }, unreadMs).unref()
  }

  #tell(): void {
    const told = this.#progress
    this.#progress = Promise.withResolvers<void>()
    told.resolve()
  }

  async #release(): Promise<void> {
    if (this.#readers > 0 || this.#state === 'running' || this.#isReleased) return
    this.#isReleased = true
    this.#shared = undefined
    await this.#draft?.[Symbol.asyncDispose]()
  }
}
