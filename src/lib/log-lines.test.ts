import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempFolder } from '../../test/world/temp-folder.ts'
import { LogLines } from './log-lines.ts'

test('LogLines: long lines of several threads reach a pipe whole, each thread’s in order', async () => {
  const program = join(import.meta.dirname, '../../test/world/line-writers.ts')
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  for await (const piece of child.stderr.setEncoding('latin1')) text += piece
  const lines = text.split('\n').slice(0, -1)
  const next = new Map<string, number>()
  for (const line of lines) {
    const [, letters = '', count] = /^(a+|b+|c+)(\d+)$/.exec(line) ?? []
    assert.equal(letters.length, 100_000, `a line is broken: ${line.slice(0, 60)}`)
    const letter = letters[0]!
    assert.equal(Number(count), next.get(letter) ?? 0)
    next.set(letter, Number(count) + 1)
  }
  assert.equal(lines.length, 150)
})

test('LogLines: a thread that died while it wrote does not silence the others', async () => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'log')
  const lock = new SharedArrayBuffer(4)
  Atomics.store(new Int32Array(lock), 0, 1)
  const fd = openSync(path, 'w')
  const lines = new LogLines(fd, lock)
  for (const line of ['one\n', 'two\n']) lines.write(line)
  closeSync(fd)
  assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\n')
})
