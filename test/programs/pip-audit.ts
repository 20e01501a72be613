/** The real pip-audit, asking an OSV service for what a requirements file pins. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cleanEnv, cleanPath } from './clean-env.ts'
import { type PythonEnvironment, preparePythonEnvironment } from './python-environment.ts'
import { type Outcome, runProgram } from './run-program.ts'
import { CHECKOUT } from './server-process.ts'

const PIP_AUDIT: PythonEnvironment = {
  folder: join(CHECKOUT, '.cache', 'pip-audit'),
  pins: join(import.meta.dirname, 'pip-audit.txt'),
  holds: 'pip-audit and its libraries',
  oldest: [3, 10],
}

export interface AuditReport {
  readonly dependencies: readonly {
    readonly name: string
    readonly version: string
    readonly vulns: readonly {
      readonly id: string
      readonly fix_versions: readonly string[]
      readonly aliases: readonly string[]
      readonly description: string
    }[]
  }[]
}

/** `pip-audit --osv-url SERVER/v1/query` over `pins` (`name==version`), in `home`. Builds its environment where it is missing. */
export async function pipAudit(home: string, server: string, pins: readonly string[]): Promise<Outcome> {
  await preparePythonEnvironment(undefined, PIP_AUDIT)
  const requirements = join(home, 'requirements.txt')
  await writeFile(requirements, `${pins.join('\n')}\n`)
  const bin = join(PIP_AUDIT.folder, 'bin')
  // Without these two it would resolve the requirements with pip first.
  const asGiven = ['--no-deps', '--disable-pip']
  const args = ['--vulnerability-service', 'osv', '--osv-url', `${server}/v1/query`, '--requirement', requirements]
  return await runProgram(
    join(bin, 'pip-audit'),
    [...args, ...asGiven, '--format', 'json', '--progress-spinner', 'off'],
    {
      cwd: home,
      env: cleanEnv(home, { PATH: cleanPath(bin), PYTHONUTF8: '1' }),
      timeoutMs: 120_000,
    },
  )
}
