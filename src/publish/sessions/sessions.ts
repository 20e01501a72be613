/** Upload sessions (PEP 694): the files of one release, prepared out of sight, to appear on a stage all at once. */
import { randomBytes } from 'node:crypto'
import { indexAsWritten } from '../../catalog/accounts.ts'
import type { Reader, Writer } from '../../catalog/catalog.ts'
import { listStagedFiles, type StagedFile } from '../../catalog/staged-files.ts'
import {
  addUploadSession,
  countOpenSessions,
  deleteUploadSession,
  extendUploadSession,
  findUploadSession,
  listUploadSessions,
  type UploadSession,
} from '../../catalog/upload-sessions.ts'
import { beyondScope, type Principal, uploadOf } from '../../model/access.ts'
import { noSuchIndex, Problem } from '../../model/errors.ts'
import type { IndexRecord } from '../../model/records.ts'
import type { ProjectName } from '../../pep/name.ts'
import { compareVersions } from '../../pep/version.ts'
import { mayUpload } from '../may-upload.ts'
import type { Publishing } from '../publishing.ts'
import { checkTakesUploads } from '../status-checks.ts'
import type { SessionOrder } from './session-requests.ts'

/** The requester and the session: permission is checked again for every request. */
export interface SessionAsk {
  readonly who: Principal
  /** Whether credentials came along: who is nobody then sent wrong ones. */
  readonly hasCredentials: boolean
  /** `user/index`. */
  readonly index: string
}

/** A session that the requester may use. */
export interface AskedSession {
  readonly who: Principal
  readonly record: IndexRecord
  readonly session: UploadSession
}

/**
 * Opens a session for a release, unless one is open already: then that is given, with `isNew` false. Nothing of it is to be
 * seen on the index, and the name is not taken by it.
 * Throws what `mayUpload` throws, `not-allowed`, `project-closed`, `session-conflict` for too many.
 */
export async function openSession(
  publisher: Publishing,
  { who, index, hasCredentials }: SessionAsk,
  { name, project, version }: SessionOrder,
): Promise<{ readonly session: UploadSession; readonly isNew: boolean }> {
  const { catalog, clock, limits } = publisher
  checkProject(publisher, who, await mayUpload(publisher, who, index, hasCredentials), project)
  return await catalog.write(async (writer) => {
    const record = await currentIndex(writer, index)
    await checkTakesUploads(writer, record, project)
    const nowMs = clock.now().getTime()
    const former = (await listUploadSessions(writer, record, project)).filter(
      (each) => compareVersions(each.version, version) === 0,
    )
    const open = former.find((each) => each.status === 'open' && each.expiresMs > nowMs)
    if (open !== undefined) return { session: open, isNew: false }
    for (const each of former) await deleteUploadSession(writer, each)
    if ((await countOpenSessions(writer, record, nowMs)) >= limits.uploadSessions) {
      throw new Problem(
        'session-conflict',
        `Cannot open a session: ${index} has ${limits.uploadSessions}, which is the most`,
        { hint: 'publish or cancel others first' },
      )
    }
    const session = await addUploadSession(writer, record, {
      ...{ name, project, version },
      key: newKey(),
      preview: newKey(),
      createdMs: nowMs,
      expiresMs: nowMs + limits.uploadSessionMs,
    })
    return { session, isNew: true }
  })
}

/** The session of that key. Throws what `mayUpload` throws, `no-such-session`, `not-allowed`. */
export async function askedSession(
  publisher: Publishing,
  { who, index, hasCredentials }: SessionAsk,
  key: string,
): Promise<AskedSession> {
  const record = await mayUpload(publisher, who, index, hasCredentials)
  const session = await publisher.catalog.read((reader) => findUploadSession(reader, record, key))
  if (session === undefined || session.expiresMs <= publisher.clock.now().getTime()) throw noSuchSession()
  checkProject(publisher, who, record, session.project)
  return { who, record, session }
}

/** The session as it is now, with its files. Throws `no-such-session`. */
export async function readSession(
  { catalog }: Publishing,
  { record, session }: AskedSession,
): Promise<{ readonly session: UploadSession; readonly files: readonly StagedFile[] }> {
  return await catalog.read(async (reader) => {
    const now = await findUploadSession(reader, record, session.key)
    if (now === undefined) throw noSuchSession()
    return { session: now, files: await listStagedFiles(reader, now) }
  })
}

/** Moves the end of the session, by so many seconds or as far as one request may, and never nearer. Throws as `stillOpen`. */
export async function extendSession(
  publisher: Publishing,
  asked: AskedSession,
  seconds: number | undefined,
): Promise<void> {
  const { catalog, clock, limits } = publisher
  await catalog.write(async (writer) => {
    const session = await stillOpen(publisher, writer, asked)
    const nowMs = clock.now().getTime()
    const wanted = seconds === undefined ? nowMs + limits.uploadSessionMs : session.expiresMs + seconds * 1000
    const most = Math.min(nowMs + limits.uploadSessionMs, session.createdMs + limits.uploadSessionMostMs)
    await extendUploadSession(writer, session, Math.max(session.expiresMs, Math.min(wanted, most)))
  })
}

/** Ends the session and forgets it with all of its files; of one that is published only the memory. Throws `no-such-session`. */
export async function cancelSession({ catalog }: Publishing, { record, session }: AskedSession): Promise<void> {
  await catalog.write(async (writer) => {
    const now = await findUploadSession(writer, record, session.key)
    if (now === undefined) throw noSuchSession()
    await deleteUploadSession(writer, now)
  })
}

/** The session as it is in that transaction. Throws `no-such-session`; `session-conflict` where it is published. */
export async function stillOpen(
  { clock }: Publishing,
  reader: Reader,
  { record, session }: AskedSession,
): Promise<UploadSession> {
  const now = await findUploadSession(reader, record, session.key)
  if (now === undefined || now.expiresMs <= clock.now().getTime()) throw noSuchSession()
  if (now.status === 'published') {
    throw new Problem('session-conflict', 'The session is published already', {
      hint: 'open another to add files to the release',
    })
  }
  return now
}

/** The index as it is in that transaction. Throws `no-such-index`. */
export async function currentIndex(writer: Writer, name: string): Promise<IndexRecord> {
  const record = await indexAsWritten(writer, name)
  if (record === undefined) throw noSuchIndex(name)
  return record
}

/** What cannot be guessed. */
export function newKey(): string {
  return randomBytes(24).toString('hex')
}

export function noSuchSession(what = 'upload session'): Problem {
  return new Problem('no-such-session', `There is no such ${what}, or none any more`, {
    hint: 'it may have been canceled, or its time is over; open a session again',
  })
}

/** Throws `not-allowed` where the token is for other projects. */
function checkProject({ may }: Publishing, who: Principal, record: IndexRecord, project: ProjectName): void {
  const action = uploadOf('upload', record, project)
  if (may(who, action)) return
  const why = beyondScope(who, action) ?? 'it was withdrawn meanwhile'
  throw new Problem('not-allowed', `no permission to submit to ${record.name}: ${why}`)
}
