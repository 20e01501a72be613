/** The end of an upload session (PEP 694): all of its files appear on the stage in one transaction, or none does. */
import type { Writer } from '../../catalog/catalog.ts'
import { listStagedFiles, type StagedFile } from '../../catalog/staged-files.ts'
import { findUploadSession, markPublished, type UploadSession } from '../../catalog/upload-sessions.ts'
import { Problem } from '../../model/errors.ts'
import type { IndexRecord } from '../../model/records.ts'
import { keepAttestations } from '../attestations.ts'
import type { Publishing } from '../publishing.ts'
import { storeUpload } from '../store-upload.ts'
import { type AskedSession, currentIndex, noSuchSession, stillOpen } from './sessions.ts'

/** A session as it was left by its publication: what comes after, its end even, is another matter. */
export interface PublishedSession {
  readonly session: UploadSession
  readonly files: readonly StagedFile[]
  /** It was not published before. */
  readonly isNew: boolean
}

/**
 * Publishes the session; once more is the same as once, with `isNew` false. Its filenames are held against what is on the index in
 * that very transaction, so that neither another session nor an upload form can come in between.
 *
 * Throws `session-conflict` where a file is not completed or there is none; `project-closed`, `file-exists`, `no-such-session`.
 */
export async function publishSession(publisher: Publishing, asked: AskedSession): Promise<PublishedSession> {
  return await publisher.catalog.write(async (writer) => {
    const now = await findUploadSession(writer, asked.record, asked.session.key)
    if (now?.status === 'published') return { session: now, files: await listStagedFiles(writer, now), isNew: false }
    const session = await stillOpen(publisher, writer, asked)
    const record = await currentIndex(writer, session.index)
    const files = await listStagedFiles(writer, session)
    if (files.length === 0) {
      throw new Problem('session-conflict', 'Cannot publish the session: it has no files', {
        hint: 'send and complete them first; a release without files is registered with :action=submit',
      })
    }
    for (const file of files) await store(publisher, writer, asked, record, session, file)
    await markPublished(writer, session)
    return { session: { ...session, status: 'published' }, files: await listStagedFiles(writer, session), isNew: true }
  })
}

async function store(
  publisher: Publishing,
  writer: Writer,
  { who }: AskedSession,
  record: IndexRecord,
  { name, project, version }: UploadSession,
  file: StagedFile,
): Promise<void> {
  const { filename, sizeBytes, received, signed, status } = file
  if (status !== 'completed') {
    throw new Problem('session-conflict', `Cannot publish the session: ${filename} is not completed`, {
      hint: 'complete it, or delete it from the session',
    })
  }
  if (received === undefined) throw noSuchSession('file in the upload session')
  const { receivedMs: _receivedMs, note: _note, ...facts } = received
  const upload = { name, project, version, filename, sizeBytes, ...facts }
  const done = await storeUpload(publisher, writer, who, record, upload, signed)
  // The same is there already, by another way: what attests to it may still be new.
  if (done === 'same' && (await keepAttestations(writer, record, upload, signed, publisher.limits))) {
    writer.change({ what: 'file', how: 'described', index: record.name, project, filename })
  }
}
