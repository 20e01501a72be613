/** RECORD, the list of a wheel's files: CSV of path, hash and size ("Recording installed projects"). */

export interface RecordRow {
  readonly path: string
  /** `sha256=…`; empty for RECORD itself and for signatures. */
  readonly hash: string
  /** In bytes; empty where it is not told. */
  readonly size: string
}

/** The rows, or what is wrong with the first line that is none. */
export function parseRecord(text: string): readonly RecordRow[] | string {
  const rows: RecordRow[] = []
  for (const [number, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (line === '') continue
    const cells = cellsOf(line)
    if (cells === undefined || cells.length !== 3) return `line ${number + 1} is no path, hash and size`
    const [path = '', hash = '', size = ''] = cells
    if (hash !== '' && !/^[a-z0-9_]+=[\w-]+={0,2}$/.test(hash))
      return `line ${number + 1} has no hash as RECORD writes it`
    if (!/^\d*$/.test(size)) return `line ${number + 1} has no size in bytes`
    rows.push({ path, hash, size })
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
