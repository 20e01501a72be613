import { Problem } from '../../model/errors.ts'

/**
 * The reason for a yank or a status, as it will stand on pages: trimmed; `undefined` for none, which an empty one is.
 * Throws `bad-request` for what is no text, is longer than `most` characters, or has line ends or other control characters.
 */
export function givenReason(value: unknown, most: number): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw refused('write it as text')
  const reason = value.trim()
  if (reason.length > most) throw refused(`it has ${reason.length} characters, ${most} at most are kept`)
  if (/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(reason)) {
    throw refused('it has a line end or another control character, write one line of plain text')
  }
  return reason === '' ? undefined : reason
}

function refused(why: string): Problem {
  return new Problem('bad-request', `Cannot take the "reason": ${why}`)
}
