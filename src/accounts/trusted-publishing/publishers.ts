/** The trusted publishers of an index. Anyone who may modify the index manages them. */
import { indexAsWritten } from '../../catalog/accounts.ts'
import type { Catalog, Reader } from '../../catalog/catalog.ts'
import { addPublisher, deletePublisher, listPublishers } from '../../catalog/publishers.ts'
import type { Clock } from '../../lib/clock.ts'
import { beyondScope, type May, type Principal } from '../../model/access.ts'
import { noSuchIndex, Problem } from '../../model/errors.ts'
import type { Limits } from '../../model/limits.ts'
import type { IndexRecord } from '../../model/records.ts'
import type { TrustedPublisher } from '../../model/tokens.ts'
import { readAskedPublisher } from './asked-publisher.ts'

export interface TrustedPublishersOptions {
  readonly catalog: Catalog
  readonly clock: Clock
  readonly may: May
  readonly limits: Limits
}

export class TrustedPublishers {
  readonly #options: TrustedPublishersOptions

  constructor(options: TrustedPublishersOptions) {
    this.#options = options
  }

  /** Throws `no-such-index`, `not-allowed`. */
  async list(who: Principal, index: string): Promise<TrustedPublisher[]> {
    return await this.#options.catalog.read(async (reader) =>
      listPublishers(reader, await this.#kept(reader, who, index)),
    )
  }

  /** Throws `no-such-index`, `not-allowed`, `bad-request`. */
  async add(who: Principal, index: string, fields: Readonly<Record<string, unknown>>): Promise<TrustedPublisher> {
    const { catalog, clock, limits } = this.#options
    return await catalog.write(async (writer) => {
      const record = await this.#kept(writer, who, index)
      if (record.options.type === 'mirror') {
        throw new Problem('bad-request', `Cannot add a publisher: ${index} is a mirror, and nobody uploads to it`)
      }
      const asked = readAskedPublisher(fields, limits)
      const there = await listPublishers(writer, record)
      if (there.length >= limits.publishersPerIndex) {
        throw new Problem('bad-request', `Cannot add a publisher: ${index} has ${limits.publishersPerIndex}`, {
          hint: 'remove some first',
        })
      }
      const createdBy = who.name ?? ''
      return await addPublisher(writer, record, { ...asked, createdMs: clock.now().getTime(), createdBy })
    })
  }

  /** The tokens that were minted for it alone end at once. Throws `no-such-index`, `not-allowed`, `no-such-publisher`. */
  async remove(who: Principal, index: string, id: number): Promise<void> {
    await this.#options.catalog.write(async (writer) => {
      const record = await this.#kept(writer, who, index)
      if (await deletePublisher(writer, record, id)) return
      throw new Problem('no-such-publisher', `index ${index} has no publisher ${id}`)
    })
  }

  /** Whether any publisher may upload to the index, for who asks in general. */
  async areAt(index: string): Promise<boolean> {
    return await this.#options.catalog.read(async (reader) => {
      const record = await indexAsWritten(reader, index)
      return record !== undefined && (await listPublishers(reader, record)).length > 0
    })
  }

  async #kept(reader: Reader, who: Principal, index: string): Promise<IndexRecord> {
    const record = await indexAsWritten(reader, index)
    if (record === undefined) throw noSuchIndex(index)
    const action = { do: 'modify-index', user: record.user } as const
    if (this.#options.may(who, action)) return record
    const beyond = beyondScope(who, action)
    const why = beyond === undefined ? '' : `: ${beyond}`
    throw new Problem('not-allowed', `no permission to see or change the publishers of index ${index}${why}`)
  }
}
