/** A server folder that is initialised and served as the walkthrough says it, and can be stopped and served again. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cleanEnv, type Env } from '../programs/clean-env.ts'
import { type Outcome, runProgram } from '../programs/run-program.ts'
import { CHECKOUT, type ServerProcess, startServer } from '../programs/server-process.ts'
import { freePort } from '../world/free-port.ts'
import { tempFolder } from '../world/temp-folder.ts'

/** No address of the product. */
const MARKER = '/+last/'
const LOG_MS = 10_000

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
  /** The log of this process, whole up to the last request that was answered before. Throws where it does not come. */
  logged(): Promise<string>
  /** Paths of the requests that were answered, oldest first; those of this process only. */
  requestPaths(): Promise<string[]>
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
  let markers = 0
  /** The log comes through a pipe, later than the answers: it is whole up to a request of our own once that stands in it. */
  async function logged(): Promise<string> {
    const marker = `${MARKER}${++markers}`
    await (await fetch(`${server.url}${marker}`)).arrayBuffer()
    const line = `"request.path":"${marker}"`
    for (const untilMs = performance.now() + LOG_MS; !server.output().includes(line); ) {
      if (performance.now() > untilMs) throw new Error(`Cannot find "${marker}" in the log within ${LOG_MS} ms`)
      await delay(10)
    }
    return server.output()
  }
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
    logged,
    requestPaths: async () => {
      const paths = [...(await logged()).matchAll(/"request\.path":"([^"]+)"/g)].map((found) => found[1]!)
      return paths.filter((path) => !path.startsWith(MARKER))
    },
    async [Symbol.asyncDispose]() {
      try {
        await server[Symbol.asyncDispose]()
      } finally {
        await place.remove()
      }
    },
  }
}
