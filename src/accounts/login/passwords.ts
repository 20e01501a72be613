/** Password hashes in PHC strings (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`), ours and devpi's, made and checked a few at a time. */
import { argon2 as argon2Callback, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { Problem } from '../../model/errors.ts'
import type { Limits } from '../../model/limits.ts'

const argon2 = promisify(argon2Callback)

/** OWASP's recommendation for argon2id: 19 MiB, two passes, one lane. */
const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 }
/** Stored hashes may ask for more (devpi's take 64 to 100 MiB), but not for what would take the server down. KiB and passes. */
const COST_MAX = { memory: 262_144, passes: 16, parallelism: 16 }

export class Passwords {
  readonly #limits: Pick<Limits, 'passwordChecks' | 'passwordQueue'>
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limits: Pick<Limits, 'passwordChecks' | 'passwordQueue'>) {
    this.#limits = limits
  }

  async hash(password: string): Promise<string> {
    const salt = randomBytes(16)
    const tag = await this.#turn(() => argon2('argon2id', { message: password, nonce: salt, ...COST }))
    return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${base64(salt)}$${base64(tag)}`
  }

  /** Whether `password` is the one that `stored` was made from. A hash of an unknown form matches nothing. */
  async matches(password: string, stored: string): Promise<boolean> {
    const form = readHash(stored)
    if (form === undefined) return false
    const { algorithm, expected, ...cost } = form
    const found = await this.#turn(() => argon2(algorithm, { message: password, tagLength: expected.length, ...cost }))
    return timingSafeEqual(found, expected)
  }

  /** Whether `stored` is of a form that `matches` can check, at a cost that it takes on. */
  static isHash(stored: string): boolean {
    return readHash(stored) !== undefined
  }

  async #turn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limits.passwordChecks) {
      if (this.#waiting.length >= this.#limits.passwordQueue) {
        throw new Problem('busy', 'Cannot check the password now: too many logins are waiting', { retrySeconds: 5 })
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#running++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}

interface StoredHash {
  readonly algorithm: 'argon2id' | 'argon2i'
  /** KiB. */
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  readonly nonce: Buffer
  readonly expected: Buffer
}

/** `undefined` for what is no such hash, costs more than is taken on, or breaks the least that RFC 9106 §3.1 asks for. */
function readHash(stored: string): StoredHash | undefined {
  const form = /^\$(argon2id?)\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(stored)
  if (form === null) return undefined
  const [memory, passes, parallelism] = [Number(form[2]), Number(form[3]), Number(form[4])]
  if (memory > COST_MAX.memory || passes > COST_MAX.passes || parallelism > COST_MAX.parallelism) return undefined
  if (parallelism < 1 || passes < 1 || memory < 8 * parallelism) return undefined
  const nonce = Buffer.from(form[5]!, 'base64')
  const expected = Buffer.from(form[6]!, 'base64')
  if (nonce.length < 8 || expected.length < 4) return undefined
  return { algorithm: form[1] as StoredHash['algorithm'], memory, passes, parallelism, nonce, expected }
}

/** PHC strings carry base64 without padding. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}
