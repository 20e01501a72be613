/** URLs the way devpi's client joins and prints them: always with a path, `+` and `@` as they are. */
import { withoutTrailing } from '../lib/trailing.ts'

/** `text` as an http(s) URL, or `undefined`. */
export function asHttpUrl(text: string): URL | undefined {
  if (!/^https?:\/\//i.test(text)) return undefined
  return URL.parse(text) ?? undefined
}

/** The same URL with a slash at the end of its path. */
export function asDirectory(url: URL): URL {
  return withPath(url, url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`)
}

/** The same URL without slashes at the end of its path. */
export function asFile(url: URL): URL {
  return withPath(url, withoutTrailing(url.pathname, '/'))
}

/** `segments` below `url`, each encoded so that it stays one segment. */
export function below(url: URL, ...segments: readonly string[]): URL {
  const path = segments
    .map((segment) => encodeURIComponent(segment).replaceAll('%2B', '+').replaceAll('%40', '@'))
    .join('/')
  return withPath(url, asDirectory(url).pathname + path)
}

/** The same URL with `?name=` in place of its query: devpi looks at the presence of such names only. */
export function withFlag(url: URL, name: string): URL {
  const changed = new URL(url)
  changed.search = `?${name}=`
  return changed
}

/** Same scheme, host and port. */
export function isSamePlace(a: URL, b: URL): boolean {
  return a.origin === b.origin
}

/** The URL with neither user name nor password, and both of them when there were any. */
export function splitCredentials(url: URL): { readonly url: URL; readonly credentials?: readonly [string, string] } {
  if (url.username === '' && url.password === '') return { url }
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  return { url: bare, credentials: [decodeURIComponent(url.username), decodeURIComponent(url.password)] }
}

/** The URL with user name and password in it, for pip and uv. */
export function withCredentials(url: URL, [user, password]: readonly [string, string]): URL {
  const changed = new URL(url)
  changed.username = encodeURIComponent(user)
  changed.password = encodeURIComponent(password)
  return changed
}

/** The URL for people's eyes: a password in it is starred. */
export function withoutSecret(url: URL): string {
  if (url.password === '') return url.href
  const changed = new URL(url)
  changed.password = '****'
  return changed.href
}

function withPath(url: URL, path: string): URL {
  const changed = new URL(url)
  changed.pathname = path
  return changed
}
