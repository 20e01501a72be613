/** Groups of users, for `:group` in access lists. Root manages them, or the users that --restrict-modify names. */
import { userAsWritten } from '../catalog/accounts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { deleteGroup, listGroups, saveGroup } from '../catalog/groups.ts'
import type { May, Principal } from '../model/access.ts'
import { noSuchUser, Problem } from '../model/errors.ts'
import { groupName, type UserName } from '../model/names.ts'

export class Groups {
  readonly #catalog: Catalog
  readonly #may: May

  constructor(catalog: Catalog, may: May) {
    this.#catalog = catalog
    this.#may = may
  }

  /** Every group with its members. Throws `login-required` for who has no name. */
  async list(who: Principal): Promise<Readonly<Record<string, readonly UserName[]>>> {
    if (!this.#may(who, { do: 'list-groups' }))
      throw new Problem('login-required', 'no permission to see groups without login')
    return Object.fromEntries(await this.#catalog.read(listGroups))
  }

  /** Gives the group exactly these members; a new one is made. Throws `not-allowed`, `name-invalid`, `bad-request`, `no-such-user`. */
  async save(who: Principal, name: string, members: unknown): Promise<readonly UserName[]> {
    this.#check(who, name)
    const group = groupName(name)
    if (!Array.isArray(members) || !members.every((each) => typeof each === 'string')) {
      throw new Problem('bad-request', 'The members of a group must be a list of user names')
    }
    return await this.#catalog.write(async (writer) => {
      const known: UserName[] = []
      for (const member of new Set(members as string[])) {
        const user = await userAsWritten(writer, member)
        if (user === undefined) throw noSuchUser(member)
        known.push(user.name)
      }
      await saveGroup(writer, group, known)
      return known
    })
  }

  /** Access lists that name it stay as they are and admit nobody by it. Throws `not-allowed`, `no-such-group`. */
  async remove(who: Principal, name: string): Promise<void> {
    this.#check(who, name)
    await this.#catalog.write(async (writer) => {
      if (!(await listGroups(writer)).has(name)) throw new Problem('no-such-group', `no group '${name}'`)
      await deleteGroup(writer, name)
    })
  }

  #check(who: Principal, name: string): void {
    if (!this.#may(who, { do: 'modify-groups' })) {
      throw new Problem('not-allowed', `no permission to modify group ${name}`)
    }
  }
}
