/**
 * The response cache (the shelf). The app stores each answer here, and the front door sends it to equal requests until
 * something that the answer depends on changes. Validity goes by serial: every commit, of any worker, is examined before
 * the next cached answer is sent. Answers that depend on an upstream also expire by time.
 */
import type { Catalog } from '../../catalog/catalog.ts'
import type { Commit } from '../../catalog/journal.ts'
import type { Limits } from '../../model/limits.ts'
import type { Change, Serial } from '../../model/records.ts'
import type { ProjectName } from '../../pep/name.ts'
import { readPlainRequest } from './plain-request.ts'
import { type AnswerParts, type Basis, ReadyAnswer } from './ready-answer.ts'

export interface ShelfOptions {
  readonly catalog: Pick<Catalog, 'serialWithin'>
  /** The commits after `serial`, oldest first, at most `most`. */
  readonly changesSince: (serial: Serial, most: number) => Promise<readonly Commit[]>
  readonly limits: Pick<Limits, 'shelfBytes' | 'shelfAnswerBytes' | 'shelfHeadCharacters' | 'serialAgeMs'>
  readonly nowMs: () => number
  /** Another number when what mirrors answer has changed in another worker; absent where there is none. */
  readonly mirrorNews?: () => bigint
  readonly onTrouble: (error: unknown) => void
}

/** Where things stood when a request began: what is made of older things must not be put here. */
export interface Beginning {
  /** `undefined` where it was not known. */
  readonly serial: Serial | undefined
  readonly epoch: number
}

/** Commits looked at one by one; after more, everything goes. */
const COMMITS_MOST = 1000
/** Before the first commit. */
const NONE = 0 as Serial

export class Shelf {
  readonly #options: ShelfOptions
  /** By key, the one that was asked for longest ago first; and what they take. */
  readonly #answers = new Map<string, ReadyAnswer>()
  #sizeBytes = 0
  /** By the very bytes of a request, as text: what plain requests were found to ask for. */
  readonly #heads = new Map<string, ReadyAnswer>()
  #headCharacters = 0
  /** Keys; those of answers that any project changes have none. */
  readonly #byProject = new Map<ProjectName | undefined, Set<string>>()
  /** Changes up to this one have been looked at. */
  #seen: Serial
  #catchingUp: Promise<void> | undefined
  /** Counts what made answers go. */
  #epoch = 0
  #seenNews = 0n
  /** The second that it is, and with it the date; `#edition` counts seconds and serials. */
  #untilMs = 0
  #date = ''
  #edition = 0
  #editionSerial = -1
  nowMs = 0

  constructor(options: ShelfOptions) {
    this.#options = options
    this.#seen = options.catalog.serialWithin(options.limits.serialAgeMs) ?? NONE
    this.#seenNews = options.mirrorNews?.() ?? 0n
  }

  /**
   * The answer to a request: `head` is all that came, as latin1 text; `peer` is put before it where answers depend on who
   * connects. `undefined`: none stands ready.
   */
  find(head: string, peer: string): ReadyAnswer | undefined {
    const serial = this.#serial()
    this.nowMs = this.#options.nowMs()
    if (serial === undefined || serial !== this.#seen) {
      void this.#catchUp()
      return undefined
    }
    this.#hearOthers()
    if (this.nowMs >= this.#untilMs || serial !== this.#editionSerial) this.#turnPage(serial)
    const text = peer === '' ? head : peer + head
    const known = this.#heads.get(text)
    const answer = known === undefined || known.isGone ? this.#understand(text, head, peer) : known
    if (answer === undefined) return undefined
    if (this.nowMs >= answer.untilMs) return undefined
    answer.wasUsed = true
    return answer
  }

  /** The answer of that key, for the app to send once more. */
  async held(key: string): Promise<ReadyAnswer | undefined> {
    if (this.#serial() !== this.#seen) await this.#catchUp()
    if (this.#serial() !== this.#seen) return undefined
    const answer = this.#answers.get(key)
    return answer === undefined || this.#options.nowMs() >= answer.untilMs ? undefined : answer
  }

  /** Another number when `bytes` may be other ones. */
  get edition(): number {
    return this.#edition
  }

  /** What to send for an answer that `find` has just given. */
  bytes(answer: ReadyAnswer): Buffer {
    return answer.bytes(this.#edition, this.#date, this.#seen)
  }

  begin(): Beginning {
    this.#hearOthers()
    return { serial: this.#serial(), epoch: this.#epoch }
  }

  /** Keeps an answer that was made since `begun`, unless something has happened since. Returns whether it stands here now. */
  put(key: string, parts: AnswerParts, basis: Basis, begun: Beginning): boolean {
    const { limits } = this.#options
    this.#hearOthers()
    const serial = this.#serial()
    if (serial === undefined || begun.serial !== serial || begun.epoch !== this.#epoch) return false
    const answer = new ReadyAnswer(parts, basis)
    if (answer.sizeBytes > limits.shelfAnswerBytes) return false
    this.#take(key)
    this.#answers.set(key, answer)
    this.#sizeBytes += answer.sizeBytes
    const known = this.#byProject.get(basis.project)
    if (known === undefined) this.#byProject.set(basis.project, new Set([key]))
    else known.add(key)
    this.#makeRoom()
    return true
  }

  /** An upstream's part in answers is another, of which no commit tells; without a project, in any of them. */
  forgetMirrored(project?: ProjectName): void {
    this.#epoch++
    const keys = project === undefined ? this.#answers.keys() : (this.#byProject.get(project) ?? [])
    for (const key of [...keys]) if (this.#answers.get(key)!.basis.untilMs !== undefined) this.#take(key)
  }

  /** How many answers stand here, their bytes, how many heads are known, and the last commit that was looked at. */
  get figures(): { readonly answers: number; readonly bytes: number; readonly heads: number; readonly seen: Serial } {
    return { answers: this.#answers.size, bytes: this.#sizeBytes, heads: this.#heads.size, seen: this.#seen }
  }

  #understand(text: string, head: string, peer: string): ReadyAnswer | undefined {
    const request = readPlainRequest(head)
    const answer = request && this.#answers.get(`${peer}${request.key}`)
    if (answer === undefined) return undefined
    this.#headCharacters += text.length
    if (this.#headCharacters > this.#options.limits.shelfHeadCharacters) {
      this.#heads.clear()
      this.#headCharacters = text.length
    }
    this.#heads.set(text, answer)
    return answer
  }

  #take(key: string): void {
    const answer = this.#answers.get(key)
    if (answer === undefined) return
    answer.retire()
    this.#answers.delete(key)
    this.#sizeBytes -= answer.sizeBytes
    const siblings = this.#byProject.get(answer.basis.project)
    siblings?.delete(key)
    if (siblings?.size === 0) this.#byProject.delete(answer.basis.project)
  }

  /** Second chance: what was used since it was last looked at goes to the end of the row once. */
  #makeRoom(): void {
    for (const [key, answer] of this.#answers) {
      if (this.#sizeBytes <= this.#options.limits.shelfBytes) return
      if (answer.wasUsed) {
        answer.wasUsed = false
        this.#answers.delete(key)
        this.#answers.set(key, answer)
      } else this.#take(key)
    }
  }

  #hearOthers(): void {
    const { mirrorNews } = this.#options
    if (mirrorNews === undefined) return
    const news = mirrorNews()
    if (news === this.#seenNews) return
    this.#seenNews = news
    this.forgetMirrored()
  }

  /** Which answers are to be judged by; `undefined` where it is not known here: then none stands ready. */
  #serial(): Serial | undefined {
    return this.#options.catalog.serialWithin(this.#options.limits.serialAgeMs)
  }

  #turnPage(serial: Serial): void {
    const second = Math.floor(this.nowMs / 1000)
    this.#untilMs = (second + 1) * 1000
    this.#date = new Date(second * 1000).toUTCString()
    this.#editionSerial = serial
    this.#edition++
  }

  #catchUp(): Promise<void> {
    this.#catchingUp ??= this.#readJournal().finally(() => {
      this.#catchingUp = undefined
    })
    return this.#catchingUp
  }

  async #readJournal(): Promise<void> {
    try {
      const commits = await this.#options.changesSince(this.#seen, COMMITS_MOST)
      if (commits.length >= COMMITS_MOST) for (const key of [...this.#answers.keys()]) this.#take(key)
      for (const { changes } of commits) for (const change of changes) this.#notice(change)
      const last = commits.at(-1)
      if (last !== undefined) this.#seen = last.serial
    } catch (error) {
      // Nothing is taken from here until it succeeds: the serials differ.
      this.#options.onTrouble(error)
    }
  }

  #notice(change: Change): void {
    switch (change.what) {
      case 'file':
      case 'release':
      case 'project':
      case 'upstream':
      case 'attachment':
        for (const project of [change.project, undefined]) {
          for (const key of [...(this.#byProject.get(project) ?? [])]) this.#take(key)
        }
        break
      case 'token':
      case 'publisher':
        break
      default:
        // Who may read which index, and which bases it has, concerns every answer.
        for (const key of [...this.#answers.keys()]) this.#take(key)
    }
  }
}
