/** Other programs that client commands run: Python, pip, tox, sphinx-build. */
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { platform } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { promisify } from 'node:util'
import type { Session } from '../session.ts'

export interface ProgramRun {
  readonly cwd: string
  /** Added to the environment of the command; never shown, since addresses in it carry secrets. */
  readonly env?: Readonly<Record<string, string>>
  /** `shown` while it runs, on the terminal where there is one; `kept` for the caller, and shown with `-v`. */
  readonly output: 'shown' | 'kept'
}

export interface ProgramEnd {
  /** 0 for success; the signal's name when one ended it. */
  readonly code: number | string
  /** The end of what it printed, when `kept`. */
  readonly printed: string
  /** Of that, what went to stdout. */
  readonly stdout: string
}

/** What a program printed is kept up to here. */
const OUTPUT_BYTES_MAX = 1024 * 1024

/** The program's path: below `venv`, or without it the first on PATH; `undefined` when there is none. */
export function findProgram({ context }: Session, names: readonly string[], venv?: string): string | undefined {
  const windows = platform() === 'win32'
  const folders = venv === undefined ? pathOf(context.env.PATH) : [join(venv, windows ? 'Scripts' : 'bin')]
  return folders
    .flatMap((folder) => names.map((name) => join(folder, windows ? `${name}.exe` : name)))
    .find((path) => existsSync(path))
}

/** The Python of the activated environment, else the first on PATH. Ends the command when there is none. */
export function pythonOf(session: Session): string {
  const names = ['python3', 'python']
  const { activeVenv } = session
  const found = (activeVenv && findProgram(session, names, activeVenv)) || findProgram(session, names)
  if (found === undefined) throw session.out.failure('command not found: python3 (name one with --python)')
  return found
}

/** Says the command line and runs it to its end. Ends the command when it cannot be started at all. */
export async function runProgram(
  session: Session,
  program: string,
  args: readonly string[],
  run: ProgramRun,
): Promise<ProgramEnd> {
  const { out, context, options } = session
  out.line(`--> ${run.cwd}$ ${program} ${args.join(' ')}`)
  const isShown = run.output === 'shown' || options.verbose !== undefined
  const streams = [options.json ? context.stderr : context.stdout, context.stderr]
  const child = spawn(program, args, {
    cwd: run.cwd,
    env: { ...context.env, ...run.env } as NodeJS.ProcessEnv,
    stdio:
      run.output === 'shown'
        ? [passed(context.stdin, 'ignore'), ...streams.map((stream) => passed(stream, 'pipe'))]
        : ['ignore', 'pipe', 'pipe'],
    ...(context.stop && { signal: context.stop }),
  })
  const kept: { readonly chunk: Buffer; readonly at: number }[] = []
  let keptBytes = 0
  for (const [at, stream] of [child.stdout, child.stderr].entries()) {
    stream?.on('data', (chunk: Buffer) => {
      if (isShown) (run.output === 'shown' ? streams[at]! : context.stderr).write(chunk)
      kept.push({ chunk, at })
      keptBytes += chunk.length
      while (keptBytes > OUTPUT_BYTES_MAX) keptBytes -= kept.shift()!.chunk.length
    })
  }
  const { promise, resolve, reject } = Promise.withResolvers<number | string>()
  child.on('error', reject).on('close', (code, signal) => resolve(code ?? signal ?? 'a signal'))
  const code = await promise.catch((error: Error) => {
    throw out.failure(`Cannot run "${program}": ${error.message}`)
  })
  const text = (chunks: typeof kept) => Buffer.concat(chunks.map(({ chunk }) => chunk)).toString('utf8')
  return { code, printed: text(kept), stdout: text(kept.filter(({ at }) => at === 0)) }
}

/** `runProgram` for a program that must succeed: else shows what it printed and ends the command. Gives its stdout. */
export async function runToSuccess(
  session: Session,
  program: string,
  args: readonly string[],
  run: Omit<ProgramRun, 'output'>,
): Promise<string> {
  const { code, printed, stdout } = await runProgram(session, program, args, { ...run, output: 'kept' })
  if (code === 0) return stdout
  if (!session.options.verbose) session.out.line(printed.trimEnd())
  throw session.out.failure(`command failed: "${program} ${args.join(' ')}" ended with ${code}`)
}

/** For small things that Python's own library does: runs `script` quietly, with `args` as its `sys.argv[1:]`; gives its stdout. */
export async function runPython(
  { out, context }: Session,
  python: string,
  script: string,
  args: readonly string[],
  cwd: string = context.cwd,
): Promise<string> {
  const env = { ...context.env } as NodeJS.ProcessEnv
  try {
    const run = promisify(execFile)
    return (await run(python, ['-c', script, ...args], { cwd, env, maxBuffer: OUTPUT_BYTES_MAX })).stdout
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    throw out.failure(`Cannot do this with "${python}":\n${(stderr || message).trimEnd()}`)
  }
}

/** A stream of this process goes to the program as it is, so that it knows a terminal when there is one. */
function passed<S extends Readable | Writable, T>(stream: S, instead: T): S | T {
  return 'fd' in stream && typeof stream.fd === 'number' ? stream : instead
}

function pathOf(text: string | undefined): string[] {
  return (text ?? '').split(delimiter).filter((folder) => folder !== '')
}
