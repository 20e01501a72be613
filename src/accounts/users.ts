/** Creates, changes and removes users, by devpi's rules and with devpi's messages. */
import { deleteUser, findUser, listIndexes, saveUser, userAsWritten } from '../catalog/accounts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Clock } from '../lib/clock.ts'
import type { May, Principal } from '../model/access.ts'
import { isAlias } from '../model/aliases.ts'
import { noSuchUser, Problem } from '../model/errors.ts'
import { type UserName, userName } from '../model/names.ts'
import { timestamp, type User } from '../model/records.ts'
import { storedTextFault } from '../model/stored-text.ts'
import { Passwords } from './login/passwords.ts'

type Fields = Readonly<Record<string, unknown>>

/** What a client may send along because it got it from us; the server knows better. */
const IGNORED = new Set(['indexes', 'username', 'created', 'modified'])
const TEXTS = ['email', 'title', 'description'] as const

export class Users {
  readonly #catalog: Catalog
  readonly #passwords: Passwords
  readonly #clock: Clock
  readonly #may: May

  constructor(catalog: Catalog, passwords: Passwords, clock: Clock, may: May) {
    this.#catalog = catalog
    this.#passwords = passwords
    this.#clock = clock
    this.#may = may
  }

  /** Throws `user-exists`, `not-allowed`, `name-invalid`, `bad-request`. */
  async create(who: Principal, name: string, fields: Fields): Promise<User> {
    if ((await this.#find(name)) !== undefined) throw userExists()
    if (!this.#may(who, { do: 'create-user' })) throw new Problem('not-allowed', 'no permission to create user')
    const user = newName(name)
    const unknown = Object.keys(fields).filter(
      (key) => !IGNORED.has(key) && !['password', 'pwhash', 'custom_data', ...TEXTS].includes(key),
    )
    if (unknown.length > 0) throw new Problem('bad-request', `Unknown keys in user config: ${unknown.join(', ')}`)
    const passwordHash = await this.#hashOf(fields)
    if (passwordHash === undefined) throw new Problem('bad-request', 'password needs to be set')
    const made: User = { name: user, created: timestamp(this.#clock.now()), passwordHash, ...described({}, fields) }
    await this.#catalog.write(async (writer) => {
      if ((await findUser(writer, user)) !== undefined) throw userExists()
      await saveUser(writer, made, 'created')
    })
    return made
  }

  /** Throws `no-such-user`, `not-allowed`. Unknown keys are dropped, an empty value removes one, as devpi does. */
  async modify(who: Principal, name: string, fields: Fields): Promise<User> {
    const user = await this.#find(name)
    if (user === undefined) throw noSuchUser(name)
    const isPasswordOnly = Object.keys(fields).length === 1 && 'password' in fields
    if (!this.#may(who, { do: isPasswordOnly ? 'change-password' : 'modify-user', user: user.name })) {
      const what = isPasswordOnly ? 'change password for' : 'modify'
      throw new Problem('not-allowed', `no permission to ${what} user ${user.name}`)
    }
    return await this.#change(user, fields)
  }

  /** For who stands at the server itself: asks for no permission. Throws `no-such-user`. */
  async setPassword(name: string, password: string): Promise<void> {
    const user = await this.#find(name)
    if (user === undefined) throw noSuchUser(name)
    await this.#change(user, { password })
  }

  /** An account for somebody whom others vouch for, without a password here. One that exists is left as it is. Throws `name-invalid`. */
  async ensure(name: string): Promise<User> {
    const user = userName(name)
    return await this.#catalog.write(async (writer) => {
      const known = await findUser(writer, user)
      if (known !== undefined) return known
      newName(name)
      const made: User = { name: user, created: timestamp(this.#clock.now()) }
      await saveUser(writer, made, 'created')
      return made
    })
  }

  async #change(user: User, fields: Fields): Promise<User> {
    const passwordHash = await this.#hashOf(fields)
    return await this.#catalog.write(async (writer) => {
      const current = await findUser(writer, user.name)
      if (current === undefined) throw noSuchUser(user.name)
      const { name: own, created, passwordHash: before } = current
      const hash = passwordHash ?? before
      const changed: User = {
        name: own,
        created,
        modified: timestamp(this.#clock.now()),
        ...described(current, fields),
        ...(hash !== undefined && { passwordHash: hash }),
      }
      await saveUser(writer, changed, 'modified')
      return changed
    })
  }

  /** With all indexes and files. Throws `no-such-user`, `not-allowed`, `user-not-volatile`. */
  async remove(who: Principal, name: string): Promise<void> {
    await this.#catalog.write(async (writer) => {
      const user = await userAsWritten(writer, name)
      if (user === undefined) throw noSuchUser(name)
      if (!this.#may(who, { do: 'delete-user', user: user.name })) {
        throw new Problem('not-allowed', `no permission to delete user ${user.name}`)
      }
      const kept = (await listIndexes(writer, user.name)).find((index) => !index.options.volatile)
      if (kept !== undefined) {
        throw new Problem('user-not-volatile', `user '${user.name}' has non-volatile index: ${kept.name.split('/')[1]}`)
      }
      await deleteUser(writer, user.name)
    })
  }

  async #find(name: string): Promise<User | undefined> {
    return await this.#catalog.read((reader) => userAsWritten(reader, name))
  }

  async #hashOf(fields: Fields): Promise<string | undefined> {
    if (typeof fields.pwhash === 'string' && fields.pwhash !== '') {
      if (!Passwords.isHash(fields.pwhash))
        throw new Problem('bad-request', 'pwhash must be an argon2 hash in PHC form')
      return fields.pwhash
    }
    if (fields.password === undefined) return undefined
    if (typeof fields.password !== 'string') throw new Problem('bad-request', 'password must be text')
    return await this.#passwords.hash(fields.password)
  }
}

/** The record as the API shows it. Never with the password's hash. */
export function userConfig(user: User, indexes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    username: user.name satisfies UserName,
    ...(user.title !== undefined && { title: user.title }),
    ...(user.description !== undefined && { description: user.description }),
    ...(user.email !== undefined && { email: user.email }),
    ...(user.customData !== undefined && { custom_data: user.customData }),
    created: user.created,
    ...(user.modified !== undefined && { modified: user.modified }),
    indexes,
  }
}

function described(
  current: Partial<User>,
  fields: Fields,
): Pick<User, 'email' | 'title' | 'description' | 'customData'> {
  const result: Record<string, unknown> = {}
  for (const key of TEXTS) {
    const value = key in fields ? fields[key] : current[key]
    if (value !== undefined && value !== null && value !== '') {
      if (typeof value !== 'string') throw new Problem('bad-request', `${key} must be text`)
      result[key] = value
    }
  }
  const custom = 'custom_data' in fields ? fields.custom_data : current.customData
  if (custom !== undefined && custom !== null && custom !== '') result.customData = custom
  const { customData, ...texts } = result
  const fault = storedTextFault({ ...texts, ...(customData !== undefined && { custom_data: customData }) })
  if (fault !== undefined) throw new Problem('bad-request', `Cannot keep what is said of the user: ${fault}`)
  return result
}

/** Throws `name-invalid`. */
function newName(name: string): UserName {
  if (!isAlias(name)) return userName(name)
  throw new Problem('name-invalid', `username '${name}' is kept for the address /${name}/ of the server itself`, {
    hint: 'choose another name; one that was here before keeps its addresses',
  })
}

function userExists(): Problem {
  return new Problem('user-exists', 'user already exists')
}
