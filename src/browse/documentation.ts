/** Reads the documentation of a stage's releases from the uploaded zips. */

import { ArchiveError, type ArchiveSource } from '../archive/source.ts'
import type { ZipMember } from '../archive/zip-members.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import { listAttachments } from '../catalog/attachments.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { listFiles } from '../catalog/files.ts'
import { listReleases } from '../catalog/projects.ts'
import type { Digest } from '../lib/digest.ts'
import { Recent } from '../lib/recent.ts'
import { noSuchProject, Problem } from '../model/errors.ts'
import type { Limits } from '../model/limits.ts'
import type { Attachment, IndexRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import { compareVersions, isPrerelease } from '../pep/version.ts'

/** The documentation of one release: a zip with `index.html` at its root. */
export interface ReleaseDocumentation {
  readonly zip: Attachment
  readonly members: ReadonlyMap<string, ZipMember>
  /** What was asked for, as a version: the latest one has perhaps no documentation. */
  readonly askedVersion: string
}

type Members = ReadonlyMap<string, ZipMember>

export class Documentation {
  readonly #catalog: Catalog
  readonly #blobs: BlobStore
  readonly #limits: Limits
  readonly #directories: Recent<Digest, Members>

  constructor(from: { readonly catalog: Catalog; readonly blobs: BlobStore; readonly limits: Limits }) {
    this.#catalog = from.catalog
    this.#blobs = from.blobs
    this.#limits = from.limits
    this.#directories = new Recent(from.limits.documentationMembersKept)
  }

  /**
   * The documentation of a version on this very index, or the newest there is for `latest` and, without pre-releases, for
   * `stable` (devpi-web's rules). Throws `no-such-project`, and `no-such-file` where there is none.
   */
  async find(
    index: IndexRecord,
    project: ProjectName,
    version: string,
    isShown: (version: string) => boolean,
  ): Promise<ReleaseDocumentation> {
    const { known, zips } = await this.#catalog.read(async (reader) => {
      const releases = [...(await listReleases(reader, index, project)), ...(await listFiles(reader, index, project))]
      const attachments = await listAttachments(reader, index, project)
      return { known: releases, zips: attachments.filter((each) => each.kind === 'doczip') }
    })
    const all = [...new Set(known.map((each) => each.version))].filter(isShown).sort((a, b) => compareVersions(b, a))
    const isStable = version === 'stable'
    const isNewest = isStable || version === 'latest'
    if (isNewest && all.length === 0) throw noSuchProject(project)
    const versions = isStable ? all.filter((each) => !isPrerelease(each)) : isNewest ? all : [version].filter(isShown)
    if (versions[0] === undefined && isStable) {
      throw new Problem('no-such-version', `The project ${project} has no stable release.`)
    }
    let triesLeft = this.#limits.documentationTries
    for (const each of versions) {
      const zip = zips.find((one) => one.version === each)
      if (zip === undefined) continue
      const members = await this.members(zip)
      if (members.has('index.html')) return { zip, members, askedVersion: versions[0]! }
      if (--triesLeft === 0) break
    }
    throw new Problem('no-such-file', isStable ? 'No stable documentation available.' : 'No documentation available.')
  }

  /** What can be served of the zip, by path; nothing where it cannot be read. */
  async members(zip: Attachment): Promise<Members> {
    const kept = this.#directories.get(zip.digest)
    if (kept !== undefined) return kept
    const { documentationMembers: members, documentationMemberBytes: memberBytes } = this.#limits
    const { listZipMembers } = await zipMembers()
    const found = await listZipMembers(this.#source(zip), { members, memberBytes }).catch((error: unknown) => {
      // One that came in by an import was not looked at then.
      if (error instanceof ArchiveError) return { members: new Map<string, ZipMember>() }
      throw error
    })
    this.#directories.set(zip.digest, found.members, found.members.size + 1)
    return found.members
  }

  /** The bytes of a member from `start` up to, not including, `end`. Ends with `ArchiveError` where they are not as promised. */
  async *read(
    zip: Attachment,
    member: ZipMember,
    range: { readonly start: number; readonly end: number },
  ): AsyncGenerator<Uint8Array> {
    const { readZipMember } = await zipMembers()
    yield* readZipMember(this.#source(zip), member, range)
  }

  #source({ digest, sizeBytes }: Attachment): ArchiveSource {
    const blobs = this.#blobs
    return {
      size: sizeBytes,
      async *read(start, end) {
        yield* await blobs.open(digest, { start, end })
      },
    }
  }
}

/** Loaded with the first zip that is looked into. */
async function zipMembers() {
  return await import('../archive/zip-members.ts')
}
