/** A server as a process of its own on one core. */
import { spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { cleanEnv, type Env } from '../../test/programs/clean-env.ts'
import { own } from '../../test/programs/owned-processes.ts'
import { freePort } from '../../test/world/free-port.ts'
import { tempFolder } from '../../test/world/temp-folder.ts'

export interface PinnedOptions {
  /** Absolute, or on PATH. */
  readonly program: string
  readonly args: (port: number) => readonly string[]
  readonly env?: (port: number) => Env
  /** Asked until it answers with 200. */
  readonly ready: string
  /** Other cores than the one for servers, as taskset takes them. */
  readonly cores?: string
}

export interface Pinned extends AsyncDisposable {
  readonly pid: number
  readonly port: number
  /** From its start to the first answer. */
  readonly firstAnswerMs: number
}

/** The core that servers are on; the load is on the other. */
const SERVER_CORE = '0'
const START_MS = 180_000
const STOP_MS = 20_000
const OUTPUT_CHARACTERS = 64 * 1024

/** Starts it on a free port and waits for its first answer. Throws what it printed when there is none. */
export async function startPinned({ program, args, env, ready, cores = SERVER_CORE }: PinnedOptions): Promise<Pinned> {
  const home = await tempFolder()
  const port = await freePort()
  const started = performance.now()
  // taskset becomes the program: the process id stays.
  const child = spawn('taskset', ['-c', cores, program, ...args(port)], {
    cwd: home.path,
    env: cleanEnv(home.path, env?.(port)),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const end = (signal: NodeJS.Signals) => {
    try {
      process.kill(-child.pid!, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  const disown = own(() => end('SIGKILL'))
  let output = ''
  const keep = (text: string) => {
    output = (output + text).slice(-OUTPUT_CHARACTERS)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  let hasEnded = false
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => {
      hasEnded = true
      disown()
      resolve()
    }),
  )
  child.once('error', (error) => keep(error.message))
  const dispose = async () => {
    end('SIGTERM')
    await Promise.race([ended, delay(STOP_MS, undefined, { ref: false })])
    if (!hasEnded) end('SIGKILL')
    await ended
    await home.remove()
  }
  while (!(await answers(port, ready))) {
    if (hasEnded || performance.now() - started > START_MS) {
      if (!hasEnded) await dispose()
      throw new Error(`Cannot start "${program}" on port ${port}; it printed:\n${output || '(nothing)'}`)
    }
    await delay(2)
  }
  return { pid: child.pid!, port, firstAnswerMs: performance.now() - started, [Symbol.asyncDispose]: dispose }
}

async function answers(port: number, path: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`http://127.0.0.1:${port}${path}`, { reset: true })
    await body.dump()
    return statusCode === 200
  } catch {
    // Not listening yet, or no more.
    return false
  }
}
