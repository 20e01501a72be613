/** Finds the routes and the index of an address in the table of routes, for nginx's `auth_request`. */
import type { Route, Who } from '../route.ts'

/** Routes for these are about an index: the one in the address, else the default index. */
const OF_AN_INDEX: readonly Who[] = ['readers', 'uploaders', 'keepers', 'testers', 'previewers']

export interface RoutedAddress {
  /** `user/index`; `undefined`: the address is about no index, or open to everybody whatever index it is about (`+api`). */
  readonly index: string | undefined
}

/**
 * From a decoded path without its query to what it is about; `undefined`: no route has it. Where several have it, the one with
 * the more fixed parts at its beginning counts, as in the router itself.
 */
export function addressReader(
  routes: readonly Route[],
  defaultIndex: string,
): (path: string) => RoutedAddress | undefined {
  const known = routes
    .map(({ path, who }) => ({ pattern: patternOf(path), order: orderOf(path), who }))
    .toSorted((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
  return (path) => {
    for (const { pattern, who } of known) {
      const found = pattern.exec(path)
      if (found === null) continue
      if (who === 'everybody') return { index: undefined }
      const { user, index } = found.groups ?? {}
      if (user !== undefined && index !== undefined) return { index: `${user}/${index}` }
      return { index: OF_AN_INDEX.includes(who) ? defaultIndex : undefined }
    }
    return undefined
  }
}

/** Names do not begin with `+`: what does is a word of ours. A final slash may always be there. */
function patternOf(path: string): RegExp {
  const parts = partsOf(path).map((part) => {
    if (part.startsWith(':')) return `(?<${part.slice(1)}>[^+/][^/]*)`
    return part === '*' ? '.*' : RegExp.escape(part)
  })
  return new RegExp(`^${parts.join('/')}/?$`, 's')
}

/** Without the patterns of single parameters, which say no more than `patternOf`. */
function partsOf(path: string): string[] {
  return path.replace(/\([^)]*\)/g, '').split('/')
}

/** Sorts by what comes first: a fixed part, a parameter, the rest of the path. */
function orderOf(path: string): string {
  return partsOf(path)
    .map((part) => (part === '*' ? 2 : part.startsWith(':') ? 1 : 0))
    .join('')
}
