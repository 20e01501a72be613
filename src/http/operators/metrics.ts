/** Metrics in Prometheus' text format. */
import type { MirrorStatus } from '../../mirrors/mirror-status.ts'
import type { RequestCounts } from '../request-counts.ts'

/** The server's own figures: name, kind, value. */
export type Figure = readonly [name: string, kind: 'gauge' | 'counter', value: number]

/** The page at `/+metrics`; `mirrors` are those that the requester may read. */
export function metricsPage(
  figures: readonly Figure[],
  requests: RequestCounts,
  mirrors: readonly MirrorStatus[],
  nowMs: number,
): string {
  const lines: string[] = []
  const add = (name: string, kind: Figure[1], samples: Iterable<readonly [labels: string, value: number]>) => {
    lines.push(`# TYPE ${name} ${kind}`)
    for (const [labels, value] of samples) lines.push(`${name}${labels && `{${labels}}`} ${value}`)
  }
  for (const [name, kind, value] of figures) add(name, kind, [['', value]])
  add('airlock_requests_total', 'counter', requests.all)
  add('airlock_ready_answers_total', 'counter', [['', requests.ready]])
  add('airlock_uploads_total', 'counter', [['', requests.uploads]])
  for (const [name, kind, read] of OF_MIRRORS) {
    const samples = mirrors.flatMap((mirror) => {
      const value = read(mirror, nowMs)
      return value === undefined ? [] : [[`index="${mirror.name}"`, value] as const]
    })
    add(name, kind, samples)
  }
  return `${lines.join('\n')}\n`
}

const OF_MIRRORS: readonly (readonly [
  name: string,
  kind: Figure[1],
  read: (mirror: MirrorStatus, nowMs: number) => number | undefined,
])[] = [
  ['airlock_mirror_open', 'gauge', (mirror) => (mirror.state === 'open' ? 1 : 0)],
  ['airlock_mirror_waiting', 'gauge', (mirror) => (mirror.state === 'waiting' ? 1 : 0)],
  ['airlock_mirror_page_hits_total', 'counter', (mirror) => mirror.pageHits],
  ['airlock_mirror_page_misses_total', 'counter', (mirror) => mirror.pageMisses],
  ['airlock_mirror_file_hits_total', 'counter', (mirror) => mirror.fileHits],
  ['airlock_mirror_file_misses_total', 'counter', (mirror) => mirror.fileMisses],
  ['airlock_mirror_list_age_seconds', 'gauge', (mirror, nowMs) => ageSeconds(mirror.list?.fetchedMs, nowMs)],
  ['airlock_mirror_list_projects', 'gauge', (mirror) => mirror.list?.projects],
  ['airlock_upstream_requests_total', 'counter', (mirror) => mirror.requests],
  ['airlock_upstream_failures_total', 'counter', (mirror) => mirror.failures],
  ['airlock_upstream_bytes_total', 'counter', (mirror) => mirror.bytes],
]

function ageSeconds(sinceMs: number | undefined, nowMs: number): number | undefined {
  return sinceMs === undefined ? undefined : Math.max(0, Math.round((nowMs - sinceMs) / 1000))
}
