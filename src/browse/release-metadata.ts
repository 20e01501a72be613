/** The metadata of a release: as registered, otherwise from its wheel. */
import type { BlobStore } from '../blob/blob-store.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { listReleases } from '../catalog/projects.ts'
import type { Indexes, OpenIndex } from '../indexes/open-index.ts'
import type { FileSource, IndexPage } from '../indexes/package-index.ts'
import { collect } from '../lib/streams.ts'
import { Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import { type CoreMetadata, MetadataError, parseMetadata } from '../pep/metadata.ts'

export interface ReleaseReaders {
  readonly catalog: Catalog
  readonly blobs: BlobStore
  readonly indexes: Indexes
  readonly limits: Limits
}

/** Under the upload form's keys; empty where nothing can be told, also because an upstream is gone. */
export async function releaseMetadata(
  { catalog, blobs, indexes, limits }: ReleaseReaders,
  opened: OpenIndex,
  page: IndexPage,
  version: string,
): Promise<CoreMetadata['fields']> {
  for (const record of opened.chain) {
    const releases = await catalog.read((reader) => listReleases(reader, record, page.name))
    const found = releases.find((release) => release.version === version)
    if (found !== undefined && Object.keys(found.metadata).length > 0) return found.metadata
  }
  const wheel = page.files.find((file) => file.version === version && file.coreMetadata !== undefined)
  const record = opened.chain.find((each) => each.name === wheel?.index)
  if (wheel === undefined || record === undefined) return {}
  try {
    const layer = await indexes.layer(record)
    const found = await layer.at({ kind: 'listed', project: page.name }, `${wheel.filename}.metadata`)
    if (found === undefined || found === 'deleted') return {}
    return parseMetadata(await bytesOf(found.source, blobs, limits.metadataBytes)).fields
  } catch (error) {
    // The files can be told all the same.
    const isUpstreams = error instanceof Problem && error.code.startsWith('upstream-')
    if (isUpstreams || error instanceof MetadataError) return {}
    throw error
  }
}

async function bytesOf(source: FileSource, blobs: BlobStore, limitBytes: number): Promise<Uint8Array> {
  if (source.from === 'memory') return source.bytes
  return await collect(source.from === 'blob' ? await blobs.open(source.digest) : source.fetch().read(), limitBytes)
}
