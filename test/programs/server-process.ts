/** A server as people start it: a process of its own, on a port of this machine, spoken to over the network only. */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../world/free-port.ts'
import { type TempFolder, tempFolder } from '../world/temp-folder.ts'
import { cleanEnv, type Env } from './clean-env.ts'
import { own } from './owned-processes.ts'

export interface ServerOptions {
  /** Path below the checkout (`bin/airlock`, `compat/bin/devpi-server`), or absolute. */
  readonly program: string
  /** `--host 127.0.0.1` and `--port` with a free one are added unless they are given. */
  readonly args: readonly string[]
  /** Added to a clean environment. */
  readonly env?: Env
  readonly cwd?: string
  /** How long to wait for the line that says where it serves. 30 seconds unless told. */
  readonly startMs?: number
}

export interface ServerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ServerProcess extends AsyncDisposable {
  /** As the server said it, without a trailing slash. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** The end of stdout and stderr together, at most 4 MiB. */
  output(): string
  /** SIGTERM, then waits. Throws when the server is still there after 20 seconds (it is killed then). */
  stop(): Promise<ServerExit>
  /** SIGKILL, then waits: what a power cut leaves. */
  kill(): Promise<ServerExit>
  /** The most memory the process ever held (VmHWM), in bytes. Linux only; throws when the process is gone. */
  peakMemoryBytes(): Promise<number>
  /** Settles when the process has ended, however it did. */
  readonly exited: Promise<ServerExit>
}

/** The folder that holds package.json. */
export const CHECKOUT = join(import.meta.dirname, '..', '..')

const OUTPUT_CHARACTERS = 4 * 1024 * 1024
const STOP_MS = 20_000

/**
 * Starts `program` and waits until it prints `serving at url: http…` (devpi's own words).
 * Throws with all it printed when it ends or stays silent before that.
 */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const attempts = 3
  for (let attempt = 1; ; attempt++) {
    const home = await tempFolder()
    const running = await launch(options, home)
    const url = await running.url
    if (url.kind === 'serving') return running.server(url.url)
    await running.end('SIGKILL')
    await home.remove()
    // The port was free when it was picked, and another test may have been faster.
    if (attempt < attempts && /EADDRINUSE|address already in use|port .* is in use/i.test(running.output())) continue
    throw new Error(`Cannot start "${options.program}": ${url.why}; it printed:\n${running.output() || '(nothing)'}`)
  }
}

type Started = { readonly kind: 'serving'; readonly url: string } | { readonly kind: 'failed'; readonly why: string }

async function launch(options: ServerOptions, home: TempFolder) {
  const args = [...options.args]
  if (!has(args, '--host')) args.push('--host', '127.0.0.1')
  if (!has(args, '--port')) args.push('--port', String(await freePort()))
  const child = spawn(join(options.program.startsWith('/') ? '/' : CHECKOUT, options.program), args, {
    cwd: options.cwd ?? home.path,
    env: cleanEnv(home.path, options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const disown = own(() => child.kill('SIGKILL'))
  child.once('close', disown)

  let output = ''
  const exited = new Promise<ServerExit>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
  const url = new Promise<Started>((resolve) => {
    const startMs = options.startMs ?? 30_000
    const timer = setTimeout(() => resolve({ kind: 'failed', why: `no word of serving within ${startMs} ms` }), startMs)
    const settle = (started: Started) => {
      clearTimeout(timer)
      resolve(started)
    }
    let found = false
    const read = (text: string) => {
      output = (output + text).slice(-OUTPUT_CHARACTERS)
      if (found) return
      const serving = /serving at url: (https?:\/\/[^\s"'<>,]+)(?=[\s"'<>,])/i.exec(output)
      if (serving === null) return
      found = true
      settle({ kind: 'serving', url: serving[1]!.replace(/\/+$/, '') })
    }
    child.stdout.setEncoding('utf8').on('data', read)
    child.stderr.setEncoding('utf8').on('data', read)
    child.once('error', (error) => settle({ kind: 'failed', why: error.message }))
    child.once('close', (code, signal) => settle({ kind: 'failed', why: `it ended with ${signal ?? `code ${code}`}` }))
  })

  async function end(signal: NodeJS.Signals): Promise<ServerExit> {
    if (child.pid === undefined) return { code: null, signal: null }
    child.kill(signal)
    return exited
  }

  async function stop(): Promise<ServerExit> {
    const late = Symbol('late')
    let timer: NodeJS.Timeout | undefined
    const first = await Promise.race([
      end('SIGTERM'),
      new Promise<typeof late>((resolve) => {
        timer = setTimeout(resolve, STOP_MS, late)
      }),
    ])
    clearTimeout(timer)
    if (first !== late) return first
    await end('SIGKILL')
    throw new Error(
      `Cannot stop "${options.program}": it ran on for ${STOP_MS} ms after SIGTERM; it printed:\n${output}`,
    )
  }

  const server = (address: string): ServerProcess => ({
    url: address,
    port: Number(new URL(address).port),
    pid: child.pid!,
    output: () => output,
    stop,
    kill: () => end('SIGKILL'),
    peakMemoryBytes: () => peakMemory(child.pid!),
    exited,
    async [Symbol.asyncDispose]() {
      try {
        await stop()
      } finally {
        await home.remove()
      }
    },
  })
  return { url, server, output: () => output, end }
}

function has(args: readonly string[], option: string): boolean {
  return args.some((arg) => arg === option || arg.startsWith(`${option}=`))
}

async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const line = /^VmHWM:\s*(\d+) kB$/m.exec(status)
  if (line === null) throw new Error(`Cannot read peak memory: process ${pid} has ended`)
  return Number(line[1]) * 1024
}
