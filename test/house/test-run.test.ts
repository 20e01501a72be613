import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { cleanEnv } from '../programs/clean-env.ts'
import { runProgram } from '../programs/run-program.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { tempFolder } from '../world/temp-folder.ts'
import type { TestRun } from './test-run.ts'

const CONTENTS: Record<string, string> = {
  leaves: `test('a', () => {})
    test('parent', async (t) => { await t.test('b', () => {}); await t.test('c', () => {}) })
    describe('suite', () => { test('d', () => {}); describe('inner', () => { test('e', () => {}) }) })`,
  failures: `test('a', () => { throw new Error('Broken on purpose') })
    test('parent', async (t) => { await t.test('b', () => { throw new Error('b') }) })
    test('fails itself', async (t) => { await t.test('c', () => {}); throw new Error('parent') })
    test('d', () => {})`,
  hook: `describe('suite', () => { before(() => { throw new Error('hook') }); test('a', () => {}) })`,
  empty: `console.log('nothing here')`,
  broken: `throw new Error('Cannot load')`,
  leaves_early: `test('a', () => {}); test('b', () => process.exit(0)); test('c', () => { throw new Error('never told') })`,
  exit_code: `test('a', () => { process.exitCode = 3 })`,
  hangs: `test('a', () => {}); setInterval(() => {}, 1000)`,
  loops: `test('a', () => { while (true); })`,
  aside: `test('a', { ['sk' + 'ip']: true }, () => {}); test('b', () => {})`,
  aside_for_a_reason: `test('a', { ['sk' + 'ip']: 'no moon' }, () => {}); test('b', () => {})`,
  slow: `test('a', async () => { await new Promise((done) => setTimeout(done, 300)) })`,
}

async function runContents(names: readonly string[], fileMs = 30_000) {
  await using folder = await tempFolder()
  const files: string[] = []
  for (const [number, name] of names.entries()) {
    const path = join(folder.path, `${name}-${number}.test.mjs`)
    await writeFile(path, `import { before, describe, test } from 'node:test'\n${CONTENTS[name]}\n`)
    files.push(path)
  }
  // In a process of its own: node:test runs nothing from within a test.
  const script = `
    import { runTests } from '${pathToFileURL(join(CHECKOUT, 'test', 'house', 'test-run.ts'))}'
    const counts = await runTests({ files: ${JSON.stringify(files)}, lanes: 2, fileMs: ${fileMs}, output: process.stdout })
    console.log(JSON.stringify(counts))`
  // Not by --eval: node passes its own options on to the processes that it starts.
  await writeFile(join(folder.path, 'script.mjs'), script)
  const env = cleanEnv(folder.path)
  const ended = await runProgram(process.execPath, [join(folder.path, 'script.mjs')], { cwd: folder.path, env })
  assert.equal(ended.stderr, '')
  const counts: TestRun = JSON.parse(ended.stdout.trimEnd().split('\n').at(-1) ?? '')
  return { ...counts, output: ended.output }
}

for (const [name, passed, failed, skipped] of [
  ['leaves', 5, 0, 0],
  ['failures', 2, 3, 0],
  ['empty', 0, 1, 0],
  ['broken', 0, 1, 0],
  ['leaves_early', 0, 1, 0],
  ['exit_code', 1, 1, 0],
  ['aside', 1, 0, 1],
] as const) {
  test(`runTests() counts a file of the kind "${name}"`, async () => {
    const result = await runContents([name])
    assert.deepEqual([result.passed, result.failed, result.skipped], [passed, failed, skipped], result.output)
  })
}

test('runTests() names the tests that stood aside, and says why', async () => {
  const { stoodAside } = await runContents(['aside', 'aside_for_a_reason'])
  const told = stoodAside.map(({ file, name, why }) => [file.split('/').at(-1), name, why])
  assert.deepEqual(told.toSorted(), [
    ['aside-0.test.mjs', 'a', ''],
    ['aside_for_a_reason-1.test.mjs', 'a', 'no moon'],
  ])
})

test('runTests() says how long each file took, the longest first', async () => {
  const { timings } = await runContents(['leaves', 'slow', 'empty'])
  assert.equal(timings.length, 3)
  assert.match(timings[0]!.file, /slow-1\.test\.mjs$/)
  assert.ok(timings[0]!.ms >= 300)
})

test('runTests() counts a failing hook as a failure', async () => {
  const result = await runContents(['hook'])
  assert.ok(result.failed > 0 && result.passed === 0, result.output)
})

test('runTests() runs many files without a word of warning', async () => {
  const result = await runContents([
    'leaves',
    'aside',
    'empty',
    'leaves',
    'aside',
    'leaves',
    'aside',
    'leaves',
    'aside',
    'leaves',
    'aside',
    'leaves',
  ])
  assert.equal(result.passed, 6 * 5 + 5, result.output)
})

test('runTests() ends files that take too long, and reports all files', async () => {
  const result = await runContents(['hangs', 'loops', 'leaves', 'failures'], 1500)
  assert.deepEqual([result.passed, result.failed], [8, 5], result.output)
  assert.match(result.output, /failing tests:[\s\S]*Broken on purpose/)
})

test('test/run.ts says the counts in its last line, and its exit code agrees', async () => {
  await using folder = await tempFolder()
  const path = (name: string) => join(folder.path, `${name}.test.mjs`)
  for (const name of ['leaves', 'failures', 'empty', 'aside_for_a_reason']) {
    await writeFile(path(name), `import { before, describe, test } from 'node:test'\n${CONTENTS[name]}\n`)
  }
  for (const [args, code, last] of [
    [[path('leaves')], 0, '5 passed, 0 failed'],
    [[path('leaves'), path('failures')], 1, '7 passed, 3 failed'],
    [[path('empty')], 1, '0 passed, 1 failed'],
    [[path('aside_for_a_reason')], 0, '1 passed, 0 failed'],
    [[path('no-such')], 1, '0 passed, 0 failed'],
  ] as const) {
    // A clean environment also lacks NODE_TEST_CONTEXT, which would make this run report to the outer one.
    const env = cleanEnv(folder.path)
    const ended = await runProgram(process.execPath, [join(CHECKOUT, 'test', 'run.ts'), ...args], {
      cwd: CHECKOUT,
      env,
    })
    assert.equal(ended.code, code, ended.output)
    assert.equal(ended.stdout.trimEnd().split('\n').at(-1), last)
    assert.ok(ended.stdout.endsWith('\n'))
    const isAside = args[0].includes('aside')
    assert.equal(/^1 skipped, and not counted:\n {2}a \(.*\): no moon$/m.test(ended.stderr), isAside, ended.stderr)
  }
})
