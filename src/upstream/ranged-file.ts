/** A file at an upstream read in parts (RFC 9110 §14): its end first, then what is asked for, and all parts of the same file. */
import { collect, TooLong } from '../lib/streams.ts'
import type { Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import type { UpstreamAnswer } from './request.ts'

/** Why a file cannot be read in parts: a clause. The whole of it may be there all the same. */
export class NotInParts extends Error {
  override readonly name = 'NotInParts'
}

export interface RangedFileOptions {
  readonly limits: Pick<Limits, 'rangedTailBytes' | 'rangedReads' | 'rangedBytes'>
  /** As announced; absent: upstream is asked for so many bytes from the end, and tells the length with them. */
  readonly sizeBytes?: number | undefined
  /** Answers with any status. Throws where there is no answer, or none in time. */
  readonly ask: (headers: Readonly<Record<string, string>>) => Promise<UpstreamAnswer>
  /** For an answer that says that there is no file to be had, in parts or whole. */
  readonly refused: (answer: UpstreamAnswer) => Problem
}

interface Piece {
  readonly start: number
  readonly bytes: Buffer
}

export class RangedFile {
  readonly #options: RangedFileOptions
  readonly #pieces: Piece[] = []
  #size = 0
  /** For `If-Range`: what upstream knows the first part's file by, strong. */
  #validator: string | undefined
  /** All that upstream says of its version, weak tags too. */
  #version: Version = {}
  #reads = 0
  #bytesRead = 0
  #aheadBytes: number

  private constructor(options: RangedFileOptions) {
    this.#options = options
    this.#aheadBytes = options.limits.rangedTailBytes
  }

  /**
   * Reads the file's last bytes. Throws `NotInParts` for an upstream that does not give them, or gives others than it was
   * asked for, and `upstream-failed`.
   */
  static async open(options: RangedFileOptions): Promise<RangedFile> {
    const file = new RangedFile(options)
    const { sizeBytes, limits } = options
    const length = limits.rangedTailBytes
    if (sizeBytes === 0) throw new NotInParts('it is empty')
    if (sizeBytes === undefined) await file.#fetchEnd(length)
    else {
      file.#size = sizeBytes
      await file.#load(Math.max(0, sizeBytes - length), sizeBytes)
    }
    return file
  }

  /** Of the whole, in bytes. */
  get size(): number {
    return this.#size
  }

  /** What was read first. */
  get tail(): Piece {
    return this.#pieces[0]!
  }

  /** Bytes `start` to `end` (exclusive), from what is here and else from upstream. Throws as `open` does. */
  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    if (start < 0 || end > this.#size) throw new RangeError(`Cannot read bytes ${start} to ${end} of ${this.#size}`)
    for (let at = start; at < end; ) {
      const piece = this.#pieces.find((each) => each.start <= at && at < each.start + each.bytes.length)
      if (piece === undefined) {
        // What follows is mostly wanted next; the further reading goes on, the more of it.
        await this.#load(at, Math.max(end, at + this.#aheadBytes))
        this.#aheadBytes *= 2
        continue
      }
      const part = piece.bytes.subarray(at - piece.start, end - piece.start)
      at += part.length
      yield part
    }
  }

  /** Of a file whose length is not known. Storage that knows no "last so many bytes" tells the length with its first one. */
  async #fetchEnd(length: number): Promise<void> {
    try {
      await this.#fetch(`-${length}`, (size) => Math.max(0, size - length))
    } catch (error) {
      if (!(error instanceof NotInParts)) throw error
      await this.#fetch('0-0', () => 0, 1)
      this.#pieces.pop()
      await this.#load(Math.max(0, this.#size - length), this.#size)
    }
  }

  /** Bytes from `start` on, up to `end` or to where others are here already. */
  async #load(start: number, end: number): Promise<void> {
    const known = this.#pieces.filter((each) => each.start > start).map((each) => each.start)
    const last = Math.min(end, this.#size, ...known)
    await this.#fetch(`${start}-${last - 1}`, () => start, last)
  }

  async #fetch(range: string, startOf: (size: number) => number, end?: number): Promise<void> {
    const { ask, refused, limits } = this.#options
    this.#reads++
    if (this.#reads > limits.rangedReads) throw new NotInParts(`it takes more than ${limits.rangedReads} reads`)
    const answer = await ask({
      'accept-encoding': 'identity',
      range: `bytes=${range}`,
      ...(this.#validator !== undefined && { 'if-range': this.#validator }),
    })
    const { status } = answer
    if (status !== 206) {
      await answer.dump()
      // 200: no ranges, or another file than before. 416, 501 and the like: not these ranges. Else nothing is to be had.
      if (status === 200 || status === 416 || status === 400 || status === 405 || status === 501) {
        throw new NotInParts(`upstream answers ${status} when it is asked for a part`)
      }
      throw refused(answer)
    }
    const said = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(answer.header('content-range') ?? '')
    const size = said?.[3] === undefined || said[3] === '*' ? this.#size : Number(said[3])
    const start = startOf(size)
    const wanted = (end ?? size) - start
    const fault = this.#faultOf(answer, { said, size, start, wanted })
    if (fault !== undefined) {
      await answer.dump()
      throw new NotInParts(fault)
    }
    this.#bytesRead += wanted
    if (this.#bytesRead > limits.rangedBytes) {
      await answer.dump()
      throw new NotInParts(`it takes more than ${limits.rangedBytes} bytes of it`)
    }
    const bytes = await exactly(answer, wanted)
    const { tag, date } = versionOf(answer)
    this.#size = size
    this.#version = { ...this.#version, ...versionOf(answer) }
    this.#validator ??= tag !== undefined && !tag.startsWith('W/') ? tag : date
    this.#pieces.push({ start, bytes })
  }

  #faultOf(
    answer: UpstreamAnswer,
    { said, size, start, wanted }: { said: RegExpExecArray | null; size: number; start: number; wanted: number },
  ): string | undefined {
    const encoding = answer.header('content-encoding') ?? 'identity'
    if (said === null) return 'upstream does not say which part it sends'
    if (encoding !== 'identity') return `upstream sends the part in the encoding "${encoding}"`
    if (size === 0 || (this.#size !== 0 && size !== this.#size)) {
      return `it has ${size} bytes, and ${this.#size} were announced`
    }
    if (Number(said[1]) !== start || Number(said[2]) !== start + wanted - 1) {
      return 'upstream sends another part than it was asked for'
    }
    const now = versionOf(answer)
    const isOther =
      (now.tag !== undefined && this.#version.tag !== undefined && now.tag !== this.#version.tag) ||
      (now.date !== undefined && this.#version.date !== undefined && now.date !== this.#version.date)
    return isOther ? 'upstream has another file there than a moment ago' : undefined
  }
}

interface Version {
  readonly tag?: string
  readonly date?: string
}

function versionOf(answer: UpstreamAnswer): Version {
  const tag = answer.header('etag')
  const date = answer.header('last-modified')
  return { ...(tag !== undefined && { tag }), ...(date !== undefined && { date }) }
}

async function exactly(answer: UpstreamAnswer, length: number): Promise<Buffer> {
  try {
    const bytes = await collect(answer.body, length)
    if (bytes.length === length) return bytes
  } catch (error) {
    if (!(error instanceof TooLong)) throw error
  }
  throw new NotInParts('upstream sends a part of another length than it says')
}
