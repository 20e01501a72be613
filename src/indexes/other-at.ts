/** Finds what is at an address but is not a file of a release: documentation, test results, and deleted files. */
import { findAttachments } from '../catalog/attachments.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { wasDeleted } from '../catalog/deleted-addresses.ts'
import { fileAddress } from '../model/file-address.ts'
import type { Attachment, IndexRecord } from '../model/records.ts'
import { type AskedAddress, isAddressed } from './asked-address.ts'
import { heldAttachment } from './held.ts'
import type { Conditions, LocatedFile } from './package-index.ts'

/** Asks the catalog alone; attachments are no files that a mirror and a stage could both have. */
export async function otherAt(
  catalog: Catalog,
  record: IndexRecord,
  address: AskedAddress,
  filename: string,
  admit: Conditions['admit'],
): Promise<LocatedFile | 'deleted' | undefined> {
  const other = await catalog.read(async (reader) => {
    const attachments = address.kind === '+f' ? await findAttachments(reader, record, filename) : []
    const found = attachments.find((each) => isAddressed(each, address))
    if (found !== undefined) return located(record, found)
    const hash = hashIn(address)
    const isGone = hash !== undefined && (await wasDeleted(reader, fileAddress(record.name, hash, filename)))
    return isGone ? 'deleted' : undefined
  })
  if (typeof other === 'object') await admit?.(other)
  return other
}

function located(record: IndexRecord, attachment: Attachment): LocatedFile {
  const { project, digest, sizeBytes, created: modified } = attachment
  const source = { from: 'blob', digest, sizeBytes, modified } as const
  const about = attachment.ofFile === undefined ? {} : { aboutFilename: attachment.ofFile.filename }
  return { project, file: heldAttachment(record, attachment), isAttachment: true, ...about, source }
}

/** Deleted addresses are remembered by the start of the hash, which a path below `packages/` has in it. */
function hashIn(address: AskedAddress): string | undefined {
  if (address.kind === '+f') return address.hashStart
  return address.kind === 'packages' ? address.path.replaceAll('/', '') : undefined
}
