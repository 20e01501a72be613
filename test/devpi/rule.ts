/** An intended difference, and the found differences that it explains. */
import { isDeepStrictEqual } from 'node:util'
import type { Difference } from './compare.ts'

export interface Rule {
  /** What is asked, or about what. With the other three a row of the page for people. */
  readonly about: string
  readonly devpi: string
  readonly airlock: string
  readonly why: string
  readonly covers: readonly Cover[]
}

/** In patterns `*` stands for anything. What is not said may be anything. */
export interface Cover {
  /** `group: title`. Each pattern must account for something. */
  readonly steps: string | readonly string[]
  readonly field: string | readonly string[]
  /** A value, or a pattern for it as JSON. `absent` for none. */
  readonly devpi?: Value
  readonly airlock?: Value
}

export type Value = string | number | boolean | null | RegExp | readonly unknown[] | { readonly absent: true }

export interface RuleSection {
  readonly title: string
  readonly rules: readonly Rule[]
}

export const ABSENT = { absent: true } as const

/** A pattern of one cover that accounts for nothing any longer. */
export interface StaleCover {
  readonly about: string
  readonly steps: string
}

export interface Account {
  readonly unlisted: readonly Difference[]
  readonly stale: readonly StaleCover[]
}

/** Holds what was found and what is listed against each other. */
export function account(found: readonly Difference[], sections: readonly RuleSection[]): Account {
  const listed = new Set<Difference>()
  const stale: StaleCover[] = []
  for (const { about, covers } of sections.flatMap((section) => section.rules)) {
    for (const cover of covers) {
      for (const steps of [cover.steps].flat() as readonly string[]) {
        const fitting = found.filter((difference) => fits(steps, difference.step) && isCovered(cover, difference))
        for (const difference of fitting) listed.add(difference)
        if (fitting.length === 0) stale.push({ about, steps })
      }
    }
  }
  return { unlisted: found.filter((difference) => !listed.has(difference)), stale }
}

function isCovered(cover: Cover, { field, devpi, airlock }: Difference): boolean {
  const fields = [cover.field].flat() as readonly string[]
  return fields.some((pattern) => fits(pattern, field)) && says(cover.devpi, devpi) && says(cover.airlock, airlock)
}

function fits(pattern: string, text: string): boolean {
  return new RegExp(`^${pattern.split('*').map(RegExp.escape).join('.*')}$`, 's').test(text)
}

function says(wanted: Value | undefined, value: unknown): boolean {
  if (wanted === undefined) return true
  if (wanted instanceof RegExp) return value !== undefined && wanted.test(JSON.stringify(value))
  if (isDeepStrictEqual(wanted, ABSENT)) return value === undefined
  return isDeepStrictEqual(wanted, value)
}
