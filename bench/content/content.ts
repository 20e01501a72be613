/** The files of the benchmark on disk, made once: `.cache/bench/content-…/{project}/{filename}`. */
import { createHash } from 'node:crypto'
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { wheel } from '../../test/builders/wheels.ts'
import { CHECKOUT } from '../../test/programs/server-process.ts'
import { type Amounts, build, HUGE, type WantedFile, wantedFiles } from './wanted-files.ts'

export interface Content {
  /** Absolute; a folder for every project, flat files in it. */
  readonly folder: string
  /** Tells this content from any other. */
  readonly stamp: string
  readonly amounts: Amounts
  /** All but the huge one. */
  readonly files: readonly WantedFile[]
  readonly huge: HugeFile
}

export interface HugeFile {
  readonly filename: string
  readonly path: string
}

/** Where the benchmark keeps what takes long to make. */
export const KEPT = join(CHECKOUT, '.cache', 'bench')
/** Raised when files are made in another way. */
const FORM = 1

/** The files of such amounts, made where they do not stand yet. */
export async function madeContent(amounts: Amounts): Promise<Content> {
  const stamp = createHash('sha256')
    .update(JSON.stringify([FORM, amounts]))
    .digest('hex')
    .slice(0, 12)
  const folder = join(KEPT, `content-${stamp}`)
  const files = wantedFiles(amounts)
  const filename = `${HUGE.replace('-', '_')}-1.0-py3-none-any.whl`
  const huge = { filename, path: join(folder, HUGE, filename) }
  const isMade = await stat(folder).then(
    () => true,
    () => false,
  )
  if (!isMade) {
    const draft = `${folder}.${process.pid}`
    await rm(draft, { recursive: true, force: true })
    for (const project of new Set([...files.map((each) => each.project), HUGE]))
      await mkdir(join(draft, project), { recursive: true })
    for (const each of files) {
      const { filename, bytes } = build(each)
      await writeFile(join(draft, each.project, filename), bytes)
    }
    await writeFile(join(draft, HUGE, filename), hugeWheel(amounts.hugeBytes))
    await rename(draft, folder)
  }
  return { folder, stamp, amounts, files, huge }
}

/** A wheel whose one large member does not compress: a repeated block would be read from the processor's cache alone. */
function hugeWheel(sizeBytes: number): Buffer {
  const content = Buffer.allocUnsafe(sizeBytes)
  let state = 0x9e3779b9
  for (let at = 0; at + 4 <= sizeBytes; at += 4) {
    // Marsaglia's xorshift32.
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    content.writeInt32LE(state, at)
  }
  content.fill(0, sizeBytes - (sizeBytes % 4))
  return wheel({ name: HUGE, version: '1.0', files: { 'data.bin': content } }).bytes
}
