/** The tables of `auth.json`, from a server's address to the secrets for it. */
import { asHttpUrl } from './client-url.ts'

/** A user's name and the secret that proves it: a login token, or a password for the web server in front. */
export type UserSecret = readonly [user: string, secret: string]

/** The entry for the longest part of `url` that has one: several servers can live below one host. */
export function lookUp(table: unknown, url: URL): unknown {
  if (typeof table !== 'object' || table === null) return undefined
  const byHref = new Map(Object.entries(table).map(([key, value]) => [asHttpUrl(key)?.href ?? key, value]))
  let candidate = new URL(url)
  candidate.search = ''
  candidate.hash = ''
  for (;;) {
    const found = byHref.get(candidate.href)
    if (found !== undefined || candidate.pathname === '/') return found
    candidate = new URL(candidate.pathname.endsWith('/') ? '..' : '.', candidate)
  }
}

/** The table with `value` for `root`, or without an entry for it. `hasPort`: keys name the port, as devpi's client has it in some tables. */
export function withEntry(table: unknown, root: URL, value: unknown, hasPort: boolean): Record<string, unknown> {
  const kept = typeof table === 'object' && table !== null && !Array.isArray(table) ? Object.entries(table) : []
  const others = kept.filter(([known]) => asHttpUrl(known)?.href !== root.href)
  const key = hasPort ? withPort(root) : root.href
  return Object.fromEntries(value === undefined ? others : [...others, [key, value]])
}

/** Whether a value read from a file is a user's name with a secret. */
export function isCredentials(value: unknown): value is UserSecret {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string')
}

function withPort(url: URL): string {
  if (url.port !== '') return url.href
  return url.href.replace(url.host, `${url.host}:${url.protocol === 'https:' ? 443 : 80}`)
}
