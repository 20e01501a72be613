/** Arguments in, exit code out; nothing else. */
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// Kept beside the packages: with it a start takes half the time and 25 MiB less, because no TypeScript has to be stripped.
const compiled = fileURLToPath(new URL('../node_modules/.cache/airlock', import.meta.url))
enableCompileCache(compiled)
// Threads know it only from here.
process.env.NODE_COMPILE_CACHE ??= compiled
const { runCli } = await import('./cli/cli.ts')
const { serverCommands } = await import('./compose.ts')

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal))
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
