/** Parses tox's report of a run (`tox --result-json`), tolerating JSON of any shape. */
import type { JsonBounds } from '../lib/bounded-json.ts'

export interface ToxEnvironment {
  readonly host: string
  readonly platform: string
  readonly name: string
  /** `3.12.1`. */
  readonly python?: string
  readonly setup: readonly ToxCommand[]
  readonly test: readonly ToxCommand[]
}

export interface ToxCommand {
  readonly command: string
  /** What it printed, its errors last. */
  readonly output: string
  readonly isFailed: boolean
}

/** Reports have some ten levels, and a list of all that is installed for each environment. */
export const TOX_BOUNDS: JsonBounds = { depth: 64, values: 1_000_000 }

/** How one phase of an environment went: `none` where it has no commands. */
export type ToxPhase = 'none' | 'passed' | 'failed'
export type ToxState = 'passed' | 'failed' | 'unknown'

/** By name of the environment; `undefined` for JSON that is no report. What is odd within a report is read as empty. */
export function readToxReport(json: unknown): ToxEnvironment[] | undefined {
  const report = asObject(json)
  const { host, platform, testenvs } = report
  if (typeof host !== 'string' || typeof platform !== 'string' || !isObject(testenvs)) return undefined
  return Object.entries(testenvs)
    .slice(0, ENVIRONMENTS_MAX)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      const environment = asObject(value)
      const said = asObject(environment.python).version
      const python = typeof said === 'string' ? cut(said.trim().split(/\s/, 1)[0]!) : ''
      return {
        host: cut(host),
        platform: cut(platform),
        name: cut(name),
        ...(python !== '' && { python }),
        setup: commandsOf(environment.setup),
        test: commandsOf(environment.test),
      }
    })
}

export function phaseOf(commands: readonly ToxCommand[]): ToxPhase {
  if (commands.length === 0) return 'none'
  return commands.some((each) => each.isFailed) ? 'failed' : 'passed'
}

/** Passed only where tests ran (devpi-web's rule). */
export function stateOf(setup: ToxPhase, test: ToxPhase): ToxState {
  if (setup === 'failed' || test === 'failed') return 'failed'
  return test === 'passed' ? 'passed' : 'unknown'
}

/** More than any matrix that people write; a page stays readable. */
const ENVIRONMENTS_MAX = 300
const COMMANDS_MAX = 200
/** Of names and commands. */
const TEXT_MAX = 1000

function commandsOf(value: unknown): ToxCommand[] {
  if (!Array.isArray(value)) return []
  return value.slice(0, COMMANDS_MAX).map((each: unknown) => {
    const { command, output, err, retcode } = asObject(each)
    const words = Array.isArray(command) ? command.filter((word) => typeof word === 'string').join(' ') : command
    return {
      command: cut(typeof words === 'string' ? words : ''),
      output: [output, err].filter((text) => typeof text === 'string' && text !== '').join('\n'),
      isFailed: retcode !== undefined && retcode !== null && Number(retcode) !== 0,
    }
  })
}

function cut(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}…`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {}
}
