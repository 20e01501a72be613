import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const SOURCE = join(import.meta.dirname, '..', '..', 'src')

/** What a start loads of packages. Each more costs every server time and memory: what few requests need is imported when the first of them comes. */
const AT_START = ['commander', 'fastify', 'kysely', 'negotiator', 'pino', 'smol-toml']
/** What an import evaluates all exports of, some of which load far more than the server uses. */
const TOO_MUCH = ['node:http', 'node:https', 'node:tls', 'node:http2']

interface Import {
  readonly from: string
  readonly target: string
}

/** Every import that is there at run time, of the file and of all that it leads to. */
function importsFrom(entry: string): Import[] {
  const files = new Set([entry])
  const found: Import[] = []
  for (const file of files) {
    for (const target of valuesImported(readFileSync(file, 'utf8'))) {
      found.push({ from: relative(SOURCE, file), target })
      if (target.startsWith('.')) files.add(join(dirname(file), target))
    }
  }
  return found
}

/** Where a module's imports and re-exports come from, without those of types alone, which are erased. */
function valuesImported(source: string): string[] {
  const statements = source.matchAll(/^(?:import|export) (?!type )([^;'"]*?)from '([^']+)'|^import '([^']+)'/gm)
  return [...statements].flatMap(([, names, from, bare]) => {
    const listed = /^\{([^}]*)\} $/.exec(names ?? '')?.[1]?.split(',') ?? []
    const areTypes = listed.length > 0 && listed.every((each) => each.trim() === '' || each.trim().startsWith('type '))
    return areTypes ? [] : [from ?? bare!]
  })
}

test('a start loads no package but those that every server needs', () => {
  const packages = importsFrom(join(SOURCE, 'main.ts')).filter(({ target }) => !/^(\.|node:)/.test(target))
  assert.deepEqual([...new Set(packages.map(({ target }) => target))].sort(), AT_START)
})

test('a start imports no module of Node that brings along what nobody asked for', () => {
  const wrong = importsFrom(join(SOURCE, 'main.ts')).filter(({ target }) => TOO_MUCH.includes(target))
  assert.deepEqual(wrong, [], 'take it from src/lib/node-http.ts, or with process.getBuiltinModule() where it is used')
})

test('valuesImported() sees what is loaded and passes over what is erased', () => {
  for (const [source, expected] of [
    ["import { a } from './a.ts'", ['./a.ts']],
    ["import {\n  a,\n  type B,\n} from './a.ts'", ['./a.ts']],
    ["import a from 'b'", ['b']],
    ["import 'b'", ['b']],
    ["export { a } from './a.ts'", ['./a.ts']],
    ["import { type A, type B } from './a.ts'", []],
    ["import type { A } from './a.ts'", []],
    ["const a = await import('b')", []],
  ] as const) {
    assert.deepEqual(valuesImported(source), expected, source)
  }
})
