/** The report of an import: its counts, and the items that it changed or left out. */
import { Problem } from '../../model/errors.ts'

export interface Remark {
  readonly kind: 'left out' | 'changed' | 'error'
  /** What it is about: `alice`, `alice/dev`, `alice/dev pkg 1.0`, a path in the dump. */
  readonly entry: string
  /** A sentence without its full stop. */
  readonly why: string
}

export interface ImportCounts {
  users: number
  indexes: number
  releases: number
  files: number
  documentation: number
  testResults: number
  bytes: number
}

export class ImportReport {
  readonly counts: ImportCounts = {
    users: 0,
    indexes: 0,
    releases: 0,
    files: 0,
    documentation: 0,
    testResults: 0,
    bytes: 0,
  }
  readonly remarks: Record<Remark['kind'], number> = { 'left out': 0, changed: 0, error: 0 }
  readonly #tell: (remark: Remark) => void

  /** `tell` is called at once for each remark: there may be many, and none is kept. */
  constructor(tell: (remark: Remark) => void) {
    this.#tell = tell
  }

  leftOut(entry: string, why: string): void {
    this.#add({ kind: 'left out', entry, why })
  }

  changed(entry: string, why: string): void {
    this.#add({ kind: 'changed', entry, why })
  }

  /** With one of these nothing is imported. */
  error(entry: string, why: string): void {
    this.#add({ kind: 'error', entry, why })
  }

  /** Does `work`; what is wrong with the entry (a `Problem`, text that cannot be read) becomes an error of the report. */
  async attempt(entry: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const isOfEntry = error instanceof SyntaxError || (error instanceof Problem && error.code !== 'disk-full')
      if (!isOfEntry) throw error
      this.error(entry, error.message)
    }
  }

  #add(remark: Remark): void {
    this.remarks[remark.kind]++
    this.#tell(remark)
  }
}
