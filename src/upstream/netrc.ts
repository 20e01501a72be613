/** A netrc file, as curl, pip and devpi's own client read it. */

export interface NetrcEntry {
  readonly login: string
  readonly password: string
}

/**
 * Host names in lower case to what is sent to them; the first entry of a host counts. `default` is left out: it would send
 * a password to whatever host a page names. Macros and comments are passed over; an entry without password is none.
 */
export function readNetrc(text: string): ReadonlyMap<string, NetrcEntry> {
  const found = new Map<string, NetrcEntry>()
  // A macro goes on to the next empty line; a comment stands at the start of a line, as passwords may have the sign.
  const plain = text.replace(/^\s*macdef\s[\s\S]*?(?:\n[^\S\n]*\n|$(?![\s\S]))/gm, '\n').replace(/^\s*#.*$/gm, '')
  const words = [...plain.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted?.replace(/\\(.)/g, '$1') ?? bare!,
  )
  let host: string | undefined
  let entry: { login?: string; password?: string } = {}
  const keep = () => {
    if (host !== undefined && entry.password !== undefined && !found.has(host)) {
      found.set(host, { login: entry.login ?? '', password: entry.password })
    }
    host = undefined
    entry = {}
  }
  for (let at = 0; at < words.length; at++) {
    switch (words[at]) {
      case 'machine':
        keep()
        host = words[++at]?.toLowerCase()
        break
      case 'default':
        keep()
        break
      case 'login':
      case 'user':
        entry.login = words[++at] ?? ''
        break
      case 'password': {
        const password = words[++at]
        if (password !== undefined) entry.password = password
        break
      }
      case 'account':
        at++
    }
  }
  keep()
  return found
}
