/** Rules for every upload form: a field with one value is not sent with two, and the version of the protocol is known. */
import { quoted, type Rule } from '../archive/fault.ts'
import { isSingle } from './form-metadata.ts'

export type FormFields = ReadonlyMap<string, readonly string[]>

/** Fields of the form itself, with one value each. */
const SINGLE = [
  ':action',
  'protocol_version',
  'filetype',
  'pyversion',
  'md5_digest',
  'sha256_digest',
  'blake2_256_digest',
]

/** Field names that are not known are ignored, and the order of fields does not matter. */
export const FORM_RULES: readonly Rule<FormFields>[] = [
  {
    refuses: 'A field that can have one value only with two that differ',
    fix: 'send each of them once',
    fault: (fields) => {
      for (const [field, values] of fields) {
        if (values.length === 1 || !(SINGLE.includes(field) || isSingle(field)) || new Set(values).size === 1) continue
        return `it has field ${quoted(field)} more than once, with different values`
      }
      return undefined
    },
  },
  {
    refuses: 'A protocol_version other than 1',
    fix: 'send 1, or leave it out',
    fault: (fields) => {
      const version = fields.get('protocol_version')?.[0] ?? ''
      return version === '' || version.trim() === '1' ? undefined : `its protocol_version ${quoted(version)} is not 1`
    },
  },
]
