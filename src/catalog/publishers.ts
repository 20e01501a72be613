/** Trusted publishers: who may upload to an index without a user's credentials. */
import type { IndexName } from '../model/names.ts'
import type { IndexRecord } from '../model/records.ts'
import type { PublisherSpec, TrustedPublisher } from '../model/tokens.ts'
import type { ProjectName } from '../pep/name.ts'
import type { Reader, Writer } from './catalog.ts'

export async function addPublisher(
  writer: Writer,
  index: IndexRecord,
  publisher: Omit<TrustedPublisher, 'id' | 'index'>,
): Promise<TrustedPublisher> {
  const { issuer, spec, projects, createdMs, createdBy } = publisher
  const { id } = await writer.db
    .insertInto('publishers')
    .values({
      index_id: index.id,
      kind: spec.kind,
      issuer,
      identity: JSON.stringify(spec),
      projects: projects === undefined ? null : JSON.stringify(projects),
      created_ms: createdMs,
      created_by: createdBy,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  writer.change({ what: 'publisher', how: 'added', index: index.name, id })
  return { ...publisher, id, index: index.name }
}

/** Oldest first. */
export async function listPublishers(reader: Reader, index: IndexRecord): Promise<TrustedPublisher[]> {
  return (await select(reader).where('indexes.id', '=', index.id).execute()).map(asPublisher)
}

/** Of every index, oldest first. */
export async function publishersOf(reader: Reader, issuer: string): Promise<TrustedPublisher[]> {
  return (await select(reader).where('issuer', '=', issuer).execute()).map(asPublisher)
}

/** `false`: the index has no such publisher. Tokens that were minted for it alone end. */
export async function deletePublisher(writer: Writer, index: IndexRecord, id: number): Promise<boolean> {
  const { numDeletedRows } = await writer.db
    .deleteFrom('publishers')
    .where('index_id', '=', index.id)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  if (numDeletedRows === 0n) return false
  writer.change({ what: 'publisher', how: 'removed', index: index.name, id })
  return true
}

function select({ db }: Reader) {
  return db
    .selectFrom('publishers')
    .innerJoin('indexes', 'indexes.id', 'publishers.index_id')
    .select([
      'publishers.id',
      'indexes.name as index',
      'issuer',
      'identity',
      'projects',
      'created_ms as createdMs',
      'created_by as createdBy',
    ])
    .orderBy('publishers.id')
}

function asPublisher(row: Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number]): TrustedPublisher {
  const { id, index, issuer, identity, projects, createdMs, createdBy } = row
  return {
    id,
    index: index as IndexName,
    issuer,
    spec: JSON.parse(identity) as PublisherSpec,
    ...(projects !== null && { projects: JSON.parse(projects) as ProjectName[] }),
    createdMs,
    createdBy,
  }
}
