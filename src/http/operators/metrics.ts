/** Figures for those who watch the server, in the text form that Prometheus reads. */
import type { FastifyRequest } from 'fastify'
import type { MirrorStatus } from '../../mirrors/mirror-status.ts'
import type { WorkerFigures } from '../../mirrors/peers.ts'

/** Answers since the server started, by who asked for what. */
export class RequestCounts {
  readonly #counts = new Map<string, { count: number }>()
  uploads = 0
  /** Of all answers, those that stood ready. */
  ready = 0

  count(request: FastifyRequest, status: number): void {
    const group = groupOf(request)
    this.#add(labelsOf(group, status))
    if (group === 'uploads' && status === 200) this.uploads++
  }

  /** One that stood ready; `labels` as `labelsOf` makes them. */
  countReady(labels: string): void {
    this.ready++
    this.#add(labels)
  }

  /** Adds what another worker has counted. */
  add({ requests, uploads, ready }: Omit<WorkerFigures, 'mirrors'>): void {
    for (const [labels, count] of requests) this.#add(labels, count)
    this.uploads += uploads
    this.ready += ready
  }

  #add(labels: string, count = 1): void {
    const known = this.#counts.get(labels)
    if (known === undefined) this.#counts.set(labels, { count })
    else known.count += count
  }

  /** As one worker tells them to the others. */
  get figures(): Omit<WorkerFigures, 'mirrors'> {
    return { requests: this.all, uploads: this.uploads, ready: this.ready }
  }

  /** Labels to how often. */
  get all(): ReadonlyMap<string, number> {
    return new Map([...this.#counts].map(([labels, { count }]) => [labels, count]))
  }
}

/** As the text form has them. */
export function labelsOf(group: string, status: number): string {
  return `group="${group}",status="${status}"`
}

/** The server's own figures: name, kind, value. */
export type Figure = readonly [name: string, kind: 'gauge' | 'counter', value: number]

/** The page at `/+metrics`; `mirrors` are those that who asks may know of. */
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

/** A few words for the many routes, so that no name of an index or project becomes a label. */
function groupOf(request: FastifyRequest): string {
  const pattern = request.routeOptions.url ?? ''
  if (pattern.startsWith('/+')) return 'server'
  if (/\+simple|^\/simple/.test(pattern)) return 'simple'
  if (/\/\+[ef]\//.test(pattern)) return 'files'
  return request.method === 'POST' ? 'uploads' : 'other'
}
