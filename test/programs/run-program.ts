/** Runs a program to its end, keeping what it says. */
import { spawn } from 'node:child_process'
import type { Env } from './clean-env.ts'
import { own } from './owned-processes.ts'

export interface Outcome {
  /** 128 and more when a signal ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** Both, in the order in which they came. */
  readonly output: string
  readonly ms: number
}

export interface ProgramOptions {
  readonly cwd: string
  /** The whole environment: nothing is inherited. */
  readonly env: Env
  /** The program and what it started are killed after so long, and the call throws. Two minutes unless told. */
  readonly timeoutMs?: number
  /** Written to its stdin, which is empty otherwise. */
  readonly input?: string
}

/** Of each stream the last part is kept. */
const KEPT_CHARACTERS = 16 * 1024 * 1024

/** Throws when the program cannot be started, or takes too long; never because of its exit code. */
export function runProgram(program: string, args: readonly string[], options: ProgramOptions): Promise<Outcome> {
  const { cwd, env, timeoutMs = 120_000, input } = options
  const started = performance.now()
  return new Promise((resolve, reject) => {
    // A group of its own, so that a time limit ends what the program started as well.
    const child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    let stdout = ''
    let stderr = ''
    let output = ''
    let late = false
    const endGroup = () => {
      if (child.pid === undefined) return
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
    const timer = setTimeout(() => {
      late = true
      endGroup()
    }, timeoutMs)
    const disown = own(endGroup)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-KEPT_CHARACTERS)
      output = (output + text).slice(-KEPT_CHARACTERS)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-KEPT_CHARACTERS)
      output = (output + text).slice(-KEPT_CHARACTERS)
    })
    // A program that does not read its input is no fault of this side.
    child.stdin.on('error', () => {})
    child.stdin.end(input ?? '')
    const done = () => {
      clearTimeout(timer)
      disown()
    }
    child.once('error', (error) => {
      done()
      reject(error)
    })
    child.once('close', (code, signal) => {
      done()
      const shown = [program, ...args].join(' ')
      if (late) reject(new Error(`Cannot finish "${shown}" within ${timeoutMs} ms; it printed:\n${output}`))
      else
        resolve({
          code: code ?? (signal === 'SIGKILL' ? 137 : 143),
          stdout,
          stderr,
          output,
          ms: performance.now() - started,
        })
    })
  })
}
