/** Who may do what: one pure decision, called by every way in. The table is devpi's (its permissions without --restrict-modify). */
import type { IndexOptions } from './index-options.ts'
import type { UserName } from './names.ts'

/** Who asks. Absent `name`: nobody in particular. */
export interface Principal {
  readonly name?: UserName
  /** Without colon. */
  readonly groups: readonly string[]
}

export const ANONYMOUS: Principal = Object.freeze({ groups: Object.freeze([]) })

export type Action =
  | { readonly do: 'create-user' }
  | { readonly do: 'modify-user' | 'delete-user'; readonly user: UserName }
  | { readonly do: 'create-index'; readonly user: UserName }
  | { readonly do: 'modify-index' | 'delete-index'; readonly user: UserName }
  | { readonly do: 'upload'; readonly options: IndexOptions }

/** Whether `who` may do it. Root owns everything except uploading, where only `acl_upload` counts. */
export function may(who: Principal, action: Action): boolean {
  switch (action.do) {
    case 'create-user':
      return true
    case 'modify-user':
    case 'create-index':
    case 'modify-index':
    case 'delete-index':
      return isRoot(who) || who.name === action.user
    case 'delete-user':
      return action.user !== 'root' && (isRoot(who) || who.name === action.user)
    case 'upload':
      return action.options.type === 'stage' && isListed(who, action.options.acl_upload)
  }
}

function isRoot(who: Principal): boolean {
  return who.name === 'root'
}

function isListed(who: Principal, list: readonly string[]): boolean {
  return list.some(
    (entry) =>
      entry === ':ANONYMOUS:' ||
      (entry === ':AUTHENTICATED:' && who.name !== undefined) ||
      (who.name !== undefined && entry === who.name) ||
      (entry.startsWith(':') && who.groups.includes(entry.slice(1))),
  )
}
