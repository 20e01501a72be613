/** Authenticates a user name and a secret, which is a password or a token. */
import { createHmac, randomBytes } from 'node:crypto'
import { userAsWritten } from '../../catalog/accounts.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import { groupsOf } from '../../catalog/groups.ts'
import { Recent } from '../../lib/recent.ts'
import { ANONYMOUS, type Principal } from '../../model/access.ts'
import { Problem } from '../../model/errors.ts'
import type { User } from '../../model/records.ts'
import type { LoginTokens } from './login-tokens.ts'
import type { Passwords } from './passwords.ts'

export interface Credentials {
  readonly user: string
  /** A password or a login token. */
  readonly secret: string
  /** The request comes from a program on this very machine, and through nobody else: only then the empty password counts. */
  readonly isLocal: boolean
  /** Why it does not, as the end of a sentence that begins with "this request". */
  readonly whyNotLocal?: string
}

/** Passwords found right a moment ago, so that not each of many requests costs a hash. */
const REMEMBERED = 1000

export class Login {
  readonly #catalog: Catalog
  readonly #passwords: Passwords
  readonly #tokens: LoginTokens
  readonly #right = new Recent<string, true>(REMEMBERED)
  readonly #key = randomBytes(32)

  constructor(catalog: Catalog, passwords: Passwords, tokens: LoginTokens) {
    this.#catalog = catalog
    this.#passwords = passwords
    this.#tokens = tokens
  }

  /**
   * A token for the right password. Throws `login-refused`, with a sentence that says how to set a password when the
   * account has the empty one and the request comes from another machine.
   */
  async login(credentials: Credentials): Promise<{ readonly password: string; readonly expiration: number }> {
    const user = await this.#catalog.read((reader) => userAsWritten(reader, credentials.user))
    const isRight = user !== undefined && (await this.#isPassword(user, credentials.secret))
    if (!isRight) throw new Problem('login-refused', `user '${credentials.user}' could not be authenticated`)
    if (credentials.secret === '' && !credentials.isLocal) {
      throw new Problem(
        'login-refused',
        `user '${user.name}' could not be authenticated: the empty password is accepted only from the server itself. ` +
          `Set one there with: airlock passwd ${user.name} --serverdir DIR`,
        credentials.whyNotLocal === undefined ? {} : { hint: `this request ${credentials.whyNotLocal}` },
      )
    }
    return this.renew(user)
  }

  /** A fresh token for somebody who is known already. */
  renew(user: User): { readonly password: string; readonly expiration: number } {
    return { password: this.#tokens.issue(user), expiration: this.#tokens.lifeSeconds }
  }

  /** Who sends these credentials. Wrong or expired ones are nobody, as in devpi: the request then goes on without a name. */
  async principal(credentials: Credentials): Promise<Principal> {
    const token = this.#tokens.read(credentials.secret)
    if (token === 'expired') return ANONYMOUS
    const found = await this.#catalog.read(async (reader) => {
      const user = await userAsWritten(reader, credentials.user)
      return user && { user, groups: await groupsOf(reader, user.name) }
    })
    if (found === undefined) return ANONYMOUS
    const { user, groups } = found
    const isRight =
      token === undefined
        ? (credentials.secret !== '' || credentials.isLocal) && (await this.#isPassword(user, credentials.secret))
        : token.user === user.name && token.accountCreated === user.created
    return isRight ? { name: user.name, groups } : ANONYMOUS
  }

  async #isPassword(user: User, password: string): Promise<boolean> {
    if (user.passwordHash === undefined) return false
    const mark = createHmac('sha256', this.#key).update(`${user.passwordHash}\0${password}`).digest('base64')
    if (this.#right.get(mark) === true) return true
    const isRight = await this.#passwords.matches(password, user.passwordHash)
    if (isRight) this.#right.set(mark, true, 1)
    return isRight
  }
}
