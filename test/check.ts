/** Everything that must hold before a change travels: `npm run check`. One line for each step; the first that fails says why. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const CHECKOUT = join(import.meta.dirname, '..')
const bin = (name: string) => join(CHECKOUT, 'node_modules', '.bin', name)

const STEPS: readonly { readonly name: string; readonly program: string; readonly args: readonly string[] }[] = [
  { name: 'format and lint', program: bin('biome'), args: ['check', '--error-on-warnings', '.'] },
  { name: 'types', program: bin('tsc'), args: ['--noEmit'] },
  { name: 'tests', program: process.execPath, args: [join(CHECKOUT, 'test', 'run.ts')] },
]

for (const { name, program, args } of STEPS) {
  const started = performance.now()
  const ended = spawnSync(program, args, { cwd: CHECKOUT, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 })
  const seconds = `${((performance.now() - started) / 1000).toFixed(1)} s`
  if (ended.status !== 0) {
    process.stdout.write(ended.stdout ?? '')
    process.stderr.write(ended.stderr ?? '')
    if (ended.error !== undefined) process.stderr.write(`${ended.error.message}\n`)
    console.log(`${name}: failed (${seconds})`)
    process.exitCode = 1
    break
  }
  const last = name === 'tests' ? `, ${ended.stdout.trimEnd().split('\n').at(-1)}` : ''
  console.log(`${name}: good (${seconds}${last})`)
}
