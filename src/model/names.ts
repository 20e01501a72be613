/** Names of users and indexes. */
import type { Brand } from '../lib/brand.ts'
import { Problem } from './errors.ts'

export type UserName = Brand<string, 'UserName'>
/** `user/index`. */
export type IndexName = Brand<string, 'IndexName'>

/** Far above any name in use, far below what would hurt a path or a header. */
const LENGTH_MAX = 128

/**
 * A user's name. devpi's rule: any ASCII symbol besides `-.@_` is blocked, everything beyond ASCII is allowed.
 * Throws `name-invalid`.
 */
export function userName(text: string): UserName {
  return checked(text, 'username') as UserName
}

/** The same; `undefined` for what is no name. */
export function asUserName(text: string): UserName | undefined {
  try {
    return userName(text)
  } catch {
    return undefined
  }
}

/** The second half of an index name. Throws `name-invalid`. */
export function indexPart(text: string): string {
  return checked(text, 'indexname')
}

/** What an access list names with a colon before it. Throws `name-invalid`. */
export function groupName(text: string): string {
  return checked(text, 'groupname')
}

/** `user/index` from its halves. */
export function indexName(user: string, index: string): IndexName {
  return `${userName(user)}/${indexPart(index)}` as IndexName
}

/** Reads `user/index`, tolerating a leading slash as devpi does; `undefined` for anything else. */
export function parseIndexName(text: string): IndexName | undefined {
  const parts = text.replace(/^\//, '').replace(/\/$/, '').split('/')
  if (parts.length !== 2) return undefined
  try {
    return indexName(parts[0]!, parts[1]!)
  } catch {
    return undefined
  }
}

/** Reads `user/index` to the letter; `undefined` for anything else. */
export function asIndexName(text: string): IndexName | undefined {
  return parseIndexName(text) === text ? (text as IndexName) : undefined
}

export function userOf(name: IndexName): UserName {
  return name.slice(0, name.indexOf('/')) as UserName
}

function checked(text: string, what: 'username' | 'indexname' | 'groupname'): string {
  const blocked = /[\p{Cc} !"#$%&'()*+,/:;<=>?[\\\]^`{|}~]/u
  if (text === '' || text === '.' || text === '..' || text.length > LENGTH_MAX || blocked.test(text)) {
    throw new Problem(
      'name-invalid',
      `${what} '${text.slice(0, LENGTH_MAX)}' contains characters that aren't allowed. Any ascii symbol besides -.@_ is blocked.`,
    )
  }
  return text
}
