/** The files of upload sessions (PEP 694): announced, then received, then completed; on the index only when the session is published. */
import type { Selectable } from 'kysely'
import type { Digest } from '../lib/digest.ts'
import type { File, Release } from '../model/records.ts'
import type { SignedAttestation } from '../pep/provenance.ts'
import type { Reader, Writer } from './catalog.ts'
import type { Schema } from './schema.ts'
import type { UploadSession } from './upload-sessions.ts'

export interface StagedFile {
  readonly id: number
  /** Names it in addresses. */
  readonly key: string
  readonly filename: string
  /** As it was announced; what is received has exactly that size and these hashes. */
  readonly sizeBytes: number
  /** hashlib names to hex digests. */
  readonly hashes: Readonly<Record<string, string>>
  readonly status: 'pending' | 'error' | 'completed'
  /** Why what was sent last was refused. */
  readonly fault?: string
  /** Its bytes, once they are here. */
  readonly received?: ReceivedFile
  /** What came to attest to it, as it was sent: a JSON list, not verified yet. */
  readonly attestations?: string
  /** The same, verified. */
  readonly signed: readonly SignedAttestation[]
}

/** A file that has passed all checks. */
export interface ReceivedFile extends Pick<File, 'digest' | 'coreMetadata' | 'requiresPython'> {
  readonly receivedMs: number
  readonly metadata: Release['metadata']
  /** What the sender is told beside "done". */
  readonly note?: string
}

/** All of a session, in the order they were announced. */
export async function listStagedFiles({ db }: Reader, session: Pick<UploadSession, 'id'>): Promise<StagedFile[]> {
  const rows = await db
    .selectFrom('staged_files')
    .selectAll()
    .where('session_id', '=', session.id)
    .orderBy('id')
    .execute()
  return rows.map(asStagedFile)
}

export async function findStagedFile(
  { db }: Reader,
  session: Pick<UploadSession, 'id'>,
  key: string,
): Promise<StagedFile | undefined> {
  const row = await db
    .selectFrom('staged_files')
    .selectAll()
    .where('session_id', '=', session.id)
    .where('key', '=', key)
    .executeTakeFirst()
  return row && asStagedFile(row)
}

export async function addStagedFile(
  { db }: Writer,
  session: UploadSession,
  { key, filename, sizeBytes, hashes }: Pick<StagedFile, 'key' | 'filename' | 'sizeBytes' | 'hashes'>,
): Promise<StagedFile> {
  const announced = { key, filename, size_bytes: sizeBytes, hashes: JSON.stringify(hashes), status: 'pending' } as const
  const row = await db
    .insertInto('staged_files')
    .values({ session_id: session.id, ...announced })
    .returningAll()
    .executeTakeFirstOrThrow()
  return asStagedFile(row)
}

/** Its bytes came and passed, or came again: what was there goes. */
export async function receiveStagedFile(
  { db }: Writer,
  { id }: StagedFile,
  { digest, coreMetadata, requiresPython, metadata, note, receivedMs }: ReceivedFile,
): Promise<void> {
  const row = {
    status: 'pending',
    fault: null,
    digest,
    metadata_digest: coreMetadata?.digest ?? null,
    metadata_bytes: coreMetadata?.sizeBytes ?? null,
    requires_python: requiresPython ?? null,
    metadata: JSON.stringify(metadata),
    note: note ?? null,
    received_ms: receivedMs,
  } as const
  await db.updateTable('staged_files').set(row).where('id', '=', id).execute()
}

/** What was sent for it is refused; what came before goes, too: it is what nobody wants any more. */
export async function refuseStagedFile({ db }: Writer, { id }: StagedFile, fault: string): Promise<void> {
  const nothing = { digest: null, metadata_digest: null, metadata: null, signed: null }
  await db
    .updateTable('staged_files')
    .set({ ...nothing, status: 'error', fault })
    .where('id', '=', id)
    .where('status', '!=', 'completed')
    .execute()
}

export async function attestStagedFile({ db }: Writer, { id }: StagedFile, attestations: string): Promise<void> {
  await db.updateTable('staged_files').set({ attestations }).where('id', '=', id).execute()
}

export async function completeStagedFile(
  { db }: Writer,
  { id }: StagedFile,
  signed: readonly SignedAttestation[],
): Promise<void> {
  const row = { status: 'completed', fault: null, signed: JSON.stringify(signed) } as const
  await db.updateTable('staged_files').set(row).where('id', '=', id).execute()
}

export async function deleteStagedFile({ db }: Writer, { id }: StagedFile): Promise<void> {
  await db.deleteFrom('staged_files').where('id', '=', id).execute()
}

function asStagedFile(row: Selectable<Schema['staged_files']>): StagedFile {
  return {
    id: row.id,
    key: row.key,
    filename: row.filename,
    sizeBytes: row.size_bytes,
    hashes: JSON.parse(row.hashes) as StagedFile['hashes'],
    status: row.status,
    signed: row.signed === null ? [] : (JSON.parse(row.signed) as SignedAttestation[]),
    ...(row.fault !== null && { fault: row.fault }),
    ...(row.attestations !== null && { attestations: row.attestations }),
    ...(row.digest !== null && { received: received(row, row.digest as Digest) }),
  }
}

function received(row: Selectable<Schema['staged_files']>, digest: Digest): ReceivedFile {
  return {
    digest,
    receivedMs: row.received_ms ?? 0,
    metadata: JSON.parse(row.metadata ?? '{}') as Release['metadata'],
    ...(row.metadata_digest !== null && {
      coreMetadata: { digest: row.metadata_digest as Digest, sizeBytes: row.metadata_bytes ?? 0 },
    }),
    ...(row.requires_python !== null && { requiresPython: row.requires_python }),
    ...(row.note !== null && { note: row.note }),
  }
}
