/** A project in devpi's JSON API: every version with its metadata, files and attachments. */
import { listAttachments } from '../catalog/attachments.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { listFiles } from '../catalog/files.ts'
import { listReleases } from '../catalog/projects.ts'
import type { Shown } from '../indexes/gate.ts'
import type { OpenIndex } from '../indexes/open-index.ts'
import type { IndexFile, IndexPage } from '../indexes/package-index.ts'
import { fileAddress } from '../model/file-address.ts'
import { EMPTY_METADATA } from '../model/metadata-keys.ts'
import { type Attachment, type File, type IndexRecord, isMirror } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import { compareVersions, isPrerelease } from '../pep/version.ts'
import type { ReleaseReaders } from './release-metadata.ts'

export type VersionData = Record<string, unknown>

/** From a path below the server's root, not percent-encoded, to an absolute address. */
export type AddressFor = (path: string) => string

/** Version → data, newest first: the first layer that has a version gives it, later ones stand under `+shadowing`. */
export async function devpiVersions(
  { catalog, indexes }: Pick<ReleaseReaders, 'catalog' | 'indexes'>,
  opened: OpenIndex,
  project: ProjectName,
  { isAlone, href }: { readonly isAlone: boolean; readonly href: AddressFor },
): Promise<Map<string, VersionData>> {
  const own = isAlone ? await (await indexes.layer(opened.record)).project(project) : undefined
  const pages = isAlone ? (own === undefined ? [] : [own]) : await opened.index.pages(project)
  const merged = new Map<string, VersionData>()
  for (const page of pages) {
    const record = opened.chain.find((each) => each.name === page.index)!
    const shown = await indexes.shown(record, project)
    const layer = isMirror(record)
      ? await mirrored(catalog, record, page, shown, href)
      : await staged(catalog, record, page, shown, href)
    for (const [version, data] of layer) {
      const before = merged.get(version)
      if (before === undefined) merged.set(version, data)
      else before['+shadowing'] = [...((before['+shadowing'] as VersionData[] | undefined) ?? []), data]
    }
  }
  return new Map([...merged].sort(([a], [b]) => compareVersions(b, a)))
}

async function staged(
  catalog: Catalog,
  record: IndexRecord,
  page: IndexPage,
  shown: Shown,
  href: AddressFor,
): Promise<Map<string, VersionData>> {
  const { releases, files, attachments } = await catalog.read(async (reader) => ({
    releases: await listReleases(reader, record, page.name),
    files: await listFiles(reader, record, page.name),
    attachments: await listAttachments(reader, record, page.name),
  }))
  const held = new Map(files.map((file) => [file.filename, file]))
  return new Map(
    releases
      .filter((release) => page.versions.includes(release.version))
      .map((release) => {
        const isHere = (each: { readonly version: string }) => each.version === release.version
        const links = [
          ...page.files
            .filter(isHere)
            .map((file) => ({ ...link(file, href), log: told(held.get(file.filename)?.log ?? []) })),
          ...attachments
            .filter((each) => isHere(each) && isAttachedSeen(shown, each))
            .map((each) => attached(each, held, href)),
        ]
        const yanked = yankOf(files.filter(isHere))
        return [
          release.version,
          {
            ...EMPTY_METADATA,
            ...release.metadata,
            ...(yanked !== undefined && { yanked }),
            ...(links.length > 0 && { '+links': links }),
          },
        ]
      }),
  )
}

/** A test result goes with its file. */
function isAttachedSeen(shown: Shown, { ofFile }: Attachment): boolean {
  return ofFile === undefined || shown.file(ofFile.filename)
}

/** Of a release of which every file is yanked. */
function yankOf(files: readonly File[]): File['yanked'] {
  return files.every((file) => file.yanked !== undefined) ? files[0]?.yanked : undefined
}

function attached(attachment: Attachment, files: ReadonlyMap<string, File>, href: AddressFor): VersionData {
  const { index, addressHash, filename, digest } = attachment
  const of = attachment.ofFile && files.get(attachment.ofFile.filename)
  const at = (hash: string, name: string) => href(fileAddress(index, hash, name))
  return {
    rel: attachment.kind,
    href: at(addressHash, filename),
    hash_spec: `sha256=${digest}`,
    hashes: { sha256: digest },
    ...(of !== undefined && { for_href: at(of.addressHash, of.filename) }),
    log: told(attachment.log),
  }
}

/** Nobody is told of as such. */
function told(log: File['log']): readonly VersionData[] {
  return log.map((event) => ({ who: null, ...event }))
}

async function mirrored(
  catalog: Catalog,
  record: IndexRecord,
  page: IndexPage,
  shown: Shown,
  href: AddressFor,
): Promise<Map<string, VersionData>> {
  const { held, attachments } = await catalog.read(async (reader) => {
    const attachments = await listAttachments(reader, record, page.name)
    const files = attachments.length === 0 ? [] : await listFiles(reader, record, page.name)
    return { attachments, held: new Map(files.map((file) => [file.filename, file])) }
  })
  // A file whose name tells no version is on the simple page only.
  const groups = Map.groupBy(
    page.files.filter((file) => file.version !== ''),
    (file) => file.version,
  )
  return new Map(
    [...groups].map(([version, files]) => {
      const requiresPython = files.find((file) => file.requiresPython !== undefined)?.requiresPython
      const yanked = files.find((file) => file.yanked !== undefined)?.yanked
      return [
        version,
        {
          name: page.name,
          version,
          ...(requiresPython !== undefined && { requires_python: requiresPython }),
          ...(yanked !== undefined && { yanked }),
          '+links': [
            ...files.map((file) => link(file, href)),
            ...attachments
              .filter((each) => each.version === version && isAttachedSeen(shown, each))
              .map((each) => attached(each, held, href)),
          ],
        },
      ]
    }),
  )
}

function link(file: IndexFile, href: AddressFor): VersionData {
  const [[algorithm, digest] = []] = Object.entries(file.hashes)
  return {
    rel: 'releasefile',
    href: href(file.url),
    ...(digest !== undefined && { hash_spec: `${algorithm}=${digest}` }),
    hashes: file.hashes,
  }
}

/** As written, or `latest` and `stable` as devpi-web understands them. */
export function findVersion(versions: ReadonlyMap<string, VersionData>, wanted: string): VersionData | undefined {
  const known = versions.get(wanted)
  if (known !== undefined || (wanted !== 'latest' && wanted !== 'stable')) return known
  const stable = [...versions.keys()].find((version) => !isPrerelease(version))
  return wanted === 'stable' && stable !== undefined ? versions.get(stable) : versions.values().next().value
}
