/** Archives that are made again whenever they are needed, so that thousands of them cost no memory. */
import { createHash } from 'node:crypto'
import type { Digest } from '../../src/lib/digest.ts'
import { type BuiltFile, sdist, wheel } from '../wheels.ts'

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

export function bake(recipe: Recipe): BuiltFile {
  const { project: name, version, edition, sizeBytes } = recipe
  const noise = noiseOf(`${name} ${version} ${edition}`, sizeBytes)
  const options = {
    name,
    version,
    summary: `Made of ${name}`,
    description: `# ${name}\n`,
    files: { 'noise.bin': noise },
  }
  return recipe.kind === 'wheel' ? wheel(options) : sdist(options)
}

export function made(recipe: Recipe, { filename, sha256 }: BuiltFile): Made {
  return { ...recipe, filename, sha256 }
}

/** Bytes that do not compress. */
function noiseOf(seed: string, sizeBytes: number): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0; at < sizeBytes; at += 64) pieces.push(createHash('sha512').update(`${seed} ${at}`).digest())
  return Buffer.concat(pieces).subarray(0, sizeBytes)
}
