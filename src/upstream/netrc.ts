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
  const plain = withoutMacros(text)
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

/** A macro goes on to the next empty line; a comment stands at the start of a line, as passwords may have the sign. */
function withoutMacros(text: string): string {
  const kept: string[] = []
  let isMacro = false
  for (const raw of text.split('\n')) {
    const line = raw.trim()
    if (line === '') isMacro = false
    else if (/^macdef(?:\s|$)/.test(line)) isMacro = true
    if (!isMacro && !line.startsWith('#')) kept.push(raw)
  }
  return kept.join('\n')
}
