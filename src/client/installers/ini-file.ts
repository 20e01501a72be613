/** Edits INI text (pip.conf and its like) in place: comments, order and everything not asked for stay as they are. */

/** A key in a section, whichever way it is spelt: pip takes `index-url` and `index_url`. */
export interface IniKey {
  readonly section: string
  /** As written when the key is new. */
  readonly name: string
}

/** The value, its continuation lines joined by newlines; `undefined` when section or key are missing. */
export function iniValue(text: string, key: IniKey): string | undefined {
  const lines = text.split(/\r?\n/)
  const place = findKey(lines, key)
  if (place === undefined) return undefined
  return lines
    .slice(place.at, place.end)
    .map((line, i) => (i === 0 ? line.replace(KEY, '') : line).trim())
    .filter((line, i) => i === 0 || (line !== '' && !COMMENT.test(line)))
    .join('\n')
    .trim()
}

/** The text with the key set to one-line `value`: replaced where it stands, added to its section, or with a new section. */
export function withIniValue(text: string, key: IniKey, value: string): string {
  if (/[\r\n]/.test(value)) throw new TypeError(`Cannot set "${key.name}": its value has more than one line`)
  return edited(text, key, (written) => [`${written ?? key.name} = ${value}`])
}

/** The text with the key set to a list, one item a line as pip reads them; an empty list removes the key. */
export function withIniList(text: string, key: IniKey, items: readonly string[]): string {
  const [first, ...more] = items
  if (first === undefined) return iniValue(text, key) === undefined ? text : edited(text, key, () => [])
  return edited(text, key, (written) => [`${written ?? key.name} = ${first}`, ...more.map((item) => `    ${item}`)])
}

const KEY = /^([^\s=:#;[][^=:]*?)\s*[=:]\s*/
const SECTION = /^\[([^\]]+)\]/
const COMMENT = /^\s*[#;]/

function edited(text: string, key: IniKey, written: (spelling: string | undefined) => readonly string[]): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const lines = text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/)
  const place = findKey(lines, key)
  if (place) {
    // Comments and empty lines after the value belong to what follows.
    while (place.end > place.at + 1 && /^\s*(?:[#;]|$)/.test(lines[place.end - 1]!)) place.end--
    lines.splice(place.at, place.end - place.at, ...written(KEY.exec(lines[place.at]!)?.[1]))
  } else {
    const header = lines.findIndex((line) => SECTION.exec(line)?.[1] === key.section)
    if (header === -1) lines.push(`[${key.section}]`, ...written(undefined))
    else lines.splice(header + 1, 0, ...written(undefined))
  }
  return lines.join(newline) + newline
}

/** The lines `at` to `end` (exclusive) that hold the key and its continuation lines. */
function findKey(lines: readonly string[], key: IniKey): { at: number; end: number } | undefined {
  let section: string | undefined
  for (const [at, line] of lines.entries()) {
    const header = SECTION.exec(line)?.[1]
    if (header !== undefined) section = header
    if (section !== key.section || folded(KEY.exec(line)?.[1]) !== folded(key.name)) continue
    let end = at + 1
    while (end < lines.length && /^(?:\s+\S|\s*$|[#;])/.test(lines[end]!)) end++
    return { at, end }
  }
  return undefined
}

function folded(name: string | undefined): string | undefined {
  return name?.toLowerCase().replaceAll('_', '-')
}
