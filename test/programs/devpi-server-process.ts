/** A real devpi-server, from the Python index, as a process of its own. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fetch } from 'undici'
import { tempFolder } from '../world/temp-folder.ts'
import type { Env } from './clean-env.ts'
import { devpiProgram, runDevpi } from './devpi-programs.ts'
import { type ServerProcess, startServer } from './server-process.ts'

export interface DevpiServerOptions {
  /** A server folder that is initialised already (by devpi-import, by an earlier run) and stays. A new one unless told. */
  readonly folder?: string
  /** More options for devpi-init: `--root-passwd x`. Without `--no-root-pypi` only when `rootPypi` is true. */
  readonly initArgs?: readonly string[]
  /** Whether a new folder gets `root/pypi`, which asks the public index as soon as it is touched. */
  readonly rootPypi?: boolean
  /** More options for devpi-server: `--outside-url …`. */
  readonly args?: readonly string[]
  readonly env?: Env
}

export interface DevpiServer extends ServerProcess {
  /** The server folder (`--serverdir`). */
  readonly folder: string
}

/** The key derivation of devpi-server takes 512 MiB and seconds; its hidden options make that nearly nothing. */
const CHEAP_KEYS = ['--argon2-memory-cost', '8', '--argon2-parallelism', '1', '--argon2-time-cost', '1']
/** Two cores, other tests beside it, and Python's imports cold. */
const START_MS = 120_000

/**
 * Starts a real devpi-server on a free port. Root's password is empty unless `initArgs` say otherwise.
 * Its data go with it, except a `folder` that was given. Throws what it printed when it does not come up.
 */
export async function startDevpiServer(options: DevpiServerOptions = {}): Promise<DevpiServer> {
  const program = await devpiProgram('devpi-server')
  const home = await tempFolder()
  try {
    const folder = options.folder ?? (await initialised(home.path, options))
    const server = await startServer({
      program,
      args: ['--serverdir', folder, ...CHEAP_KEYS, ...(options.args ?? [])],
      startMs: START_MS,
      ...(options.env !== undefined && { env: options.env }),
    })
    await answers(server)
    return {
      ...server,
      folder,
      async [Symbol.asyncDispose]() {
        try {
          await server[Symbol.asyncDispose]()
        } finally {
          await home.remove()
        }
      },
    }
  } catch (error) {
    await home.remove()
    throw error
  }
}

/** It says where it serves a moment before it does. */
async function answers(server: ServerProcess): Promise<void> {
  const until = performance.now() + START_MS
  while (true) {
    const answer = await fetch(`${server.url}/+api`).catch(() => undefined)
    if (answer?.status === 200) return
    if (performance.now() > until) {
      await server[Symbol.asyncDispose]()
      throw new Error(`Cannot reach a real devpi-server at ${server.url}; it printed:\n${server.output()}`)
    }
    await delay(50)
  }
}

async function initialised(
  home: string,
  { rootPypi = false, initArgs = [], env }: DevpiServerOptions,
): Promise<string> {
  const folder = join(home, 'server')
  const args = ['--serverdir', folder, ...(rootPypi ? [] : ['--no-root-pypi']), ...initArgs]
  const made = await runDevpi('devpi-init', args, { home, ...(env !== undefined && { env }) })
  if (made.code !== 0) throw new Error(`Cannot initialise a real devpi-server:\n${made.output}`)
  return folder
}
