/**
 * Reserved first path segments: addresses of other services that are also served here. No new user may have such a name.
 * `v1` is OSV's; the others are the public index's and stand for the default index.
 */
const ALIASES = ['simple', 'legacy', 'pypi', 'packages', 'v1'] as const

export function isAlias(name: string): boolean {
  return (ALIASES as readonly string[]).includes(name)
}
