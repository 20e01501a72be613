/** The open upload session that a token for previews leads to (PEP 694, "Stage Previews"). */
import { listStagedFiles, type StagedFile } from '../../catalog/staged-files.ts'
import { findPreviewed, type UploadSession } from '../../catalog/upload-sessions.ts'
import type { IndexRecord } from '../../model/records.ts'
import type { Publishing } from '../publishing.ts'

export interface PreviewedSession {
  readonly session: UploadSession
  readonly files: readonly StagedFile[]
}

/** `undefined` also for a session that was published, cancelled or has expired. */
export async function previewedSession(
  { catalog, clock }: Pick<Publishing, 'catalog' | 'clock'>,
  index: IndexRecord,
  token: string,
): Promise<PreviewedSession | undefined> {
  const nowMs = clock.now().getTime()
  return await catalog.read(async (reader) => {
    const session = await findPreviewed(reader, index, token)
    if (session === undefined || session.status !== 'open' || session.expiresMs <= nowMs) return undefined
    return { session, files: await listStagedFiles(reader, session) }
  })
}
