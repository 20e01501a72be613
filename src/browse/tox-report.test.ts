import assert from 'node:assert/strict'
import { test } from 'node:test'
import { phaseOf, readToxReport, stateOf, type ToxCommand } from './tox-report.ts'

const RUN = { host: 'builder', platform: 'linux' }

test('readToxReport() reads what tox 3 and tox 4 write', () => {
  const python = { version: '3.12.1 (main, Jan  1 2026) [GCC]', executable: '/x' }
  const environments = readToxReport({
    ...RUN,
    reportversion: '1',
    testenvs: {
      py312: {
        python,
        setup: [{ command: ['pip', 'install', 'x'], output: 'done', retcode: '0' }],
        test: [{ command: ['pytest'], output: 'out', err: 'err', retcode: 1 }],
      },
      lint: { setup: [], test: [{ command: 'ruff', output: '', retcode: 0 }] },
    },
  })
  assert.deepEqual(environments, [
    { ...RUN, name: 'lint', setup: [], test: [{ command: 'ruff', output: '', isFailed: false }] },
    {
      ...RUN,
      name: 'py312',
      python: '3.12.1',
      setup: [{ command: 'pip install x', output: 'done', isFailed: false }],
      test: [{ command: 'pytest', output: 'out\nerr', isFailed: true }],
    },
  ])
})

for (const json of [
  ...[null, 1, 'text', [], {}, { host: 'a' }, { ...RUN }, { ...RUN, testenvs: [] }, { ...RUN, testenvs: null }],
  { host: 1, platform: 'linux', testenvs: {} },
]) {
  test(`readToxReport() finds no report in ${JSON.stringify(json)}`, () => {
    assert.equal(readToxReport(json), undefined)
  })
}

test('readToxReport() reads odd parts as empty', () => {
  const testenvs = {
    a: null,
    b: { python: 'x', setup: 'x', test: { 0: 'x' } },
    c: { python: { version: 3 }, test: [null, 1, { command: [1, 'x', {}], output: ['x'], retcode: 'x' }] },
  }
  const empty: ToxCommand = { command: '', output: '', isFailed: false }
  assert.deepEqual(readToxReport({ ...RUN, testenvs }), [
    { ...RUN, name: 'a', setup: [], test: [] },
    { ...RUN, name: 'b', setup: [], test: [] },
    { ...RUN, name: 'c', setup: [], test: [empty, empty, { command: 'x', output: '', isFailed: true }] },
  ])
})

test('readToxReport() cuts long names and long lists', () => {
  const test = Array(10_000).fill({ command: ['x'.repeat(5000)], retcode: 0 })
  const testenvs = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`e${at}`, { test }]))
  const environments = readToxReport({ host: 'h'.repeat(5000), platform: 'p', testenvs })!
  assert.equal(environments.length, 300)
  assert.equal(environments[0]?.test.length, 200)
  assert.ok(environments[0]!.host.length < 1100)
  assert.ok(environments[0]!.test[0]!.command.length < 1100)
})

test('phaseOf() and stateOf() call passed what ran and never failed', () => {
  const [good, bad] = [false, true].map((isFailed) => ({ command: '', output: '', isFailed }))
  assert.deepEqual([phaseOf([]), phaseOf([good!]), phaseOf([good!, bad!])], ['none', 'passed', 'failed'])
  assert.deepEqual(
    [stateOf('none', 'passed'), stateOf('failed', 'passed'), stateOf('passed', 'none'), stateOf('none', 'failed')],
    ['passed', 'failed', 'unknown', 'failed'],
  )
})
