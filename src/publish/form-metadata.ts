/** Metadata in an upload form. */
import { LISTS, TEXTS } from '../model/metadata-keys.ts'

/** Field names some uploaders use for the same thing (PyPI's documentation has both). */
const ALSO: Readonly<Record<string, string>> = { provides_extra: 'provides_extras', license_files: 'license_file' }

const SINGLE: ReadonlySet<string> = new Set(TEXTS)
const REPEATED: ReadonlySet<string> = new Set(LISTS)

/** Whether a field is metadata with one value. */
export function isSingle(field: string): boolean {
  return SINGLE.has(field)
}

/** The metadata in a form; keys that were not sent are absent, `UNKNOWN` is an empty text. */
export function formMetadata(
  fields: ReadonlyMap<string, readonly string[]>,
): Record<string, string | readonly string[]> {
  const metadata: Record<string, string | readonly string[]> = {}
  for (const [field, values] of fields) {
    const key = ALSO[field] ?? field
    if (isSingle(key)) metadata[key] = values[0] === 'UNKNOWN' ? '' : (values[0] ?? '')
    else if (REPEATED.has(key)) metadata[key] = values.filter((value) => value !== '' && value !== 'UNKNOWN')
  }
  return metadata
}
