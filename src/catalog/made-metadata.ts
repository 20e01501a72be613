/** Metadata read from a mirror's wheels whose upstream announces none, or gives no hash for it. A cache: not journalled. */
import type { Digest } from '../lib/digest.ts'
import type { IndexRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { Reader, Writer } from './catalog.ts'

/** What was found in a wheel: the digest of its METADATA, or why it has none that can be used. */
export type MadeMetadata = {
  readonly filename: string
  /** The hash that upstream's page has of the wheel, else its address there: what is true of another wheel of that name is not of this. */
  readonly wheel: string
} & ({ readonly digest: Digest } | { readonly fault: string })

/** As it was found, and whether its bytes are here (`mirror_metadata`). */
export type KnownMetadata = MadeMetadata & { readonly isHere: boolean }

/** All that is known of a project's wheels, by filename. */
export async function listMadeMetadata(
  { db }: Reader,
  index: IndexRecord,
  project: ProjectName,
): Promise<Map<string, KnownMetadata>> {
  const rows = await db
    .selectFrom('made_metadata')
    .leftJoin('mirror_metadata', (join) =>
      join
        .onRef('mirror_metadata.index_id', '=', 'made_metadata.index_id')
        .onRef('mirror_metadata.digest', '=', 'made_metadata.digest'),
    )
    .select(['filename', 'wheel', 'fault', 'made_metadata.digest as digest', 'mirror_metadata.digest as here'])
    .where('made_metadata.index_id', '=', index.id)
    .where('project', '=', project)
    .execute()
  return new Map(
    rows.map(({ filename, wheel, digest, fault, here }) => {
      const found = digest === null ? { fault: fault ?? '' } : { digest: digest as Digest }
      return [filename, { filename, wheel, ...found, isHere: here !== null }]
    }),
  )
}

export async function saveMadeMetadata(
  { db }: Writer,
  index: IndexRecord,
  project: ProjectName,
  made: MadeMetadata,
): Promise<void> {
  const { filename, wheel } = made
  const found = 'digest' in made ? { digest: made.digest, fault: null } : { digest: null, fault: made.fault }
  await db
    .insertInto('made_metadata')
    .values({ index_id: index.id, project, filename, wheel, ...found })
    .onConflict((conflict) => conflict.columns(['index_id', 'project', 'filename']).doUpdateSet({ wheel, ...found }))
    .execute()
}
