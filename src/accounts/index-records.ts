/** Creates, changes and removes indexes, by devpi's rules in devpi's order. */
import {
  changeIndex,
  createIndex,
  deleteIndex,
  findIndex,
  indexAsWritten,
  saveUser,
  userAsWritten,
} from '../catalog/accounts.ts'
import type { Catalog, Reader, Writer } from '../catalog/catalog.ts'
import type { Clock } from '../lib/clock.ts'
import type { May, Principal } from '../model/access.ts'
import { noSuchIndex, noSuchUser, Problem } from '../model/errors.ts'
import { createdOptions, type IndexOptions, operatedOptions, updatedOptions } from '../model/index-options.ts'
import { indexName, indexPart, userOf } from '../model/names.ts'
import { type IndexRecord, timestamp, type User } from '../model/records.ts'

/** The body of a change: a list of operations, or the options to set. */
export type IndexChange = readonly unknown[] | Readonly<Record<string, unknown>>

export class IndexRecords {
  readonly #catalog: Catalog
  readonly #clock: Clock
  readonly #may: May

  constructor(catalog: Catalog, clock: Clock, may: May) {
    this.#catalog = catalog
    this.#clock = clock
    this.#may = may
  }

  /** Throws `no-such-user`, `index-exists`, `not-allowed`, `name-invalid`, `option-invalid`; in that order. */
  async create(
    who: Principal,
    user: string,
    index: string,
    sent: Readonly<Record<string, unknown>>,
  ): Promise<IndexRecord> {
    return await this.#catalog.write(async (writer) => {
      const owner = (await userAsWritten(writer, user)) ?? (await this.#newOwner(writer, who, user))
      if (owner === undefined) throw noSuchUser(user)
      const written = `${user}/${index}`
      if ((await indexAsWritten(writer, written)) !== undefined) {
        throw new Problem('index-exists', `index '${written}' exists`)
      }
      if (!this.#may(who, { do: 'create-index', user: owner.name })) {
        throw new Problem('not-allowed', `no permission to create index ${written}`)
      }
      const name = indexName(owner.name, indexPart(index))
      const options = createdOptions(owner.name, sent)
      this.#checkMirror(who, options)
      await checkBases(writer, options)
      await createIndex(writer, name, owner.name, options)
      return (await findIndex(writer, name))!
    })
  }

  /** Somebody whom others vouch for gets an account with the first index of his own (devpi's rule). */
  async #newOwner(writer: Writer, who: Principal, user: string): Promise<User | undefined> {
    if (who.name === undefined || who.name !== user) return undefined
    if (!this.#may(who, { do: 'create-user' })) {
      throw new Problem('not-allowed', `no permission to create user ${user}`)
    }
    const made: User = { name: who.name, created: timestamp(this.#clock.now()) }
    await saveUser(writer, made, 'created')
    return made
  }

  /** Throws `no-such-index`, `not-allowed`, `option-invalid`; with `refuseNoop` also when nothing would change. */
  async modify(who: Principal, name: string, change: IndexChange, refuseNoop: boolean): Promise<IndexRecord> {
    return await this.#catalog.write(async (writer) => {
      const record = await indexAsWritten(writer, name)
      if (record === undefined) throw noSuchIndex(name)
      const owner = userOf(record.name)
      if (!this.#may(who, { do: 'modify-index', user: owner })) {
        throw new Problem('not-allowed', `no permission to modify index ${name}`)
      }
      const options = Array.isArray(change)
        ? operatedOptions(owner, record.options, change)
        : updatedOptions(record.options, change as Readonly<Record<string, unknown>>)
      if (JSON.stringify(options) === JSON.stringify(record.options)) {
        if (refuseNoop) throw new Problem('option-invalid', 'The requested modifications resulted in no changes')
        return record
      }
      this.#checkMirror(who, options, record.options)
      await checkBases(writer, options, record.options)
      await changeIndex(writer, record, options)
      return { ...record, options }
    })
  }

  /** What a mirror is of, the server asks for; and it may reach more than its users. */
  #checkMirror(who: Principal, options: IndexOptions, before?: IndexOptions): void {
    if (options.type !== 'mirror') return
    if (before?.type === 'mirror' && before.mirror_url === options.mirror_url) return
    if (this.#may(who, { do: 'make-mirror' })) return
    throw new Problem('not-allowed', 'no permission to make a mirror, or to say of what it is one', {
      hint: 'whoever runs the server can list you in may_mirror',
    })
  }

  /** With its projects and files. Throws `no-such-index`, `not-allowed`, `index-not-volatile`. */
  async remove(who: Principal, name: string): Promise<void> {
    await this.#catalog.write(async (writer) => {
      const record = await indexAsWritten(writer, name)
      if (record === undefined) throw noSuchIndex(name)
      if (!this.#may(who, { do: 'delete-index', user: userOf(record.name) })) {
        throw new Problem('not-allowed', `no permission to delete index ${name}`)
      }
      if (!record.options.volatile) {
        throw new Problem('index-not-volatile', `index ${name} non-volatile, cannot delete`)
      }
      await deleteIndex(writer, record)
    })
  }
}

/** Bases must exist when they are set; one that vanished since is tolerated while it stays in the list. */
async function checkBases(reader: Reader, options: IndexOptions, before?: IndexOptions): Promise<void> {
  if (options.type !== 'stage') return
  const old: readonly string[] = before?.type === 'stage' ? before.bases : []
  const missing: string[] = []
  for (const base of options.bases) {
    if (old.includes(base)) continue
    if ((await findIndex(reader, base)) === undefined) missing.push(`base index '${base}' does not exist`)
  }
  if (missing.length > 0) throw new Problem('option-invalid', missing.join(', '))
}
