/** JSON from strangers: depth and number of values are checked before it is parsed, because a value takes up to fifty times the memory of its text. */

export interface JsonBounds {
  /** Objects and lists within each other. What writes or compares such values calls itself for each. */
  readonly depth: number
  /** Values, those within others included; counted by commas and brackets, which are a few more. */
  readonly values: number
}

/** Enough for what devpi's API, OIDC and indexes send: a few levels, and lists of some thousand. */
export const JSON_BOUNDS: JsonBounds = { depth: 64, values: 250_000 }

/** As `JSON.parse`. Throws `SyntaxError`, also where the text goes past a bound. */
export function parseBoundedJson(text: string, bounds: JsonBounds = JSON_BOUNDS): unknown {
  const wrong = jsonFault(text, bounds)
  if (wrong !== undefined) throw new SyntaxError(`Cannot read JSON: ${wrong}`)
  return JSON.parse(text)
}

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPENING = [0x5b, 0x7b]
const CLOSING = [0x5d, 0x7d]

/** Which bound the text goes past, in a clause; `undefined` for none, and perhaps for what is no JSON. */
function jsonFault(text: string, bounds: JsonBounds): string | undefined {
  let depth = 0
  let values = 1
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = endOfString(text, at)
      if (at < 0) return undefined
    } else if (code === COMMA) {
      if (++values > bounds.values) return `it has more than ${bounds.values} values`
    } else if (code === OPENING[0] || code === OPENING[1]) {
      if (++values > bounds.values) return `it has more than ${bounds.values} values`
      if (++depth > bounds.depth) return `it is nested deeper than ${bounds.depth} levels`
    } else if (code === CLOSING[0] || code === CLOSING[1]) depth--
  }
  return undefined
}

/** Where the string that begins at `start` has its closing quote; -1 where it has none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text.charCodeAt(end - escapes - 1) === BACKSLASH) escapes++
    if (escapes % 2 === 0) return end
  }
  return -1
}
