/** Indented JSON: the outer levels are on lines of their own. */

/** Below this many levels all stands in one line. With an indentation for each level a value of 11 KB grew to 60 MB. */
const LEVELS = 6

/** `value` with two spaces for each outer level. As with `JSON.stringify`, what is `undefined` is left out of objects. */
export function readableJson(value: unknown): string {
  return written(value, 0) ?? 'null'
}

function written(value: unknown, level: number): string | undefined {
  const isPlain =
    typeof value === 'object' && value !== null && typeof (value as { toJSON?: unknown }).toJSON !== 'function'
  if (!isPlain || level === LEVELS) return JSON.stringify(value)
  if (Array.isArray(value))
    return lines(
      '[',
      value.map((each) => written(each, level + 1) ?? 'null'),
      ']',
      level,
    )
  const members: string[] = []
  for (const [key, each] of Object.entries(value)) {
    const text = written(each, level + 1)
    if (text !== undefined) members.push(`${JSON.stringify(key)}: ${text}`)
  }
  return lines('{', members, '}', level)
}

function lines(opening: string, members: readonly string[], closing: string, level: number): string {
  if (members.length === 0) return opening + closing
  const indent = '  '.repeat(level)
  return `${opening}\n${members.map((each) => `${indent}  ${each}`).join(',\n')}\n${indent}${closing}`
}
