/** Login tokens: signed statements, valid for ten hours and across restarts, sent in place of a password. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { UserName } from '../../model/names.ts'
import type { User } from '../../model/records.ts'

export interface LoginToken {
  readonly user: UserName
  /** The account's own creation time: a new account of the same name is somebody else. */
  readonly accountCreated: string
}

const PREFIX = 'al1'

export class LoginTokens {
  readonly #secret: Uint8Array
  readonly #clock: Clock
  /** Seconds a token is good for. */
  readonly lifeSeconds: number

  constructor(options: { readonly secret: Uint8Array; readonly lifeSeconds: number; readonly clock: Clock }) {
    this.#secret = options.secret
    this.#clock = options.clock
    this.lifeSeconds = options.lifeSeconds
  }

  /** ASCII, without characters that a URL would escape. */
  issue(user: User): string {
    const expires = Math.floor(this.#clock.now().getTime() / 1000) + this.lifeSeconds
    const payload = Buffer.from(JSON.stringify([user.name, user.created, expires])).toString('base64url')
    return `${PREFIX}.${payload}.${this.#sign(payload)}`
  }

  /** `undefined`: no token of ours, perhaps a password. `expired`: ours, and too old. */
  read(text: string): LoginToken | 'expired' | undefined {
    const [prefix, payload, signature, ...more] = text.split('.')
    if (prefix !== PREFIX || payload === undefined || signature === undefined || more.length > 0) return undefined
    const expected = Buffer.from(this.#sign(payload))
    const found = Buffer.from(signature)
    if (expected.length !== found.length || !timingSafeEqual(expected, found)) return undefined
    const [user, accountCreated, expires] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [
      UserName,
      string,
      number,
    ]
    return expires * 1000 <= this.#clock.now().getTime() ? 'expired' : { user, accountCreated }
  }

  #sign(payload: string): string {
    return createHmac('sha256', this.#secret).update(`${PREFIX}.${payload}`).digest('base64url')
  }
}
