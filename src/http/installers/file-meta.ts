/** What devpi tells of a file to who asks for JSON at its address. */
import { findAttachments } from '../../catalog/attachments.ts'
import { findFiles } from '../../catalog/files.ts'
import { type AskedAddress, isAddressed, locateFile } from '../../indexes/locate-file.ts'
import { withoutCredentials } from '../../mirrors/mirror-address.ts'
import type { IndexRecord } from '../../model/records.ts'
import { versionOf } from '../../pep/filename.ts'
import type { Services } from '../services.ts'

/** devpi's `releasefilemeta`; `undefined` where nothing is at the address. Does not fetch a mirror's file. */
export async function fileMeta(
  { catalog, indexes }: Pick<Services, 'catalog' | 'indexes'>,
  record: IndexRecord,
  address: AskedAddress,
  filename: string,
): Promise<Record<string, unknown> | undefined> {
  const isAsked = (each: { readonly addressHash: string; readonly origin?: string }) => isAddressed(each, address)
  const held = await catalog.read(async (reader) => {
    const file = (await findFiles(reader, record, filename)).find(isAsked)
    if (file !== undefined) return { ...file, at: file.uploadTime }
    const attachment = (await findAttachments(reader, record, filename)).find(isAsked)
    return attachment && { ...attachment, at: attachment.created, origin: undefined }
  })
  if (held !== undefined) {
    return {
      last_modified: new Date(held.at).toUTCString(),
      ...hashes(held.digest),
      project: held.project,
      version: held.version,
      ...(held.origin !== undefined && { url: withoutCredentials(held.origin) }),
    }
  }
  const located = await locateFile(catalog, record, await indexes.layer(record), address, filename)
  if (located?.source.from !== 'upstream') return undefined
  const { project, source } = located
  return {
    ...(source.digest === undefined ? { hashes: {} } : hashes(source.digest)),
    project,
    version: versionOf(filename, project) ?? null,
    url: source.origin,
  }
}

function hashes(digest: string): { hash_spec: string; hashes: { sha256: string } } {
  return { hash_spec: `sha256=${digest}`, hashes: { sha256: digest } }
}
