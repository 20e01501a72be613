/** Whether the text of an `entry_points.txt` can be read by installers ("Entry points specification"). */
import { linesOf } from '../lib/lines.ts'

/** The fault of the first unreadable line, as a clause; `undefined` if all lines can be read. */
export function entryPointsFault(text: string): string | undefined {
  let hasGroup = false
  let number = -1
  for (const raw of linesOf(text)) {
    number++
    const line = raw.trim()
    if (line === '' || /^[#;]/.test(line)) continue
    if (line.startsWith('[')) {
      if (!/^\[[^\]]+\]$/.test(line)) return `line ${number + 1} begins a group and does not end it`
      hasGroup = true
      continue
    }
    if (!hasGroup) return `line ${number + 1} stands before the first group`
    const value = /^[^=]+=(.*)$/.exec(line)?.[1]?.trim()
    if (value === undefined) return `line ${number + 1} is no "name = module:object"`
    if (!OBJECT.test(value)) return `line ${number + 1} names no "module:object"`
  }
  return undefined
}

/** `module`, `module:object.attribute`, and the extras that older tools wrote behind. */
const OBJECT = /^[\p{L}\p{N}_.]+\s*(?::\s*[\p{L}\p{N}_.]+\s*)?(?:\[[^\]]*\])?$/u
