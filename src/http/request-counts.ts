/** How many requests were answered, by the kind of client and by status: counters for `/+metrics`. */
import type { FastifyRequest } from 'fastify'
import type { WorkerFigures } from '../mirrors/peers.ts'

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

/** A few words for the many routes, so that no name of an index or project becomes a label. */
function groupOf(request: FastifyRequest): string {
  const pattern = request.routeOptions.url ?? ''
  if (pattern.startsWith('/+')) return 'server'
  if (/\+simple|^\/simple/.test(pattern)) return 'simple'
  if (/\/\+[ef]\//.test(pattern)) return 'files'
  return request.method === 'POST' ? 'uploads' : 'other'
}
