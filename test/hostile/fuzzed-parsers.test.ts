/** Parsers get made-up text from the words of all formats: they answer or throw what they say they throw. */
import { ok } from 'node:assert/strict'
import { test } from 'node:test'
import { isDocumented, PARSERS } from './parsers.ts'

const INPUTS = 100_000
const PIECES_MOST = 24
const WORDS = [
  ...['Name: a\n', 'Version: 1\n', '\n', '\r', ' ', '\t', '{', '}', '[', ']', '"', "'", ':', ',', ';', '\\', '/', '..'],
  ...[
    '<a href="',
    '>',
    '<',
    '</a>',
    '<!--',
    '-->',
    '&#',
    '\0',
    '\uD800',
    'é',
    '1',
    '-',
    '.',
    '==',
    '~=',
    '(',
    ')',
    '@',
  ],
  ...['null', '"files"', '"name"', '"__proto__"', '.whl', '.tar.gz', 'py3-none-any', 'sha256=', 'extra', ' and ', '%'],
]

/** A seeded sequence (mulberry32), so that a failure comes again. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

test(`${INPUTS} made-up inputs end in an answer or a documented error`, () => {
  const next = sequence(1)
  const parsers = Object.entries(PARSERS)
  for (let input = 0; input < INPUTS; input++) {
    const [name, read] = parsers[input % parsers.length]!
    const words = Array.from(
      { length: 1 + Math.floor(next() * PIECES_MOST) },
      () => WORDS[Math.floor(next() * WORDS.length)],
    )
    const text = words.join('')
    try {
      read(text)
    } catch (error) {
      ok(isDocumented(error), `${name} of ${JSON.stringify(text)} threw ${String(error)}`)
    }
  }
})
