/** Sizes as people write them: `5GB`, `1.5 GiB`, `300 MB`, `1048576`. */

const UNITS = new Map<string, number>([
  ['', 1],
  ['b', 1],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['tb', 1e12],
  ['kib', 2 ** 10],
  ['mib', 2 ** 20],
  ['gib', 2 ** 30],
  ['tib', 2 ** 40],
])

/** In bytes, rounded down; `undefined` for what is no size. */
export function parseByteSize(written: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(written.trim())
  const unit = UNITS.get(found?.[2]?.toLowerCase() ?? '')
  if (found === null || unit === undefined) return undefined
  const bytes = Math.floor(Number(found[1]) * unit)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** `1234567` → `1.2 MB`. */
export function byteSize(bytes: number): string {
  const unit = ['TB', 'GB', 'MB', 'kB'].find((each) => bytes >= UNITS.get(each.toLowerCase())!)
  return unit === undefined ? `${bytes} B` : `${(bytes / UNITS.get(unit.toLowerCase())!).toFixed(1)} ${unit}`
}
