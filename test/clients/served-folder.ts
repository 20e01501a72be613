/** A server folder that is initialised and served as the walkthrough says it, and can be stopped and served again. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { cleanEnv, type Env } from '../programs/clean-env.ts'
import { type Outcome, runProgram } from '../programs/run-program.ts'
import { CHECKOUT, type ServerProcess, startServer } from '../programs/server-process.ts'
import { freePort } from '../world/free-port.ts'
import { tempFolder } from '../world/temp-folder.ts'

export interface ServedFolder extends AsyncDisposable {
  /** `--serverdir`. */
  readonly path: string
  /** `http://127.0.0.1:PORT`; stays the same over every `start()`. */
  readonly url: string
  /** The one that runs now, or ran last. */
  readonly server: ServerProcess
  /** Serves the folder again, on the same port, with `env` added to what `serveFolder` was told. */
  start(env?: Env): Promise<void>
  stop(): Promise<void>
  /** A command of `bin/airlock` with `--serverdir` of this folder. */
  maintain(...args: string[]): Promise<Outcome>
  /** What lies in `drafts/`: bytes of uploads and downloads that are not finished. */
  drafts(): Promise<string[]>
  /** Paths of the requests that were answered, oldest first; those of this process only. */
  requestPaths(): string[]
}

/** `compat/bin/devpi-init`, then `compat/bin/devpi-server`, both for `path` (a folder of its own unless told), both with `env`. */
export async function serveFolder(env: Env, path?: string): Promise<ServedFolder> {
  const place = await tempFolder()
  const folder = path ?? join(place.path, 'server')
  const port = await freePort()
  const program = (name: string, args: readonly string[], more: Env = {}) =>
    runProgram(join(CHECKOUT, name), args, { cwd: place.path, env: cleanEnv(place.path, more) })
  const initialised = await program('compat/bin/devpi-init', ['--serverdir', folder], env)
  if (initialised.code !== 0) throw new Error(`Cannot initialise: ${initialised.output}`)

  const serve = (more: Env = {}) =>
    startServer({
      program: 'compat/bin/devpi-server',
      args: ['--serverdir', folder, '--host', '0.0.0.0', '--port', String(port)],
      env: { ...env, ...more },
    })
  let server = await serve()
  return {
    path: folder,
    url: `http://127.0.0.1:${port}`,
    get server() {
      return server
    },
    async start(more) {
      server = await serve(more)
    },
    async stop() {
      await server[Symbol.asyncDispose]()
    },
    maintain: (...args) => program('bin/airlock', [...args, '--serverdir', folder]),
    drafts: () => readdir(join(folder, 'drafts')),
    requestPaths: () => [...server.output().matchAll(/"request\.path":"([^"]+)"/g)].map((found) => found[1]!),
    async [Symbol.asyncDispose]() {
      try {
        await server[Symbol.asyncDispose]()
      } finally {
        await place.remove()
      }
    },
  }
}
