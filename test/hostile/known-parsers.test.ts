/** No parser is added that the test of linear growth does not know. */
import { deepEqual, ok } from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { APART, PARSERS } from './parsers.ts'

const SOURCE = join(import.meta.dirname, '..', '..', 'src')
const ROOMS = '{pep,archive,config,web,jobs,upstream,locks,model,publish,transfer,lib}/**/*.ts'
/** An exported function whose first parameter is text, bytes or not known. */
const TAKES_TEXT = /^export (?:async )?function\*? (\w+)\(\s*(\w+): (?:string|Uint8Array|Buffer|unknown)\b/gm
const PARSER = /^(?:read|parse|is|lines|without|as|clean|render)(?:[A-Z]|$)|(?:From|Of|In|Fault)(?:Json|Html|Rst)?$/
const TEXT = new Set(['text', 'bytes', 'html', 'dirty', 'written', 'header'])

function parsersIn(file: string, source: string): string[] {
  const found = [...source.matchAll(TAKES_TEXT)].filter(([, name, first]) => PARSER.test(name!) || TEXT.has(first!))
  return found.map(([, name]) => `${file.replaceAll('\\', '/').replace(/\.ts$/, '')}#${name}`)
}

const files = globSync(ROOMS, { cwd: SOURCE }).filter((file) => !/\.(test|contract|bench)\.ts$/.test(file))
const found = files.flatMap((file) => parsersIn(file, readFileSync(join(SOURCE, file), 'utf8')))

test('every parser is measured, or there is a reason why not', () => {
  const known = new Set([...Object.keys(PARSERS).map((name) => name.split(' ')[0]), ...Object.keys(APART)])
  ok(found.length > 50)
  deepEqual(
    found.filter((name) => !known.has(name)),
    [],
  )
})

test('no exception is left over from a function that is gone', () => {
  deepEqual(
    Object.keys(APART).filter((name) => !found.includes(name)),
    [],
  )
})

test('a function that takes text and is in no table is told', () => {
  deepEqual(parsersIn('pep/new.ts', 'export function readNew(text: string): void {}'), ['pep/new#readNew'])
})
