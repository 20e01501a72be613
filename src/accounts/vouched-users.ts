/** Users authenticated by a trusted proxy, which names them in a header. */
import { findUser } from '../catalog/accounts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { groupsOf } from '../catalog/groups.ts'
import { ANONYMOUS, type Principal } from '../model/access.ts'
import { userName } from '../model/names.ts'
import type { Users } from './users.ts'

export class VouchedUsers {
  readonly #catalog: Catalog
  readonly #users: Users
  readonly #autocreate: boolean

  /** With `autocreate` (devpi's --autocreate-users) who comes for the first time gets an account, without a password. */
  constructor(catalog: Catalog, users: Users, options: { readonly autocreate: boolean }) {
    this.#catalog = catalog
    this.#users = users
    this.#autocreate = options.autocreate
  }

  /** Root logs in here alone: nobody else vouches for it, as in devpi. Throws `name-invalid`. */
  async principal(named: string): Promise<Principal> {
    const name = userName(named)
    if (name === 'root') return ANONYMOUS
    const known = await this.#catalog.read(async (reader) => ({
      user: await findUser(reader, name),
      groups: await groupsOf(reader, name),
    }))
    if (known.user === undefined && this.#autocreate) await this.#users.ensure(name)
    return { name, groups: known.groups }
  }
}
