/** The files of an upload session (PEP 694): announced, sent, attested to, completed. */
import { createHash, type Hash } from 'node:crypto'
import { noteOnVersion } from '../../archive/metadata-rules.ts'
import { BlobTooLarge, type Draft } from '../../blob/blob-store.ts'
import {
  addStagedFile,
  attestStagedFile,
  completeStagedFile,
  deleteStagedFile,
  findStagedFile,
  listStagedFiles,
  receiveStagedFile,
  refuseStagedFile,
  type StagedFile,
} from '../../catalog/staged-files.ts'
import { isDiskFull, Problem } from '../../model/errors.ts'
import { verifyAttestations } from '../attestations.ts'
import { durably } from '../durably.ts'
import { examineUpload } from '../examine-upload.ts'
import type { Publishing } from '../publishing.ts'
import { conflicting, forgetStored, type Storable, storableOf } from '../store-upload.ts'
import { type FileOrder, SESSION_HASHES } from './session-requests.ts'
import { type AskedSession, currentIndex, newKey, noSuchSession, stillOpen } from './sessions.ts'

/**
 * Takes note of a file that is to come; one of that name which is in the session already is given, with `isNew` false.
 * Throws `file-exists` where the index has other content under that name and keeps it, `session-conflict` for too many files,
 * and what `stillOpen` throws.
 */
export async function announceFile(
  publisher: Publishing,
  asked: AskedSession,
  order: FileOrder,
): Promise<{ readonly file: StagedFile; readonly isNew: boolean }> {
  const { catalog, limits } = publisher
  return await catalog.write(async (writer) => {
    const session = await stillOpen(publisher, writer, asked)
    const record = await currentIndex(writer, session.index)
    const { sha256: digest } = order.hashes
    const { filename } = order
    const { project, version } = session
    await conflicting(writer, record, { project, filename, version, ...(digest !== undefined && { digest }) })
    const files = await listStagedFiles(writer, session)
    const known = files.find((each) => each.filename === filename)
    if (known !== undefined) return { file: known, isNew: false }
    if (files.length >= limits.uploadSessionFiles) {
      throw new Problem('session-conflict', `The session has ${files.length} files, which is the most`)
    }
    return { file: await addStagedFile(writer, session, { key: newKey(), ...order }), isNew: true }
  })
}

/** A file of the session. Throws `no-such-session`. */
export async function askedFile({ catalog }: Publishing, { session }: AskedSession, key: string): Promise<StagedFile> {
  const file = await catalog.read((reader) => findStagedFile(reader, session, key))
  if (file === undefined) throw noSuchSession('file in the upload session')
  return file
}

/**
 * Reads the bytes of a file to their end, holds them against what was announced, and makes every check that uploads go
 * through; what was there before is replaced. A file that is refused is marked with the reason, and may be sent again.
 *
 * Throws `digest-differs`, `upload-incomplete`, `disk-full`, what `examineUpload` and `stillOpen` throw, and
 * `session-conflict` for a file that is completed.
 */
export async function receiveFile(
  publisher: Publishing,
  asked: AskedSession,
  file: StagedFile,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  const { catalog, blobs, clock, limits } = publisher
  checkNotCompleted(file)
  await using draft = await blobs.draft({ limitBytes: file.sizeBytes })
  using held = new DisposableStack()
  let storable: Storable
  let note: string | undefined
  try {
    await readInto(draft, file, body)
    const { record, session } = asked
    const fields = new Map([
      ['name', [session.name]],
      ['version', [session.version]],
    ])
    const content = { filename: file.filename, draft, hashes: {} }
    const upload = await examineUpload(limits, record, { fields, content }, content)
    storable = held.use(await storableOf(publisher, upload)).storable
    note = upload.metadata && noteOnVersion(upload.metadata)
  } catch (error) {
    if (error instanceof Problem) await catalog.write((writer) => refuseStagedFile(writer, file, error.message))
    throw error
  }
  const { digest } = await durably(() => draft.commit())
  try {
    await catalog.write(async (writer) => {
      checkNotCompleted(await currentFile(publisher, writer, asked, file))
      await receiveStagedFile(writer, file, {
        ...storable,
        digest,
        receivedMs: clock.now().getTime(),
        ...(note !== undefined && { note }),
      })
    })
  } catch (error) {
    // The session ended meanwhile: nothing is to be left of it.
    if (error instanceof Problem && error.code !== 'disk-full') await forgetStored(publisher, storable)
    throw error
  }
}

/** Keeps what attests to the file, a JSON list as the field `attestations` of an upload form; it is verified when the file is completed. */
export async function attestFile(
  publisher: Publishing,
  asked: AskedSession,
  file: StagedFile,
  attestations: string,
): Promise<void> {
  await publisher.catalog.write(async (writer) => {
    checkNotCompleted(await currentFile(publisher, writer, asked, file))
    await attestStagedFile(writer, file, attestations)
  })
}

/**
 * Says that all of the file is here; completing it twice is the same as once. Throws `session-conflict` where its bytes are
 * not here, and what `verifyAttestations` and `stillOpen` throw.
 */
export async function completeFile(publisher: Publishing, asked: AskedSession, file: StagedFile): Promise<void> {
  if (file.status === 'completed') return
  const { received, filename, attestations } = file
  if (received === undefined) throw notReceived(file)
  const fields = new Map(attestations === undefined ? [] : [['attestations', [attestations]] as const])
  const signed = await verifyAttestations(publisher, asked.who, { filename, digest: received.digest, fields })
  await publisher.catalog.write(async (writer) => {
    const now = await currentFile(publisher, writer, asked, file)
    if (now.received?.digest !== received.digest || now.attestations !== attestations) {
      throw new Problem('session-conflict', `${filename} was sent anew meanwhile`, { hint: 'complete it again' })
    }
    await completeStagedFile(writer, now, signed)
  })
}

/** Takes the file out of the session. Throws as `stillOpen`. */
export async function dropFile(publisher: Publishing, asked: AskedSession, file: StagedFile): Promise<void> {
  await publisher.catalog.write(async (writer) => {
    await deleteStagedFile(writer, await currentFile(publisher, writer, asked, file))
  })
}

async function currentFile(
  publisher: Publishing,
  writer: Parameters<typeof stillOpen>[1],
  asked: AskedSession,
  { key }: StagedFile,
): Promise<StagedFile> {
  const session = await stillOpen(publisher, writer, asked)
  const file = await findStagedFile(writer, session, key)
  if (file === undefined) throw noSuchSession('file in the upload session')
  return file
}

async function readInto(draft: Draft, file: StagedFile, body: AsyncIterable<Uint8Array>): Promise<void> {
  const hashes = Object.keys(file.hashes).map((name): [string, Hash] => [
    name,
    createHash(SESSION_HASHES.get(name)!.name),
  ])
  try {
    for await (const chunk of body) {
      for (const [, hash] of hashes) hash.update(chunk)
      await draft.append(chunk)
    }
  } catch (error) {
    throw explained(error, file)
  }
  const { filename, sizeBytes } = file
  if (draft.sizeBytes !== sizeBytes) {
    const message = `${filename} has ${draft.sizeBytes} bytes, ${sizeBytes} were announced`
    throw new Problem('digest-differs', message, { hint: 'send it again, whole' })
  }
  for (const [name, hash] of hashes) {
    const found = hash.digest('hex')
    if (found === file.hashes[name]) continue
    throw new Problem('digest-differs', `${name} of ${filename} is ${found}, ${file.hashes[name]} was announced`, {
      hint: 'send it again: the file changed, or was damaged on its way',
    })
  }
}

function explained(error: unknown, { filename, sizeBytes }: StagedFile): Problem {
  if (error instanceof BlobTooLarge) {
    return new Problem('digest-differs', `${filename} has more than the ${sizeBytes} bytes that were announced`, {
      cause: error,
    })
  }
  if (isDiskFull(error)) {
    return new Problem('disk-full', 'Cannot keep the file: the disk of the server folder is full', {
      hint: 'free some space and send it again',
      cause: error,
    })
  }
  const message = `Cannot read ${filename}: ${(error as Error).message}`
  return new Problem('upload-incomplete', message, { cause: error })
}

function checkNotCompleted({ status, filename }: StagedFile): void {
  if (status !== 'completed') return
  throw new Problem('session-conflict', `${filename} is completed already`, {
    hint: 'delete it from the session first, then announce it again',
  })
}

function notReceived({ filename, fault }: StagedFile): Problem {
  const why = fault === undefined ? 'it was not sent yet' : `what was sent was refused: ${fault}`
  return new Problem('session-conflict', `Cannot complete ${filename}: ${why}`, {
    hint: 'send it to its file_url first',
  })
}
