/** The requests that fill a mirror: pages and files, a few at a time, with a retry if the server suggests one. */
import { createHash, getHashes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { ChosenFile } from '../../locks/choose-files.ts'
import type { ProjectName } from '../../pep/name.ts'
import { type DistributionFile, JSON_TYPE, type ProjectDetail } from '../../pep/simple.ts'
import { detailFromJson } from '../../pep/simple-json.ts'
import { asDirectory, below } from '../client-url.ts'
import { type Ask, Unreachable } from '../connection.ts'
import { type Reply, statusLine } from '../reply.ts'
import type { Session } from '../session.ts'

/** What could not be had, and why; one file's or page's trouble, not the command's. */
export class NotHad extends Error {
  override readonly name = 'NotHad'
}

/** Whether the bytes were there already; a server that does not tell has fetched them. */
export type Held = 'fetched' | 'present'

const ATTEMPTS = 4
/** Before the server's own word for it. */
const FIRST_WAIT_MS = 1000
const WAIT_MOST_MS = 30_000
/** Where nothing went well for so long, nothing is waited for any more. */
const PATIENCE_MS = 120_000

export class WarmRequests {
  readonly #session: Session
  readonly #index: URL
  #lastGoodMs = performance.now()

  constructor(session: Session) {
    this.#session = session
    this.#index = asDirectory(below(session.indexUrl(), '+simple'))
  }

  /** A project's page; `isAnew`: as upstream has it now. Throws `NotHad`, as all of these, and what the signal to stop gives. */
  async page(project: ProjectName, isAnew = false): Promise<ProjectDetail> {
    const place = asDirectory(below(this.#index, project))
    const reply = await this.#patiently({
      method: isAnew ? 'POST' : 'GET',
      // The answer to a refresh leads back to the page.
      url: isAnew ? below(place, 'refresh') : place,
      headers: { accept: JSON_TYPE },
    })
    try {
      return detailFromJson(reply.text, reply.url)
    } catch (error) {
      throw new NotHad(`the page of ${project} cannot be read: ${(error as Error).message}`)
    }
  }

  /** Has the server fetch and keep the file, reading its bytes to the end. Throws `NotHad`. */
  async file({ file, unchecked }: ChosenFile, onBytes: (count: number) => void): Promise<Held> {
    const url = new URL(file.url)
    const strange = unchecked.find(({ algorithm }) => !getHashes().includes(algorithm))
    if (strange !== undefined)
      throw new NotHad(`its content cannot be held against a hash of the kind "${strange.algorithm}"`)
    if (unchecked.length === 0 && isHere(await this.#patiently({ method: 'HEAD', url }))) {
      onBytes(file.size ?? 0)
      return 'present'
    }
    let isRight = true
    const reply = await this.#patiently({ method: 'GET', url }, async (body) => {
      const sums = unchecked.map((hash) => ({ ...hash, sum: createHash(hash.algorithm) }))
      let seen = 0
      try {
        for await (const chunk of body) {
          seen += chunk.length
          onBytes(chunk.length)
          for (const { sum } of sums) sum.update(chunk)
        }
      } catch (error) {
        onBytes(-seen)
        throw error
      }
      isRight = sums.length === 0 || sums.some(({ sum, hex }) => sum.digest('hex') === hex)
    })
    if (!isRight) throw new NotHad('its content has none of the hashes that are wanted')
    return isHere(reply) ? 'present' : 'fetched'
  }

  /** The core metadata of a wheel that the page promises it for. Throws `NotHad`. */
  async metadata(file: DistributionFile): Promise<void> {
    await this.#patiently({ method: 'GET', url: new URL(`${file.url}.metadata`) })
  }

  async #patiently(ask: Ask, save?: (body: AsyncIterable<Uint8Array>) => Promise<void>): Promise<Reply> {
    const { stop } = this.#session.context
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#once(ask, save)
      stop?.throwIfAborted()
      if (!(answer instanceof NotHad) && answer.status === 200) {
        this.#lastGoodMs = performance.now()
        return answer
      }
      const waitMs = answer instanceof NotHad ? FIRST_WAIT_MS * attempt : waitOf(answer, attempt)
      const isPatient = performance.now() + (waitMs ?? 0) - this.#lastGoodMs < PATIENCE_MS
      if (waitMs === undefined || attempt >= ATTEMPTS || !isPatient) {
        throw answer instanceof NotHad ? answer : new NotHad(reasonOf(answer))
      }
      await delay(waitMs, undefined, { signal: stop })
    }
  }

  async #once(ask: Ask, save?: (body: AsyncIterable<Uint8Array>) => Promise<void>): Promise<Reply | NotHad> {
    const { connection } = this.#session
    const known = this.#session.withSecrets(ask)
    try {
      return save === undefined ? await connection.send(known) : await connection.download(known, save)
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      // A body that breaks off in the middle is how a server says that what upstream sends is wrong.
      return new NotHad(error.message.replaceAll('\n', ' '))
    }
  }
}

/** RFC 9211: the answer came from what the server holds. */
function isHere(reply: Reply): boolean {
  return /(?:^|,)\s*airlock\s*;\s*hit(?:\s*[;,]|\s*$)/i.test(String(reply.headers['cache-status'] ?? ''))
}

/** How long to wait before asking again, `undefined` where that helps nobody. */
function waitOf({ status, headers }: Reply, attempt: number): number | undefined {
  const seconds = Number(headers['retry-after'])
  const isTold = Number.isFinite(seconds) && seconds > 0
  if (![429, 502, 503, 504].includes(status) || (status === 503 && !isTold)) return undefined
  return Math.min(WAIT_MOST_MS, isTold ? seconds * 1000 : FIRST_WAIT_MS * attempt)
}

/** The reason phrase carries the server's sentence; a body for people does so else. */
function reasonOf(reply: Reply): string {
  return statusLine(reply).trim()
}
