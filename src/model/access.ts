/** Who may do what: one pure decision, called by every way in. The table is devpi's (its permissions, with and without --restrict-modify). */
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
  | { readonly do: 'create-user' | 'modify-groups' }
  | { readonly do: 'modify-user' | 'change-password' | 'delete-user'; readonly user: UserName }
  | { readonly do: 'create-index'; readonly user: UserName }
  | { readonly do: 'modify-index' | 'delete-index'; readonly user: UserName }
  | { readonly do: 'upload' | 'upload-toxresult' | 'read'; readonly options: IndexOptions }
  | { readonly do: 'delete-content'; readonly user: UserName; readonly options: IndexOptions }

export type May = (who: Principal, action: Action) => boolean

/**
 * The decision under a server's rules. `restrictModify` lists the only users and `:groups` that may change users and
 * indexes; without it root and the owner may. Uploading and reading always go by the index's own lists alone.
 */
export function mayUnder({ restrictModify }: { readonly restrictModify?: readonly string[] }): May {
  const isKeeper = (who: Principal, owner?: UserName): boolean =>
    restrictModify === undefined
      ? isRoot(who) || (owner !== undefined && who.name === owner)
      : isListed(who, restrictModify)
  return (who, action) => {
    switch (action.do) {
      case 'create-user':
        return restrictModify === undefined || isKeeper(who)
      case 'modify-groups':
        return isKeeper(who)
      case 'modify-user':
      case 'create-index':
      case 'modify-index':
      case 'delete-index':
        return isKeeper(who, action.user)
      case 'change-password':
        return who.name === action.user || isKeeper(who, action.user)
      case 'delete-user':
        // Whoever restricts changes to some, does not want them to remove themselves either.
        if (action.user === 'root' || (restrictModify !== undefined && who.name === action.user)) return false
        return isKeeper(who, action.user)
      case 'upload':
        return action.options.type === 'stage' && isListed(who, action.options.acl_upload)
      case 'upload-toxresult':
        return action.options.type === 'mirror' || isListed(who, action.options.acl_toxresult_upload)
      case 'delete-content': {
        const { options } = action
        return isKeeper(who, action.user) || (options.type === 'stage' && isListed(who, options.acl_upload))
      }
      case 'read': {
        const { acl_pkg_read } = action.options
        return acl_pkg_read === undefined || isListed(who, acl_pkg_read) || isKeeper(who)
      }
    }
  }
}

/** Without restrictions. */
export const may: May = mayUnder({})

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
