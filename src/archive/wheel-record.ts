/** RECORD, the list of a wheel's files: CSV of path, hash and size ("Recording installed projects"). */
import { linesOf } from '../lib/lines.ts'

export interface RecordRow {
  readonly path: string
  /** `sha256=…`; empty for RECORD itself and for signatures. */
  readonly hash: string
  /** In bytes; empty where it is not told. */
  readonly size: string
}

/** As many as an archive may have members. */
const ROWS_MOST = 200_000
/** A path as long as a member's may be, with all of it quotes, and the longest hash. */
const LINE_MOST = 4096

/** The rows, or what is wrong with the first line that is none. */
export function parseRecord(text: string): readonly RecordRow[] | string {
  const rows: RecordRow[] = []
  let number = 0
  for (const line of linesOf(text)) {
    number++
    if (line === '') continue
    if (line.length > LINE_MOST) return `line ${number} has more than ${LINE_MOST} characters`
    const cells = cellsOf(line)
    if (cells === undefined || cells.length !== 3) return `line ${number} is no path, hash and size`
    const [path = '', hash = '', size = ''] = cells
    if (hash !== '' && !/^[a-z0-9_]+=[\w-]+={0,2}$/.test(hash)) return `line ${number} has no hash as RECORD writes it`
    if (!/^\d*$/.test(size)) return `line ${number} has no size in bytes`
    rows.push({ path, hash, size })
    if (rows.length > ROWS_MOST) return `it has more than ${ROWS_MOST} lines`
  }
  return rows
}

/** A line's cells, with or without quotes; a line break within quotes is none that a wheel needs. */
function cellsOf(line: string): string[] | undefined {
  const cells: string[] = []
  const cell = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y
  for (;;) {
    const found = cell.exec(line)
    if (found === null) return undefined
    cells.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '')
    if (found[3] === '') return cells
  }
}
