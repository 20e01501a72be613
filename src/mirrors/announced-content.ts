/** The length and hashes of a file on upstream's page, to check the download. */
import { createHash, type Hash } from 'node:crypto'
import type { Digest } from '../lib/digest.ts'
import { Problem } from '../model/errors.ts'

/** Names of hashlib that are checked; of others nothing is known here. sha256 is the draft's own. */
const CHECKABLE = ['sha512', 'sha384', 'sha224', 'sha1', 'md5']

export interface Announcement {
  readonly filename: string
  /** hashlib names to hex digests; may be empty. */
  readonly hashes: Readonly<Record<string, string>>
  readonly sizeBytes?: number
}

export class AnnouncedContent {
  readonly #announced: Announcement
  readonly #hashes: readonly { readonly name: string; readonly hash: Hash }[]

  constructor(announced: Announcement) {
    this.#announced = announced
    const named = CHECKABLE.filter((name) => name in announced.hashes)
    this.#hashes = named.map((name) => ({ name, hash: createHash(name) }))
  }

  /** A hash will tell whether the content is right; else its length alone does. */
  get isHashed(): boolean {
    return this.#hashes.length > 0 || this.#announced.hashes.sha256 !== undefined
  }

  update(chunk: Uint8Array): void {
    for (const { hash } of this.#hashes) hash.update(chunk)
  }

  /** Throws `upstream-failed` for another length than the page says. */
  checkSize(found: number | undefined): void {
    const expected = this.#announced.sizeBytes
    if (expected !== undefined && found !== undefined && found !== expected) {
      throw this.wrong(`it has ${found} bytes, its page says ${expected}`)
    }
  }

  /** The same while it arrives: for more than the page says. */
  checkLength(soFar: number): void {
    const expected = this.#announced.sizeBytes
    if (expected !== undefined && soFar > expected) {
      throw this.wrong(`it has more than the ${expected} bytes that its page says`)
    }
  }

  /** Once, after the last `update`. Throws `upstream-failed` for the first hash that differs. */
  checkHashes(sha256: Digest): void {
    const found = new Map<string, string>([['sha256', sha256]])
    for (const { name, hash } of this.#hashes) found.set(name, hash.digest('hex'))
    for (const [name, expected] of Object.entries(this.#announced.hashes)) {
      const digest = found.get(name)
      if (digest !== undefined && digest !== expected.toLowerCase()) {
        throw this.wrong(`its ${name} is ${digest}, its page says ${expected}`)
      }
    }
  }

  wrong(what: string): Problem {
    const message = `Cannot deliver "${this.#announced.filename}": upstream sent other content: ${what}`
    return new Problem('upstream-failed', message, {
      hint: 'nothing was kept; try again later, or ask the operator of the upstream',
    })
  }
}
