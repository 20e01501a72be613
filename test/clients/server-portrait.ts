/** Everything visible on a server that speaks devpi, as JSON, to compare two servers. */
import { digestOf } from '../../src/lib/digest.ts'
import { programFetch } from '../world/program-fetch.ts'

export interface Portrait {
  readonly users: Record<string, unknown>
  /** `user/index` → its configuration with its projects. */
  readonly indexes: Readonly<Record<string, unknown>>
  /** `user/index/project` → its versions, without those of bases. */
  readonly projects: Readonly<Record<string, unknown>>
  /** Every address that a link leads to → the sha256 of what is there, and when it came. */
  readonly files: Readonly<Record<string, string>>
}

/** What the server tells of all stages, and of those mirrored projects that are named as `user/index/project`. */
export async function portrait(url: string, mirrored: readonly string[] = []): Promise<Portrait> {
  const indexes: Record<string, unknown> = {}
  const projects: Record<string, unknown> = {}
  const files: Record<string, string> = {}
  const ask = async (path: string) => normal(url, (await json(`${url}/${path}`)).result)
  const users = (await ask('')) as Record<string, { indexes: Record<string, { type: string }> }>
  const drawProject = async (path: string) => {
    const versions = await ask(`${path}?ignore_bases`)
    projects[path] = versions
    for (const href of hrefs(versions)) {
      const answer = await fetch(`${url}${href}`)
      const digest = digestOf(new Uint8Array(await answer.arrayBuffer()))
      files[href] = answer.ok ? `${digest} ${answer.headers.get('last-modified')}` : `status ${answer.status}`
    }
  }
  for (const [user, config] of Object.entries(users)) {
    for (const [index, { type }] of Object.entries(config.indexes)) {
      const name = `${user}/${index}`
      if (type === 'mirror') indexes[name] = await ask(`${name}?no_projects`)
      else {
        const shown = (await ask(name)) as { projects: string[] }
        shown.projects.sort()
        indexes[name] = shown
        for (const project of shown.projects) await drawProject(`${name}/${project}`)
      }
    }
  }
  for (const path of mirrored) await drawProject(path)
  return { users, indexes, projects, files }
}

/** Whether the user can log in with the password. */
export async function canLogIn(url: string, user: string, password: string): Promise<boolean> {
  const answer = await programFetch(`${url}/+login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ user, password }),
  })
  return answer.status === 200
}

async function json(url: string): Promise<{ result: unknown }> {
  const answer = await fetch(url, { headers: { accept: 'application/json' } })
  if (!answer.ok) throw new Error(`GET ${url}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as { result: unknown }
}

/** Without the server's own address, and with keys and links in an order that means nothing. */
function normal(url: string, value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(url, '')
  if (Array.isArray(value)) return value.map((each) => normal(url, each))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, each]) => [key, normal(url, each)] as const)
  const sorted = Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
  if (Array.isArray(sorted['+links'])) sorted['+links'] = sorted['+links'].toSorted(byAddress)
  // One server writes down that nobody is known, the other leaves it away.
  if ('what' in sorted && 'when' in sorted) return { who: null, ...sorted }
  return sorted
}

function byAddress(a: { href: string }, b: { href: string }): number {
  return a.href < b.href ? -1 : 1
}

function hrefs(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, each]) => (key === 'href' ? [String(each)] : hrefs(each)))
}
