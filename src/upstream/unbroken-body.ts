/**
 * A resumable download: a file's bytes from upstream, in order and each once, however often the connection breaks. The
 * missing part is requested by Range. An upstream that begins anew is read from its start and held against what came
 * before, byte by byte, so that two contents are never mixed.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Limits } from '../model/limits.ts'
import type { Body, ResumePoint } from './upstream.ts'

export type ResumeBounds = Pick<Limits, 'resumes' | 'resumesInAll' | 'resumeProgressBytes' | 'resumePauseMs'>

export interface UnbrokenOptions {
  readonly open: (from: ResumePoint) => Promise<Body>
  /** What was taken from here before, `end` exclusive. */
  readonly earlier: (start: number, end: number) => AsyncIterable<Uint8Array>
  /** Of the whole, where known. */
  readonly sizeBytes: number | undefined
  /** Whoever takes the bytes checks their hash in the end; without it a part is joined only where a validator vouches for it. */
  readonly isHashed: boolean
  readonly bounds: ResumeBounds
}

/** Upstream has another file there now. Nothing can be made of what came before. */
export class OtherContent extends Error {
  override readonly name = 'OtherContent'
}

/**
 * Throws the last failure when the bounds are used up, and `OtherContent`. An end before `sizeBytes` is a failure like a
 * cut; after the last attempt it is the end.
 */
export async function* unbroken(first: Body, options: UnbrokenOptions): AsyncGenerator<Uint8Array> {
  const { bounds, sizeBytes } = options
  let at = 0
  let mark = 0
  let inRow = 0
  for (let inAll = 0; ; inAll++) {
    let failure: unknown
    try {
      const bytes = inAll === 0 ? first.bytes : await goOn(first, at, options)
      for await (const chunk of bytes) {
        at += chunk.length
        yield chunk
      }
      if (sizeBytes === undefined || at >= sizeBytes) return
    } catch (error) {
      if (error instanceof OtherContent) throw error
      failure = error
    }
    inRow = at - mark >= bounds.resumeProgressBytes ? 1 : inRow + 1
    mark = at
    if (inRow > bounds.resumes || inAll >= bounds.resumesInAll) {
      if (failure === undefined) return
      throw failure
    }
    await delay(bounds.resumePauseMs * 2 ** (inRow - 1))
  }
}

/** The bytes from `at` on. */
async function goOn(first: Body, at: number, options: UnbrokenOptions): Promise<AsyncIterable<Uint8Array>> {
  const { validator } = first
  const mayJoin = at > 0 && (validator !== undefined || options.isHashed)
  if (mayJoin) {
    const part = await options.open({ start: at, ...(validator !== undefined && { validator }) })
    if (!isPart(part)) return unrepeated(part, first, at, options)
    if (isSame(part, first)) return part.bytes
    await letGo(part)
  }
  return unrepeated(await options.open({ start: 0 }), first, at, options)
}

/** What follows the first `at` bytes, which must be the ones that came before. */
async function* unrepeated(whole: Body, first: Body, at: number, options: UnbrokenOptions): AsyncGenerator<Uint8Array> {
  if (differ(whole.sizeBytes, first.sizeBytes)) {
    await letGo(whole)
    throw new OtherContent(`it has ${whole.sizeBytes} bytes now, and had ${first.sizeBytes} before`)
  }
  let position = 0
  for await (const chunk of whole.bytes) {
    const known = Math.min(chunk.length, Math.max(0, at - position))
    let place = 0
    for await (const piece of options.earlier(position, position + known)) {
      if (Buffer.compare(piece, chunk.subarray(place, place + piece.length)) !== 0) {
        throw new OtherContent(`it begins with other bytes than before the connection broke, within the first ${at}`)
      }
      place += piece.length
    }
    position += chunk.length
    if (known < chunk.length) yield chunk.subarray(known)
  }
}

function isPart(body: Body): boolean {
  return (body.start ?? 0) > 0
}

function isSame(part: Body, first: Body): boolean {
  return !differ(part.sizeBytes, first.sizeBytes) && !differ(part.validator, first.validator)
}

/** What one of them does not tell is no difference. */
function differ<T>(now: T | undefined, before: T | undefined): boolean {
  return now !== undefined && before !== undefined && now !== before
}

/** Lets go of a body that nobody wants, so that its connection is not held. What goes wrong with it does not matter any more. */
export async function letGo(body: Body): Promise<void> {
  const bytes = body.bytes[Symbol.asyncIterator]()
  try {
    // A generator that was never started has nothing to end.
    await bytes.next()
    await bytes.return?.()
  } catch {
    // It ended by itself.
  }
}
