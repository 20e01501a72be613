/** All measurements, one after another: `npm run bench`. Each writes its own page; the exit code is 1 when one failed. */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'

const NO_MEASUREMENTS = ['run.ts', 'measure.ts']

for (const name of globSync('*.ts', { cwd: import.meta.dirname }).sort()) {
  if (NO_MEASUREMENTS.includes(name) || name.endsWith('.test.ts')) continue
  process.stderr.write(`${name}\n`)
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, name)], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
