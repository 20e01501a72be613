/** API tokens and trusted publishers, as the catalog holds them. Times are ms since 1970. */
import type { ProjectName } from '../pep/name.ts'
import type { PublisherIdentity } from './access.ts'
import type { IndexName, UserName } from './names.ts'
import type { TokenAction } from './scope.ts'

/** What is known of an API token; its secret is not. */
export interface ApiToken {
  readonly id: number
  readonly user: UserName
  readonly note: string
  readonly actions: readonly TokenAction[]
  /** Absent: every index. */
  readonly indexes?: readonly IndexName[]
  /** Absent: every project. */
  readonly projects?: readonly ProjectName[]
  readonly createdMs: number
  /** Absent: never. */
  readonly expiresMs?: number
  /** To about a minute; absent: never. */
  readonly usedMs?: number
}

/** Whom a publisher has to be, with the keys of the JSON API. */
export type PublisherSpec =
  | {
      readonly kind: 'github'
      readonly owner: string
      readonly repository: string
      /** The file's name below `.github/workflows/`. */
      readonly workflow: string
      readonly environment?: string
      /** GitHub's number of the owner, which a new owner of an old name does not have. */
      readonly owner_id?: string
    }
  | {
      readonly kind: 'gitlab'
      /** Groups and subgroups, or a user. */
      readonly namespace: string
      readonly project: string
      readonly ci_config_path: string
      readonly environment?: string
    }
  | { readonly kind: 'oidc'; readonly claims: Readonly<Record<string, string>> }

export interface TrustedPublisher {
  readonly id: number
  readonly index: IndexName
  readonly issuer: string
  readonly spec: PublisherSpec
  /** Absent: every project of the index. */
  readonly projects?: readonly ProjectName[]
  readonly createdMs: number
  /** Who added it. */
  readonly createdBy: string
}

/** A short-lived token that a publisher got for an OIDC token. */
export interface MintedToken {
  readonly identity: PublisherIdentity
  readonly expiresMs: number
  /** What the publishers that it was minted for allow now; those that were removed since are not among them. */
  readonly places: readonly { readonly index: IndexName; readonly projects?: readonly ProjectName[] }[]
}
