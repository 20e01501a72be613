/** Parses the request for a new API token. */
import { Problem } from '../../model/errors.ts'
import type { Limits } from '../../model/limits.ts'
import { type IndexName, parseIndexName } from '../../model/names.ts'
import { TOKEN_ACTIONS, type TokenAction } from '../../model/scope.ts'
import type { ApiToken } from '../../model/tokens.ts'
import { asProjectName, type ProjectName } from '../../pep/name.ts'

export type AskedToken = Pick<ApiToken, 'note' | 'actions' | 'indexes' | 'projects' | 'expiresMs'>

const FIELDS = ['note', 'actions', 'indexes', 'projects', 'expires', 'expires_in']
const NOTE_CHARACTERS_MAX = 200
/** Without word of it a token may read and upload, and delete nothing. */
const USUAL_ACTIONS: readonly TokenAction[] = ['read', 'upload']

/**
 * `note` (text), `actions`, `indexes` and `projects` (lists of names; absent: the usual actions, every index, every project),
 * `expires` (RFC 3339) or `expires_in` (seconds). Throws `bad-request`.
 */
export function readAskedToken(fields: Readonly<Record<string, unknown>>, now: Date, limits: Limits): AskedToken {
  const unknown = Object.keys(fields).filter((key) => !FIELDS.includes(key))
  if (unknown.length > 0) throw refused(`"${unknown[0]}" is not known; there are ${FIELDS.join(', ')}`)
  const { note = '' } = fields
  if (typeof note !== 'string' || note.length > NOTE_CHARACTERS_MAX || /\p{Cc}/u.test(note)) {
    throw refused(`the note must be one line of text of at most ${NOTE_CHARACTERS_MAX} characters`)
  }
  const actions = readList(fields, 'actions', limits, (text) => TOKEN_ACTIONS.find((action) => action === text))
  const indexes = readList<IndexName>(fields, 'indexes', limits, parseIndexName)
  const projects = readList<ProjectName>(fields, 'projects', limits, asProjectName)
  const expiresMs = readEnd(fields, now)
  return {
    note,
    actions: actions ?? USUAL_ACTIONS,
    ...(indexes !== undefined && { indexes }),
    ...(projects !== undefined && { projects }),
    ...(expiresMs !== undefined && { expiresMs }),
  }
}

/** A list of names that stands under `key`, each once; `undefined` where it is absent. Throws `bad-request`, also for an empty one. */
function readList<Name extends string>(
  fields: Readonly<Record<string, unknown>>,
  key: string,
  { scopeNames }: Limits,
  read: (text: string) => Name | undefined,
): readonly Name[] | undefined {
  const value = fields[key]
  if (value === undefined) return undefined
  // An empty list could be taken for nothing at all, or for everything.
  if (!Array.isArray(value) || value.length === 0) throw refused(`${key} must be a list of names, or be left out`)
  if (value.length > scopeNames) throw refused(`${key} has more than ${scopeNames} names`)
  const names = value.map((each: unknown) => {
    const name = typeof each === 'string' ? read(each) : undefined
    if (name === undefined) throw refused(`${key}: ${JSON.stringify(each)?.slice(0, 200)} ${WANTED[key]}`)
    return name
  })
  return [...new Set(names)]
}

const WANTED: Readonly<Record<string, string>> = {
  actions: `is not one of ${TOKEN_ACTIONS.join(', ')}`,
  indexes: 'is not of the form USER/INDEX',
  projects: 'is not a valid project name',
}

function readEnd({ expires, expires_in }: Readonly<Record<string, unknown>>, now: Date): number | undefined {
  if (expires !== undefined && expires_in !== undefined) throw refused('give expires or expires_in, not both')
  if (expires_in !== undefined) {
    const isUsable = typeof expires_in === 'number' && Number.isInteger(expires_in) && expires_in > 0
    if (!isUsable || expires_in > SECONDS_MAX) throw refused('expires_in must be a whole number of seconds')
    return now.getTime() + expires_in * 1000
  }
  if (expires === undefined) return undefined
  const ms = typeof expires === 'string' && /^\d{4}-\d\d-\d\dT/.test(expires) ? Date.parse(expires) : Number.NaN
  if (Number.isNaN(ms) || ms <= now.getTime()) throw refused('expires must be a time to come, as 2030-01-31T12:00:00Z')
  return ms
}

/** A century. */
const SECONDS_MAX = 100 * 365 * 86_400

function refused(why: string): Problem {
  return new Problem('bad-request', `Cannot create a token: ${why}`)
}
