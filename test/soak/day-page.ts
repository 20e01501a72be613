/** A simulated day as a page, `.cache/soak.md`. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CHECKOUT } from '../programs/server-process.ts'
import type { DayReport } from './day.ts'
import { table } from './readings.ts'

/** Gives the summary that stands at its head. */
export async function writeDayPage(name: string, seed: number, report: DayReport): Promise<string> {
  const { readings, requests, restarts, wallMs, complaints, heldFiles } = report
  const summary = [
    `${readings.length} hours in ${(wallMs / 1000).toFixed(0)} s, seed ${seed}: ${requests} requests,`,
    `${restarts.stops} stops and ${restarts.kills} kills, ${heldFiles} files held from upstream,`,
    `${total(report.weather)} storms upstream, ${report.lateSteps} late steps, ${complaints.length} complaints`,
  ].join(' ')
  const answers = [...report.answers].sort().map(([what, came]) => {
    const counts = [...came].sort().map(([status, count]) => `${status}: ${count}`)
    return `| ${what} | ${total(came)} | ${counts.join(', ')} |`
  })
  const weather = [...report.weather].sort().map(([fault, count]) => `| ${fault} | ${count} |`)
  const page = [
    '# A simulated day',
    '',
    summary,
    '',
    ...complaints.map((complaint) => `- ${complaint}`),
    '',
    table(readings),
    '',
    '| Asked | Times | Answers |',
    '| --- | ---: | --- |',
    ...answers,
    '',
    '| Fault upstream | Times |',
    '| --- | ---: |',
    ...weather,
    '',
    ...(complaints.length === 0 ? [] : ['```', ...report.logs, '```', '']),
  ]
  await mkdir(join(CHECKOUT, '.cache'), { recursive: true })
  await writeFile(join(CHECKOUT, '.cache', name), page.join('\n'))
  return summary
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((a, b) => a + b, 0)
}
