/** Airlock from this checkout, or from another. */
import { join } from 'node:path'
import { cleanEnv, type Env } from '../../test/programs/clean-env.ts'
import { runProgram } from '../../test/programs/run-program.ts'
import { devpiShaped, makeIndexes, uploadContent } from './devpi-shaped.ts'
import type { PeerKind } from './peer.ts'
import { type Pinned, startPinned } from './pinned-process.ts'

export const AIRLOCK = 'Airlock'

/** `program` is the `bin/airlock` of a checkout; `workers` and `cores` where it should have several, `env` what else it should know. */
export function airlock(
  program: string,
  { workers = 1, cores, env }: { readonly workers?: number; readonly cores?: string; readonly env?: Env } = {},
): PeerKind {
  const start = (folder: string): Promise<Pinned> =>
    startPinned({
      program,
      args: (port) => [
        ...['serve', '--serverdir', join(folder, 'server'), '--no-root-pypi'],
        ...['--host', '127.0.0.1', '--port', String(port), '--log-level', 'error'],
        ...(workers > 1 ? ['--workers', String(workers)] : []),
      ],
      ready: '/+api',
      ...(cores !== undefined && { cores }),
      ...(env !== undefined && { env: () => env }),
    })
  return {
    name: AIRLOCK,
    setup: 'one process, every setting at its default but the log level, which is error',
    version: async () => {
      const said = await runProgram(program, ['--version'], { cwd: join(program, '..'), env: cleanEnv('/nonexistent') })
      return said.stdout.trim()
    },
    async prepare(folder, content) {
      await using server = await start(folder)
      await makeIndexes(server)
      if (content !== undefined) await uploadContent(await devpiShaped(server), content)
    },
    start: async (folder) => await devpiShaped(await start(folder)),
  }
}
