/** The imports of a source file: the names imported from each file, and whether they are types only. */
import { dirname, join } from 'node:path'
import type { SourceFile } from './tidy-rules.ts'

export interface Import {
  /** Below the checkout, with forward slashes. */
  readonly target: string
  readonly line: number
  /** Nothing of it is there at run time. */
  readonly isTypeOnly: boolean
}

const IMPORT = /(?:\b(import|export)\s+(type\s+)?[^'";()]*?\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.[^'"]+)\3/g

/** Of files of this repository alone, in the order in which they stand. */
export function importsOf({ path, text }: SourceFile): Import[] {
  return [...text.matchAll(IMPORT)].map((match) => ({
    target: join(dirname(path), match[4]!),
    line: text.slice(0, match.index + match[0].length).split('\n').length,
    isTypeOnly: match[2] !== undefined,
  }))
}
