/** Text from strangers costs what it weighs: four times the text takes no more than some four times as long. */
import { ok } from 'node:assert/strict'
import { test } from 'node:test'
import { isDocumented, PARSERS, type Read } from './parsers.ts'

const PIECES_LEAST = 16_000
const TIMES = 4
/** Linear growth is 4, that by the square 16; a busy machine is between. */
const GROWTH_MOST = 10
/** What takes less at the larger size is not measured: noise alone makes such ratios. */
const FLOOR_MS = 80
const RUNS = 3

/** What text is made of, repeated. */
const PIECES = [
  ...[
    ' ',
    '\t',
    '\n',
    ' \n',
    '\r\n',
    'a',
    '1',
    '.',
    '-',
    '/',
    ',',
    ';',
    ':',
    '"',
    "'",
    '\\',
    '<',
    '[',
    '(',
    '{"a":',
    '&',
  ],
  ...[
    'a/',
    '1.',
    'a ',
    'a,',
    '<div>',
    '<a href="',
    '<!--',
    '"a",',
    '; ',
    'a=b\n',
    'Classifier: a\n',
    'a,b,1\n',
    '[a]\n',
  ],
  ...['machine a\n', '\n#', 'macdef a\n', ';charset=', '-a', '://a:', '@a', '((', ' or ', '==1,'],
]

/** In milliseconds, the least of some runs: others use the machine as well. What is refused is fine. */
function leastTime(read: Read, text: string, runs: number): number {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < runs && least > FLOOR_MS; run++) {
    const from = performance.now()
    try {
      read(text)
    } catch (error) {
      ok(isDocumented(error), `it threw ${String(error)}`)
    }
    least = Math.min(least, performance.now() - from)
  }
  return least
}

for (const [name, read] of Object.entries(PARSERS)) {
  test(`${name} takes time in proportion to its text`, () => {
    for (const piece of PIECES) {
      const text = (pieces: number) => piece.repeat(pieces)
      const large = leastTime(read, text(PIECES_LEAST * TIMES), RUNS)
      if (large <= FLOOR_MS) continue
      const small = leastTime(read, text(PIECES_LEAST), RUNS * 3)
      ok(large / small <= GROWTH_MOST, `${JSON.stringify(piece)}: ${small.toFixed(1)} ms, then ${large.toFixed(1)} ms`)
    }
  })
}
