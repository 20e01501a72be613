/** What all measurements share: taking turns, medians, tables, and a word about the machine. */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, loadavg, totalmem, type } from 'node:os'
import { join } from 'node:path'

/** One of those that are compared. */
export interface Contestant {
  readonly name: string
  /** One run, in milliseconds by its own clock: what it makes ready first does not count. */
  run(round: number): Promise<number>
}

/** Milliseconds of every round, by the contestant's name. */
export type Figures = ReadonlyMap<string, readonly number[]>

/** A, B, C, A, B, C …: what slows the machine down for a while slows all of them down. */
export async function takeTurns(
  contestants: readonly Contestant[],
  rounds: number,
  say: (line: string) => void = () => {},
): Promise<Figures> {
  const figures = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const { name, run } of contestants) {
      const ms = await run(round)
      figures.get(name)!.push(ms)
      say(`round ${round}: ${name}: ${seconds(ms)}`)
    }
  }
  return figures
}

/** The middle value, of an even number the mean of both. Throws for none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('Cannot tell a median: there are no values')
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** `3.1 s`, or `3.1 s (2.9 to 3.4)` with the spread of several. */
export function shown(values: readonly number[]): string {
  const range = values.length < 2 ? '' : ` (${number(Math.min(...values))} to ${number(Math.max(...values))})`
  return `${seconds(median(values))}${range}`
}

/** How many times as long as `other` it took, by the medians. */
export function ratio(values: readonly number[], other: readonly number[]): string {
  return `${(median(values) / median(other)).toFixed(2)} ×`
}

/** A Markdown table; the first row is its head. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n')
}

/** Processor, cores, memory, system, Node.js, load and day, in one sentence. */
export async function machine(): Promise<string> {
  const [first] = cpus()
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(system)?.[1] ?? type()
  const memory = `${Math.round(totalmem() / 1024 ** 3)} GiB`
  const load = loadavg()[0]!.toFixed(1)
  const day = new Date().toISOString().slice(0, 10)
  return `${first?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${memory}, ${name}, Node.js ${process.versions.node}, load ${load} at the start, ${day}`
}

/** Writes `bench/RESULTS-{name}.md`. */
export async function keepResult(name: string, text: string): Promise<void> {
  await keepPage(`RESULTS-${name}.md`, text)
}

/** Writes a page beside this file. */
export async function keepPage(filename: string, text: string): Promise<void> {
  await writeFile(join(import.meta.dirname, filename), text)
}

function seconds(ms: number): string {
  return `${number(ms)} s`
}

function number(ms: number): string {
  return (ms / 1000).toFixed(2)
}
