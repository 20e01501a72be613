/** The result of testing an archive (`devpi test`): kept as it was sent, beside the archive. */

import { writeBlob } from '../blob/blob-store.ts'
import { TOX_BOUNDS } from '../browse/tox-report.ts'
import { listAttachments, saveAttachment } from '../catalog/attachments.ts'
import { findFiles } from '../catalog/files.ts'
import { parseBoundedJson } from '../lib/bounded-json.ts'
import { beyondScope, type Principal, uploadOf } from '../model/access.ts'
import { Problem } from '../model/errors.ts'
import { fileAddress } from '../model/file-address.ts'
import { devpiTime, type IndexRecord, timestamp } from '../model/records.ts'
import type { Publishing } from './publishing.ts'

/**
 * Stores `body`, which must be JSON, as a result of the archive `filename` whose address begins with `hashStart`.
 * Gives back devpi's path of the result: `user/index/+f/…/FILENAME.toxresult-…#sha256=…`.
 * Throws `no-such-file`, `not-allowed`, `bad-request`.
 */
export async function storeToxResult(
  { catalog, blobs, clock, may }: Pick<Publishing, 'catalog' | 'blobs' | 'clock' | 'may'>,
  who: Principal,
  record: IndexRecord,
  { hashStart, filename }: { readonly hashStart: string; readonly filename: string },
  body: Buffer,
): Promise<string> {
  const find = async (reader: Parameters<typeof findFiles>[0]) =>
    (await findFiles(reader, record, filename)).find((each) => each.addressHash.startsWith(hashStart))
  const tested = await catalog.read(find)
  if (tested === undefined) throw noFile(record, hashStart, filename)
  const action = uploadOf('upload-toxresult', record, tested.project)
  if (!may(who, action)) {
    const why = beyondScope(who, action) ?? `acl_toxresult_upload of ${record.name} says who may`
    throw new Problem('not-allowed', `No permission to upload tox results: ${why}`)
  }
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
    parseBoundedJson(body.toString('utf8'), TOX_BOUNDS)
    return true
  } catch {
    return false
  }
}
