/** Authorization: one pure decision, called by every entry point. The table is devpi's (its permissions, with and without --restrict-modify). */
import type { ProjectName } from '../pep/name.ts'
import type { IndexOptions } from './index-options.ts'
import type { IndexName, UserName } from './names.ts'
import type { IndexRecord } from './records.ts'
import { outsideScope, type Scope, type TokenAction } from './scope.ts'

/** Who asks. Absent `name`: nobody in particular. */
export interface Principal {
  readonly name?: UserName
  /** Without colon. */
  readonly groups: readonly string[]
  /** Comes with a token, which leaves no more than this of the rights; absent: all of them. */
  readonly scope?: Scope
  /** Comes with a token that Trusted Publishing gave: no user, but a publisher that an index trusts. Always with `scope`. */
  readonly publisher?: PublisherIdentity
}

/** What an OIDC token has proven: who issued it, and what it said. */
export interface PublisherIdentity {
  readonly kind: 'github' | 'gitlab' | 'oidc'
  readonly issuer: string
  /** Those that are text, by name (`sub`, `repository`, `project_path`, `workflow_ref`, `sha` …). */
  readonly claims: Readonly<Record<string, string>>
}

export const ANONYMOUS: Principal = Object.freeze({ groups: Object.freeze([]) })

export type Action =
  | { readonly do: 'create-user' | 'modify-groups' | 'list-groups' }
  | { readonly do: 'modify-user' | 'change-password' | 'delete-user' | 'manage-tokens'; readonly user: UserName }
  | { readonly do: 'create-index'; readonly user: UserName }
  | { readonly do: 'make-mirror' }
  | { readonly do: 'modify-index' | 'delete-index'; readonly user: UserName }
  | { readonly do: 'read'; readonly index: IndexName; readonly options: IndexOptions }
  | ({ readonly do: 'upload' | 'upload-toxresult' | 'push-elsewhere'; readonly options: IndexOptions } & OfProject)
  | ({ readonly do: 'delete-content'; readonly user: UserName; readonly options: IndexOptions } & OfProject)

interface OfProject {
  readonly index: IndexName
  /** `undefined` asks whether it may be done for any project at all: ask again when the project is known, before anything is done. */
  readonly project: ProjectName | undefined
}

export type May = (who: Principal, action: Action) => boolean

/** Each lists users and `:groups`. */
export interface AccessRules {
  readonly restrictModify?: readonly string[]
  /** Who may make mirrors and say of what, and who may push releases to other servers, besides root; absent: whom `restrictModify` lists. */
  readonly mayMirror?: readonly string[]
  readonly mayPushOut?: readonly string[]
}

/**
 * The decision under a server's rules. `restrictModify` lists the only users and `:groups` that may change users and
 * indexes; without it root and the owner may. Uploading and reading always go by the index's own lists alone.
 */
export function mayUnder({ restrictModify, mayMirror, mayPushOut }: AccessRules): May {
  const isKeeper = (who: Principal, owner?: UserName): boolean =>
    restrictModify === undefined
      ? isRoot(who) || (owner !== undefined && who.name === owner)
      : isListed(who, restrictModify)
  return (who, action) => {
    if (beyondScope(who, action) !== undefined) return false
    if (who.publisher !== undefined) return action.do === 'upload' && action.options.type === 'stage'
    switch (action.do) {
      case 'create-user':
        return restrictModify === undefined || isKeeper(who)
      case 'modify-groups':
        return isKeeper(who)
      case 'list-groups':
        return who.name !== undefined
      case 'make-mirror':
        return isRoot(who) || isListed(who, mayMirror ?? restrictModify ?? [])
      case 'push-elsewhere':
        return isRoot(who) || (who.name !== undefined && isListed(who, mayPushOut ?? restrictModify ?? []))
      case 'modify-user':
      case 'create-index':
      case 'modify-index':
      case 'delete-index':
        return isKeeper(who, action.user)
      case 'change-password':
      case 'manage-tokens':
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

/**
 * Why the token that `who` came with is not for that, as half a sentence for a refusal; `undefined` where it is, and where
 * there is no token. What everybody may read, a token is never refused.
 */
export function beyondScope({ scope }: Principal, action: Action): string | undefined {
  if (scope === undefined) return undefined
  const tokenAction = TOKEN_ACTION[action.do]
  if (tokenAction === undefined || !('index' in action)) return 'tokens do not manage users, groups, indexes or tokens'
  if (action.do === 'read' && isListed(ANONYMOUS, action.options.acl_pkg_read ?? [':ANONYMOUS:'])) return undefined
  const project = action.do === 'read' ? undefined : action.project
  return outsideScope(scope, { action: tokenAction, index: action.index, project })
}

const TOKEN_ACTION: Readonly<Partial<Record<Action['do'], TokenAction>>> = {
  read: 'read',
  upload: 'upload',
  'upload-toxresult': 'upload',
  'push-elsewhere': 'upload',
  'delete-content': 'delete',
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

/**
 * Whether the operator named the user himself, and not only a group of his: what he chooses as an address may be near the server. `lists`: the
 * first one that is set counts.
 */
export function isNamedUser(user: UserName, ...lists: readonly (readonly string[] | undefined)[]): boolean {
  return user === 'root' || lists.find((list) => list !== undefined)?.includes(user) === true
}

/** Under which name something is written down as done; `undefined` for nobody. */
export function signatureOf({ name, publisher }: Principal): string | undefined {
  return name ?? (publisher && publisherLabel(publisher))
}

/** `github:OWNER/REPOSITORY`, `gitlab:GROUP/PROJECT`, `oidc:SUBJECT`: no name of a user has a colon. */
export function publisherLabel({ kind, claims }: PublisherIdentity): string {
  const said = { github: claims.repository, gitlab: claims.project_path, oidc: claims.sub }[kind]
  return `${kind}:${said ?? claims.sub ?? ''}`
}

/** Reading the index. */
export function readOf({ name, options }: IndexRecord): Action {
  return { do: 'read', index: name, options }
}

/** Adding something to a project of the index; `undefined`: to any. */
export function uploadOf(
  what: 'upload' | 'upload-toxresult' | 'push-elsewhere',
  { name, options }: IndexRecord,
  project: ProjectName | undefined,
): Action {
  return { do: what, index: name, options, project }
}

/** Taking something of a project off the index; `undefined`: of any. */
export function deletionOf({ name, user, options }: IndexRecord, project: ProjectName | undefined): Action {
  return { do: 'delete-content', user, index: name, options, project }
}
