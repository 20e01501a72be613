/** Reads untrusted JSON as an object. */

/** `value` when it is an object, else an empty one: answers come from outside. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
