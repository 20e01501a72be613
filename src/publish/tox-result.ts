/** The result of testing an archive (`devpi test`): kept as it was sent, beside the archive. */
import { type BlobStore, writeBlob } from '../blob/blob-store.ts'
import { listAttachments, saveAttachment } from '../catalog/attachments.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { findFiles } from '../catalog/files.ts'
import type { Clock } from '../lib/clock.ts'
import type { Principal } from '../model/access.ts'
import { Problem } from '../model/errors.ts'
import { fileAddress } from '../model/file-address.ts'
import { devpiTime, type IndexRecord, timestamp } from '../model/records.ts'

/**
 * Stores `body`, which must be JSON, as a result of the archive `filename` whose address begins with `hashStart`.
 * Gives back devpi's path of the result: `user/index/+f/…/FILENAME.toxresult-…#sha256=…`.
 * Throws `no-such-file`, `bad-request`.
 */
export async function storeToxResult(
  { catalog, blobs, clock }: { readonly catalog: Catalog; readonly blobs: BlobStore; readonly clock: Clock },
  who: Principal,
  record: IndexRecord,
  { hashStart, filename }: { readonly hashStart: string; readonly filename: string },
  body: Buffer,
): Promise<string> {
  const find = async (reader: Parameters<typeof findFiles>[0]) =>
    (await findFiles(reader, record, filename)).find((each) => each.addressHash.startsWith(hashStart))
  if ((await catalog.read(find)) === undefined) throw noFile(record, hashStart, filename)
  if (!isJson(body)) throw new Problem('bad-request', 'Bad request: could not decode json')
  const blob = await writeBlob(blobs, [body], { limitBytes: body.length })
  const now = clock.now()
  return await catalog.write(async (writer) => {
    const file = await find(writer)
    if (file === undefined) throw noFile(record, hashStart, filename)
    const attachments = await listAttachments(writer, record, file.project)
    const earlier = attachments.filter((each) => each.ofFile?.id === file.id)
    const time = now.toISOString().slice(0, 19).replace(/\D/g, '')
    const name = `${filename}.toxresult-${time}-${earlier.length}`
    await saveAttachment(writer, record, {
      kind: 'toxresult',
      project: file.project,
      version: file.version,
      filename: earlier.some((each) => each.filename === name) ? `${name}-${earlier.at(-1)!.id}` : name,
      ...blob,
      created: timestamp(now),
      addressHash: file.addressHash,
      ofFile: { id: file.id, filename },
      log: [
        { what: 'upload', when: devpiTime(now), dst: record.name, ...(who.name !== undefined && { who: who.name }) },
      ],
    })
    return `${fileAddress(record.name, file.addressHash, name)}#sha256=${blob.digest}`
  })
}

function noFile(record: IndexRecord, hashStart: string, filename: string): Problem {
  return new Problem('no-such-file', `no release file found at ${fileAddress(record.name, hashStart, filename)}`)
}

function isJson(body: Buffer): boolean {
  try {
    JSON.parse(body.toString('utf8'))
    return true
  } catch {
    return false
  }
}
