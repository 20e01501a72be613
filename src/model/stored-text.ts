/** Bounds for what users write about themselves and their indexes. It is shown on pages that everybody opens. */

/** Of one user or index, all of it together, as JSON in UTF-8. */
export const STORED_TEXT_BYTES = 64 * 1024
/** Objects and lists within each other. */
export const STORED_TEXT_DEPTH = 32

/** What is wrong with the texts, in a clause; `undefined` if they are within the bounds. The depth of `texts` has been bounded before. */
export function storedTextFault(texts: Readonly<Record<string, unknown>>): string | undefined {
  const keys = Object.keys(texts).join(', ')
  for (const [key, value] of Object.entries(texts)) {
    if (depthOf(value) > STORED_TEXT_DEPTH) return `${key} is nested deeper than ${STORED_TEXT_DEPTH} levels`
  }
  const bytes = Buffer.byteLength(JSON.stringify(texts))
  return bytes > STORED_TEXT_BYTES ? `${bytes} bytes in ${keys}, at most ${STORED_TEXT_BYTES} are kept` : undefined
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let deepest = 0
  for (const each of Object.values(value)) deepest = Math.max(deepest, depthOf(each))
  return deepest + 1
}
