/** A preview of a project as an upload session (PEP 694) will publish it, for installers. */
import type { Catalog } from '../catalog/catalog.ts'
import type { StagedFile } from '../catalog/staged-files.ts'
import type { UploadSession } from '../catalog/upload-sessions.ts'
import type { Digest } from '../lib/digest.ts'
import type { StageRecord } from '../model/records.ts'
import type { ProjectName } from '../pep/name.ts'
import type { OpenIndex } from './open-index.ts'
import type { FileSource, IndexFile, IndexPage } from './package-index.ts'
import { isShadowed } from './shadow.ts'
import { stage } from './stage.ts'

/**
 * The project's page with the completed files of the session, in place of those that they replace. An upstream is asked only
 * if it will be when the stage has the project.
 */
export async function stagedPage(
  catalog: Catalog,
  opened: Pick<OpenIndex, 'index' | 'chain' | 'record'>,
  session: UploadSession,
  files: readonly StagedFile[],
): Promise<IndexPage> {
  const { record } = opened
  const pages = await pagesBeside(catalog, opened, session.project)
  const found = new Map<string, IndexFile>()
  for (const file of [...files.flatMap((each) => listed(session, each)), ...pages.flatMap((page) => page.files)]) {
    if (!found.has(file.filename)) found.set(file.filename, file)
  }
  const status = pages.find((page) => page.status !== undefined)?.status
  return {
    ...(status !== undefined && { status }),
    index: record.name,
    name: session.project,
    files: [...found.values()],
    versions: [...new Set([session.version, ...[...found.values()].map((file) => file.version)])],
  }
}

/** The bytes of a completed file, or those of its metadata for a name with `.metadata` behind. */
export function stagedSource(files: readonly StagedFile[], filename: string): FileSource | undefined {
  for (const { filename: name, status, received, sizeBytes } of files) {
    if (status !== 'completed' || received === undefined) continue
    if (name === filename) return { from: 'blob', digest: received.digest, sizeBytes }
    const { coreMetadata } = received
    if (`${name}.metadata` === filename && coreMetadata !== undefined) return { from: 'blob', ...coreMetadata }
  }
  return undefined
}

/** What there is of the project, in resolution order. */
async function pagesBeside(
  catalog: Catalog,
  { index, chain, record }: Pick<OpenIndex, 'index' | 'chain' | 'record'>,
  project: ProjectName,
): Promise<readonly IndexPage[]> {
  const stages = chain.filter((each): each is StageRecord => each.options.type === 'stage')
  const own = await Promise.all(stages.map((each) => stage(catalog, each).project(project)))
  const says = stages.map((each, place) => ({
    whitelist: each.options.mirror_whitelist,
    knows: each.id === record.id || own[place] !== undefined,
  }))
  const inheritance = record.options.type === 'stage' ? record.options.mirror_whitelist_inheritance : 'union'
  if (isShadowed(project, inheritance, says)) return own.filter((page) => page !== undefined)
  const page = await index.project(project)
  return page === undefined ? [] : [page]
}

function listed(
  { index, preview, version }: UploadSession,
  { filename, sizeBytes, status, received }: StagedFile,
): IndexFile[] {
  if (status !== 'completed' || received === undefined) return []
  const { digest, coreMetadata, requiresPython, receivedMs } = received
  return [
    {
      filename,
      url: `${index}/+staged/${preview}/files/${filename}`,
      hashes: { sha256: digest satisfies Digest },
      size: sizeBytes,
      uploadTime: new Date(receivedMs).toISOString(),
      index,
      version,
      held: true,
      ...(requiresPython !== undefined && { requiresPython }),
      ...(coreMetadata !== undefined && { coreMetadata: { sha256: coreMetadata.digest } }),
    },
  ]
}
