/** What devpi tells of a file to clients that ask for JSON at its address. */
import type { LocatedFile } from '../../indexes/package-index.ts'

/** devpi's `releasefilemeta`. Does not fetch a mirror's file. */
export function fileMeta({ project, file, origin, source }: LocatedFile): Record<string, unknown> {
  const { sha256 } = file.hashes
  return {
    ...(source.from === 'blob' && { last_modified: new Date(file.uploadTime!).toUTCString() }),
    ...(sha256 === undefined ? { hashes: {} } : { hash_spec: `sha256=${sha256}`, hashes: { sha256 } }),
    project,
    version: file.version || null,
    ...(origin !== undefined && { url: origin }),
  }
}
