/** An unmodified devpi-client notices no difference: its own tests say so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runDevpiClientSuite, type SuiteTest } from '../programs/devpi-client-suite.ts'

/** Those that pass with devpi-server 6.20.3, in the same environment. Mercurial's twelve are not among them. */
const PASS_WITH_DEVPI = 344

/** Tests that stand aside by themselves, on some machines or everywhere, and why. Nothing else may be left out. */
const STANDS_ASIDE = [
  {
    names: /^testing\.test_functional\.TestIndexThings::test_large_upload$/,
    reason: /only works in devpi-server/,
    why: 'It reaches into devpi-server, and never runs with a client',
  },
  {
    names: /^testing\.test_functional\.TestMirrorIndexThings::test_whitelisted_package_not_in_mirror$/,
    reason: /doesn't have 'get_simple' method/,
    why: 'It reads pages, which is not done through a client',
  },
  {
    names: /^testing\.test_upload\.TestCheckout::\w+\[hg-/,
    reason: /'hg' command not found/,
    why: 'It builds from a Mercurial checkout, on machines that have Mercurial; the server has no part in it',
  },
]

test('every test of devpi-client passes with our devpi-init and devpi-server', async () => {
  const { tests, output } = await runDevpiClientSuite()
  const told = (chosen: readonly SuiteTest[]) => chosen.map((one) => `${one.name}\n${one.detail}`).join('\n\n')
  const failed = tests.filter((one) => one.result === 'failed')
  assert.ok(failed.length === 0, `${failed.length} of ${tests.length} tests failed:\n${told(failed)}`)
  const unexplained = tests.filter((one) => one.result === 'skipped' && !isExplained(one))
  assert.ok(unexplained.length === 0, `Skipped, and not expected to be:\n${told(unexplained)}`)
  const passed = tests.filter((one) => one.result === 'passed')
  assert.ok(passed.length >= PASS_WITH_DEVPI, `${passed.length} tests passed; pytest printed:\n${output}`)
})

function isExplained(one: SuiteTest): boolean {
  return STANDS_ASIDE.some(({ names, reason }) => names.test(one.name) && reason.test(one.detail))
}
