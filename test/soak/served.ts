/** A server process whose time is ours: started, told what time it is, measured, stopped and killed. */
import { spawn } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Limits } from '../../src/model/limits.ts'
import { cleanEnv } from '../programs/clean-env.ts'
import { own } from '../programs/owned-processes.ts'
import { CHECKOUT } from '../programs/server-process.ts'

/** What the process is asked: it answers each with what it holds. */
export interface Asked {
  readonly id: number
  /** What time it is from now on. */
  readonly nowMs?: number
  /** Garbage is collected first. */
  readonly isMeasured?: boolean
}

export interface Told {
  readonly id: number
  readonly rssBytes: number
  readonly heapBytes: number
  readonly externalBytes: number
  /** What keeps its event loop alive, by kind. */
  readonly handles: Readonly<Record<string, number>>
}

export interface ServedOptions {
  readonly serverDir: string
  readonly home: string
  readonly nowMs: number
  readonly limits: Partial<Limits>
}

export interface Served {
  readonly url: string
  readonly pid: number
  advance(nowMs: number): Promise<void>
  measure(): Promise<Told>
  /** What each open file descriptor is: a path, `socket:[…]`, `anon_inode:…`. Linux only. */
  descriptors(): Promise<string[]>
  /** SIGTERM. Throws when the process is still there after 30 seconds, or ends with another code than 0. */
  stop(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  output(): string
}

const OUTPUT_CHARACTERS = 1024 * 1024
const START_MS = 60_000
const STOP_MS = 30_000

/** Throws with what it printed when it does not serve. */
export async function startServed({ serverDir, home, nowMs, limits }: ServedOptions): Promise<Served> {
  const program = join(import.meta.dirname, 'server.ts')
  const command = ['serve', '--serverdir', serverDir, '--no-root-pypi', '--host', '127.0.0.1', '--port', '0']
  const launcher = await launcherOptions()
  const argv = [
    '--expose-gc',
    ...launcher.flags,
    program,
    String(nowMs),
    JSON.stringify(limits),
    ...command,
    '--log-level',
    'error',
  ]
  const child = spawn(process.execPath, argv, {
    env: cleanEnv(home, { ...launcher.env, NODE_COMPILE_CACHE: join(home, 'compiled') }),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const disown = own(() => child.kill('SIGKILL'))
  const exited = new Promise<string>((resolve) =>
    child.once('close', (code, signal) => {
      disown()
      resolve(signal ?? `code ${code}`)
    }),
  )
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`Cannot start the server: ${why}; it printed:\n${output}`))
    const timer = setTimeout(fail, START_MS, 'it said nothing')
    const read = (text: string) => {
      output = (output + text).slice(-OUTPUT_CHARACTERS)
      const serving = /serving at url: (http:\S+)/.exec(output)
      if (serving === null) return
      clearTimeout(timer)
      resolve(serving[1]!)
    }
    child.stdout!.setEncoding('utf8').on('data', read)
    child.stderr!.setEncoding('utf8').on('data', read)
    exited.then((how) => {
      clearTimeout(timer)
      fail(`it ended with ${how}`)
    })
  })

  const waiting = new Map<number, (told: Told) => void>()
  let asked = 0
  child.on('message', (told: Told) => {
    waiting.get(told.id)?.(told)
    waiting.delete(told.id)
  })
  // Asked while it ends, it may not answer; nobody is waiting then.
  child.on('error', () => {})
  async function ask(question: Omit<Asked, 'id'>): Promise<Told> {
    const id = ++asked
    const answered = new Promise<Told>((resolve) => waiting.set(id, resolve))
    child.send({ id, ...question })
    const gone = exited.then((how): never => {
      throw new Error(`Cannot ask the server: it ended with ${how}; it printed:\n${output}`)
    })
    return await Promise.race([answered, gone])
  }

  const pid = child.pid!
  return {
    url,
    pid,
    advance: async (ms) => void (await ask({ nowMs: ms })),
    measure: () => ask({ isMeasured: true }),
    descriptors: () => descriptorsOf(pid),
    output: () => output,
    async stop() {
      child.kill('SIGTERM')
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(resolve, STOP_MS, 'late')
      })
      const how = await Promise.race([exited, late])
      clearTimeout(timer)
      if (how === 'code 0') return
      const held = how === 'late' ? ` it holds ${(await descriptorsOf(pid)).join(', ')};` : ''
      child.kill('SIGKILL')
      await exited
      throw new Error(`Cannot stop the server: ${how};${held} it printed:\n${output}`)
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** What `bin/airlock` tells Node and the C library: memory is to be what it is for those who start it. */
async function launcherOptions(): Promise<{ flags: string[]; env: Record<string, string> }> {
  const text = await readFile(join(CHECKOUT, 'bin', 'airlock'), 'utf8')
  const flags = /^exec "\$bin\/with-node" (.*) "\$bin/m.exec(text)?.[1]?.split(' ')
  const env = Object.fromEntries(
    [...text.matchAll(/\b(MALLOC_\w+)="\$\{\1:-(\d+)\}"/g)].map((found) => [found[1], found[2]]),
  )
  if (flags === undefined || Object.keys(env).length === 0) throw new Error('Cannot read the options of bin/airlock')
  return { flags, env }
}

async function descriptorsOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`
  const names = await readdir(folder)
  // One may be closed between the two looks.
  const found = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => undefined)))
  return found.filter((link) => link !== undefined).sort()
}

/** Of a process, from the kernel: what it holds in memory now, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const found = /^VmRSS:\s*(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))
  if (found === null) throw new Error(`Cannot measure process ${pid}: it has ended`)
  return Number(found[1]) * 1024
}
