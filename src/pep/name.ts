import type { Brand } from '../lib/brand.ts'

/** A project's name in normalized form: lower case, runs of `-`, `_` and `.` as one `-`. */
export type ProjectName = Brand<string, 'ProjectName'>

/** PyPI and every client stay far below; the bound keeps hostile paths out of queries and file names. */
const NAME_LENGTH_MAX = 200

/**
 * The normalized form of a project name.
 *
 * The valid-name rule is the packaging specification's "Names and normalization" (PEP 508, PEP 503).
 * Throws `SyntaxError` for text that is no project name.
 */
export function projectName(text: string): ProjectName {
  if (text.length > NAME_LENGTH_MAX) {
    throw new SyntaxError(`Cannot use project name: ${text.length} characters, at most ${NAME_LENGTH_MAX} are allowed`)
  }
  if (!/^(?:[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])$/i.test(text) || text.endsWith('\n')) {
    throw new SyntaxError(
      `Cannot use project name ${JSON.stringify(text)}: use ASCII letters, digits, "-", "_" and ".", first and last a letter or digit`,
    )
  }
  return text.replace(/[-_.]+/g, '-').toLowerCase() as ProjectName
}

/** `projectName` for text that may be anything: `undefined` where it is no project name. */
export function asProjectName(text: string): ProjectName | undefined {
  try {
    return projectName(text)
  } catch {
    return undefined
  }
}
