/** Finds the differences between two answers to one step. */
import type { Answer } from './answers.ts'

export interface Difference {
  /** `group: title` */
  readonly step: string
  /** `status`, `reason`, `headers.location`, `body.result.title` … */
  readonly field: string
  /** `undefined` where there is none. */
  readonly devpi: unknown
  readonly airlock: unknown
}

/** Of these only what devpi says counts: where it says nothing, more is no loss. */
const MAY_BE_MORE = ['headers.cache-control', 'headers.vary', 'headers.last-modified', 'headers.allow']

export function differencesOf(group: string, devpi: Answer, airlock: Answer): Difference[] {
  const found: Difference[] = []
  const compare = (part: 'status' | 'reason' | 'headers' | 'body' | 'received') =>
    walk(part, devpi[part], airlock[part], (field, there, here) => {
      if (there === undefined && MAY_BE_MORE.includes(field)) return
      found.push({ step: `${group}: ${devpi.title}`, field, devpi: there, airlock: here })
    })
  compare('status')
  compare('received')
  // Another status is another answer, and all else follows from it.
  if (found.length > 0) return found
  compare('reason')
  compare('headers')
  // Two shapes of one answer: that they are two is told by the header.
  if (devpi.headers['content-type'] === airlock.headers['content-type']) compare('body')
  return found
}

function walk(
  field: string,
  devpi: unknown,
  airlock: unknown,
  tell: (field: string, devpi: unknown, airlock: unknown) => void,
): void {
  if (devpi === airlock) return
  if (Array.isArray(devpi) && Array.isArray(airlock)) {
    for (let at = 0; at < Math.max(devpi.length, airlock.length); at++) {
      walk(`${field}.${at}`, devpi[at], airlock[at], tell)
    }
    return
  }
  if (isRecord(devpi) && isRecord(airlock)) {
    for (const key of new Set([...Object.keys(devpi), ...Object.keys(airlock)])) {
      walk(`${field}.${key}`, devpi[key], airlock[key], tell)
    }
    return
  }
  tell(field, devpi, airlock)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
