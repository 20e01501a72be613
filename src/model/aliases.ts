/**
 * First parts of addresses that other services have, and that are served here, too: no new user is called so. `v1` is OSV's;
 * the others are the public index's and stand for the default index.
 */
const ALIASES = ['simple', 'legacy', 'pypi', 'packages', 'v1'] as const

export function isAlias(name: string): boolean {
  return (ALIASES as readonly string[]).includes(name)
}
