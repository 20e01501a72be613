/** Arguments in, exit code out; nothing else. */
import { runCli } from './cli/cli.ts'
import { serverCommands } from './compose/commands.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal))
// What was ignored when the program was started stays ignored (nohup): Node itself forgets it. `bin/airlock` tells.
if (process.env.AIRLOCK_NOHUP === '1') process.on('SIGHUP', () => {})
// A reader that goes away (`airlock list | head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await runCli(
  process.argv.slice(2),
  {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    stop: stop.signal,
  },
  serverCommands,
)
