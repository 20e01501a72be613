/**
 * The words of devpi-server 7 for what this server, like devpi-server 6, calls otherwise: taken as input where they mean
 * the same, never given out.
 */

import { INDEX_OPTIONS, type IndexOption } from './index-option-table.ts'

const NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries<IndexOption>(INDEX_OPTIONS).flatMap(([key, { devpi7 }]) =>
    devpi7 === undefined ? [] : [[devpi7, key]],
  ),
)

/** By option: 7's value → 6's. A value that is not here is left to the check of the option it stands for. */
const VALUES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  type: { local: 'stage', remote: 'mirror' },
  project_inheritance_rules: { 'allow all': ['*'], 'block type:remote if local_exists': [] },
  trust_inheritance_rules_from: { 'type:not remote': 'union', none: 'intersection' },
}

/** The option and its value in the words used here; anything else comes back as it is. */
export function renamed(key: string, value: unknown): readonly [key: string, value: unknown] {
  const values = Object.hasOwn(VALUES, key) ? VALUES[key]! : {}
  const asked = Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value
  const known = typeof asked === 'string' && Object.hasOwn(values, asked)
  return [Object.hasOwn(NAMES, key) ? NAMES[key]! : key, known ? values[asked] : value]
}
