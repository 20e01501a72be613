/** Archives that are made again whenever they are needed, so that thousands of them cost no memory. */
import { createCipheriv, createHash } from 'node:crypto'
import type { Digest } from '../../src/lib/digest.ts'
import { type BuiltFile, coreMetadata, sdist, wheel } from '../builders/wheels.ts'

export interface Recipe {
  readonly project: string
  readonly version: string
  readonly kind: 'wheel' | 'sdist'
  /** Another one is another content under the same filename. */
  readonly edition: number
  /** About so many bytes. */
  readonly sizeBytes: number
}

export interface Made extends Recipe {
  readonly filename: string
  readonly sha256: Digest
}

/** What was made lately, by recipe; of the oldest nothing is kept. */
const baked = new Map<string, BuiltFile>()
const BAKED_MOST_BYTES = 64 * 1024 * 1024
let bakedBytes = 0

export function bake(recipe: Recipe): BuiltFile {
  const { project, version, kind, edition, sizeBytes } = recipe
  const key = `${project} ${version} ${kind} ${edition} ${sizeBytes}`
  const known = baked.get(key)
  if (known !== undefined) return known
  const options = { ...said(recipe), files: { 'noise.bin': noiseOf(key, sizeBytes) } }
  const file = kind === 'wheel' ? wheel(options) : sdist(options)
  baked.set(key, file)
  bakedBytes += file.bytes.length
  for (const [oldest, { bytes }] of baked) {
    if (bakedBytes <= BAKED_MOST_BYTES) break
    baked.delete(oldest)
    bakedBytes -= bytes.length
  }
  return file
}

/** The metadata file of its wheel: the very bytes that are in it, as an index must send them (PEP 658). */
export function metadataOf(recipe: Recipe): string {
  return coreMetadata(said(recipe), '2.1')
}

function said({ project: name, version }: Recipe) {
  return { name, version, summary: `Made of ${name}`, description: `# ${name}\n` }
}

export function made(recipe: Recipe, { filename, sha256 }: BuiltFile): Made {
  return { ...recipe, filename, sha256 }
}

/** Bytes that do not compress: a cipher's stream. */
function noiseOf(seed: string, sizeBytes: number): Buffer {
  const digest = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-128-ctr', digest.subarray(0, 16), digest.subarray(16)).update(Buffer.alloc(sizeBytes))
}
