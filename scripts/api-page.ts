/** `docs/api.md`, from the table of routes. */
import { type Route, WHO } from '../src/http/route.ts'
import { routeTable } from '../src/http/routes.ts'
import type { Services } from '../src/http/services.ts'

const HEAD = `# Addresses and who may use them

Made by \`scripts/docs.ts\` from the table of routes. Do not edit it by hand.

Parts in capitals stand for names. A final slash may be there or not. Every \`GET\` answers \`HEAD\` as well. Credentials are a user name with a
password, a login token or an API token, in HTTP Basic or \`X-Devpi-Auth\`; an API token also as \`Bearer\`. The rights of an API token are narrowed
by what it is for ([tokens.md](tokens.md)).

An error is JSON with \`message\` and perhaps \`hint\`, text, a page, or RFC 9457, by what the sender reads: [errors.md](errors.md) has every code.
What the addresses of the public index mean is in [addresses.md](addresses.md), what differs from devpi in
[devpi-differences.md](devpi-differences.md).

A sender who may not do something gets 401 when it sent no credentials and can be asked for some, otherwise 403.

Addresses that begin with \`/simple\`, \`/packages\`, \`/pypi\`, \`/legacy\` or \`/v1\` are not served when a user has that name.
`

/** The page as it has to be. */
export function apiPage(): string {
  const words = Object.entries(WHO).map(([who, words]) => `* **${who}**: ${words}.\n`)
  const chapters = Object.entries(allRoutes()).map(
    ([title, routes]) =>
      `## ${title}\n\n| Method | Address | Who may | What |\n| --- | --- | --- | --- |\n${routes.map(rowOf).join('')}`,
  )
  return [HEAD, `## Who may\n\n${words.join('')}`, ...chapters].join('\n')
}

/** The table without a server: an answer takes its services apart when it is made, and asks them when a request comes. */
export function allRoutes(): ReturnType<typeof routeTable> {
  const nothing: object = new Proxy({}, { get: () => nothing })
  return routeTable(nothing as Services)
}

function rowOf({ method, path, who, about }: Route): string {
  return `| ${method} | \`${address(path)}\` | ${who} | ${about.replaceAll('|', '\\|')} |\n`
}

/** `/:user/:index` → `/USER/INDEX`, without the pattern that a part must have. */
function address(path: string): string {
  return path
    .replace(/\([^)]*\)/g, '')
    .replace(/:(\w+)/g, (_all, name: string) => name.toUpperCase())
    .replace('*', 'PATH')
}
