/** Suggests the known word nearest to a misspelt one, by edit distance (Levenshtein's). */

/** The nearest of `known`, the first of several; `undefined` when there is none. Costs the product of the lengths per word. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  const ranked = known.map((word) => ({ word, far: distance(written, word) }))
  return ranked.reduce<(typeof ranked)[number] | undefined>(
    (best, each) => (best === undefined || each.far < best.far ? each : best),
    undefined,
  )?.word
}

/** How many characters have to be changed, added or taken away. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, place) => place)
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (char === other ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1)!
}
