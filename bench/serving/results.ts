/** What was measured, and how the page of results shows it. */
import { median, table } from '../measure.ts'
import type { Sample } from './measured-load.ts'

/** Rounds of one scenario, by server in the order of the table. */
export interface LoadResult {
  readonly key: string
  readonly title: string
  readonly unit: string
  readonly by: ReadonlyMap<string, readonly Sample[] | Failed>
}

/** Why there is no figure. */
export interface Failed {
  readonly failed: string
}

/** Rounds of one amount of which less is better. */
export interface AmountResult {
  readonly title: string
  readonly unit: 'ms' | 'MiB'
  readonly by: ReadonlyMap<string, readonly number[] | Failed>
}

/** All servers beside `own`, by its advantage: how many times as much it does with a second of CPU, and in a second. */
export function summary(results: readonly LoadResult[], own: string, others: readonly string[]): string {
  const rows = results.flatMap(({ title, by }) => {
    const mine = by.get(own)
    if (mine === undefined || 'failed' in mine) return []
    const cells = others.map((other) => {
      const theirs = by.get(other)
      if (theirs === undefined) return '–'
      if ('failed' in theirs) return 'failed'
      return `${times(mine, theirs, 'perCpuSecond')} / ${times(mine, theirs, 'perSecond')}`
    })
    return [[title, ...cells]]
  })
  return table([['', ...others], ...rows])
}

/** Every figure of one scenario. */
export function details({ title, unit, by }: LoadResult, own: string): string {
  const mine = by.get(own)
  const rows = [...by].map(([name, samples]) => {
    if ('failed' in samples) return [name, `failed: ${samples.failed}`, '', '', '', '', '', '']
    const of = (what: Figure) => samples.map((sample) => sample[what])
    const beside = (what: 'perCpuSecond' | 'perSecond') =>
      mine === undefined || 'failed' in mine || name === own ? '' : times(mine, samples, what)
    const isBusy = samples.some((sample) => sample.isGeneratorBusy)
    return [
      name,
      spread(of('perCpuSecond')),
      `${isBusy ? '≥ ' : ''}${spread(of('perSecond'))}`,
      number(median(of('p50Ms'))),
      number(median(of('p99Ms'))),
      number(median(of('bodyBytes')) / 1024),
      beside('perCpuSecond'),
      beside('perSecond'),
    ]
  })
  const head = ['', `${unit} per CPU-second`, 'per second', 'p50, ms', 'p99, ms', 'KiB', 'by CPU', 'by the clock']
  return `### ${title}\n\n${table([head, ...rows])}`
}

/** Amounts, one row each, and in brackets how many times Airlock's. */
export function amountsTable(results: readonly AmountResult[], own: string, all: readonly string[]): string {
  const rows = results.map(({ title, unit, by }) => {
    const mine = by.get(own)
    const cells = all.map((name) => {
      const values = by.get(name)
      if (values === undefined) return '–'
      if ('failed' in values) return 'failed'
      const isOther = name !== own && mine !== undefined && !('failed' in mine)
      return `${spread(values)}${isOther ? `; ${number(median(values) / median(mine))} ×` : ''}`
    })
    return [`${title}, ${unit}`, ...cells]
  })
  return table([['', ...all], ...rows])
}

type Figure = 'perCpuSecond' | 'perSecond' | 'p50Ms' | 'p99Ms' | 'bodyBytes'

function times(mine: readonly Sample[], theirs: readonly Sample[], what: 'perCpuSecond' | 'perSecond'): string {
  return `${number(median(mine.map((each) => each[what])) / median(theirs.map((each) => each[what])))} ×`
}

/** `40 (38 to 41)`. */
function spread(values: readonly number[]): string {
  const range = values.length < 2 ? '' : ` (${number(Math.min(...values))} to ${number(Math.max(...values))})`
  return `${number(median(values))}${range}`
}

/** Three digits, or all before the point. */
function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3)
}
