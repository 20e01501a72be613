/** Folders as devpi-export writes them, made by hand, and what an import makes of them. */
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Passwords } from '../../src/accounts/login/passwords.ts'
import { LIMITS } from '../../src/model/limits.ts'
import { type DevpiImport, importDevpi } from '../../src/transfer/devpi/import-devpi.ts'
import { ImportReport, type Remark } from '../../src/transfer/devpi/import-report.ts'
import { type TempFolder, tempFolder } from '../world/temp-folder.ts'
import type { TempStores } from '../world/temp-stores.ts'

export interface DumpIndex {
  readonly indexconfig?: Readonly<Record<string, unknown>>
  readonly projects?: Readonly<Record<string, unknown>>
  readonly files?: readonly unknown[]
}

export interface Dump {
  /** alice without any keys when absent. */
  readonly users?: Readonly<Record<string, unknown>>
  readonly groups?: Readonly<Record<string, unknown>>
  readonly indexes?: Readonly<Record<string, DumpIndex>>
  /** `2` when absent. */
  readonly dumpversion?: unknown
  /** Path below the dump → content. */
  readonly content?: Readonly<Record<string, string | Uint8Array>>
}

export interface Imported {
  readonly remarks: readonly Remark[]
  readonly report: ImportReport
}

/** A stage whose options nothing is said of. */
export const STAGE = { type: 'stage', mirror_whitelist_inheritance: 'intersection' } as const

export async function tempDump({ content = {}, ...index }: Dump): Promise<TempFolder> {
  const folder = await tempFolder()
  for (const [path, bytes] of Object.entries(content)) {
    await mkdir(dirname(join(folder.path, path)), { recursive: true })
    await writeFile(join(folder.path, path), bytes)
  }
  const whole = { users: { alice: {} }, indexes: {}, dumpversion: '2', ...index }
  await writeFile(join(folder.path, 'dataindex.json'), JSON.stringify(whole))
  return folder
}

/** The line of an archive, which lies at `path`. */
export function archiveLine(path: string, bytes: string | Uint8Array, more: Readonly<Record<string, unknown>> = {}) {
  const parts = path.split('/')
  return {
    type: 'releasefile',
    projectname: parts[2],
    version: parts[3],
    relpath: path,
    entrymapping: {
      last_modified: 'Fri, 09 Aug 2024 13:15:02 GMT',
      hashes: { sha256: createHash('sha256').update(bytes).digest('hex') },
    },
    log: [],
    ...more,
  }
}

/** Imports into stores in which nobody is yet. */
export async function importInto(
  { catalog, blobs, clock }: TempStores,
  folder: string,
  more: Partial<DevpiImport> = {},
): Promise<Imported> {
  const remarks: Remark[] = []
  const report = new ImportReport((remark) => remarks.push(remark))
  await report.attempt('dataindex.json', () =>
    importDevpi({
      folder,
      catalog,
      blobs,
      clock,
      report,
      limits: { ...LIMITS, readChunkBytes: 100 },
      isPasswordHash: Passwords.isHash,
      skipTypes: [],
      hasRootPypi: true,
      goesOn: true,
      ...more,
    }),
  )
  return { remarks, report }
}
