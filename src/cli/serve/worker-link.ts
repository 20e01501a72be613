/** Messages between two threads: notifications, and requests whose answers have a time limit. */
import { reasonOf } from '../../lib/reason.ts'
import { Problem, type ProblemCode } from '../../model/errors.ts'

/** A `Worker`, or the port of one to who started it. */
export interface LinkPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (message: Message) => void): unknown
}

/** By the word: what is done when that is told, or what is answered when that is asked. */
export type Replies = Readonly<Record<string, (value: never) => unknown>>

type Message =
  | { readonly kind: 'tell'; readonly word: string; readonly value: unknown }
  | { readonly kind: 'ask'; readonly id: number; readonly word: string; readonly value: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure }

/** An error on its way: a `Problem` arrives as one. */
export interface Failure {
  readonly message: string
  readonly code?: ProblemCode
  readonly hint?: string
  readonly retrySeconds?: number
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

export interface LinkOptions {
  /** Who is at the other end, for messages: `worker 1`. */
  readonly other: string
  readonly replies: Replies
  readonly questionsMost: number
  /** Told of what went wrong with something told: nobody waits for that. */
  readonly onTrouble: (error: unknown) => void
}

export class WorkerLink {
  readonly #port: LinkPort
  readonly #options: LinkOptions
  readonly #waiting = new Map<number, Waiting>()
  #last = 0
  #isClosed = false

  constructor(port: LinkPort, options: LinkOptions) {
    this.#port = port
    this.#options = options
    port.on('message', (message) => void this.#receive(message))
  }

  tell(word: string, value?: unknown): void {
    if (!this.#isClosed) this.#port.postMessage({ kind: 'tell', word, value })
  }

  /** Throws `busy` when no answer comes within `mostMs`, and what the other end has thrown. */
  async ask(word: string, value: unknown, mostMs: number): Promise<unknown> {
    const { other, questionsMost } = this.#options
    if (this.#isClosed) throw silent(other, 'it is not there')
    if (this.#waiting.size >= questionsMost) throw silent(other, 'too many other questions wait for it')
    const id = ++this.#last
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const timer = setTimeout(() => reject(silent(other, `it has not answered within ${mostMs} ms`)), mostMs)
    this.#waiting.set(id, { resolve, reject, timer })
    this.#port.postMessage({ kind: 'ask', id, word, value })
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(id)
    }
  }

  /** The other end is gone: who waits for it need not wait longer. */
  close(): void {
    this.#isClosed = true
    for (const { reject } of this.#waiting.values()) reject(silent(this.#options.other, 'it has ended'))
  }

  async #receive(message: Message): Promise<void> {
    if (message.kind === 'answer') return this.#waiting.get(message.id)?.resolve(message.value)
    if (message.kind === 'failure') return this.#waiting.get(message.id)?.reject(failed(message.failure))
    const reply = this.#options.replies[message.word] as ((value: unknown) => unknown) | undefined
    try {
      const value = await reply?.(message.value)
      if (message.kind === 'ask' && !this.#isClosed) this.#port.postMessage({ kind: 'answer', id: message.id, value })
    } catch (error) {
      if (message.kind === 'tell') return this.#options.onTrouble(error)
      if (!this.#isClosed) this.#port.postMessage({ kind: 'failure', id: message.id, failure: failure(error) })
    }
  }
}

/** What of an error reaches another thread. */
export function failure(error: unknown): Failure {
  if (!(error instanceof Problem)) return { message: reasonOf(error) }
  const { message, code, hint, retrySeconds } = error
  return { message, code, ...(hint !== undefined && { hint }), ...(retrySeconds !== undefined && { retrySeconds }) }
}

export function failed({ message, code, ...more }: Failure): Error {
  return code === undefined ? new Error(message) : new Problem(code, message, more)
}

function silent(other: string, why: string): Problem {
  return new Problem('busy', `Cannot ask ${other} of this server: ${why}`, { retrySeconds: 5 })
}
