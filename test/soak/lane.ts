/** One of several simultaneous users: changes its own projects, and reads the projects of all. */
import type { Chance } from './chance.ts'
import type { Answer, Ground } from './ground.ts'

interface Login {
  readonly headers: Readonly<Record<string, string>>
  readonly sinceMs: number
}

const HOUR_MS = 3_600_000
/** Devpi's ten hours. */
export const LOGIN_LIFE_MS = 10 * HOUR_MS
const VERSIONS_MOST = 40

export class Lane {
  readonly ground: Ground
  readonly chance: Chance
  readonly name: string
  /** Those it may change. */
  readonly projects: readonly string[]
  readonly #next = new Map<string, number>()
  /** The youngest last. */
  readonly logins: Login[] = []
  count = 0

  constructor(ground: Ground, chance: Chance, name: string, projects: readonly string[]) {
    this.ground = ground
    this.chance = chance
    this.name = name
    this.projects = projects
  }

  /** Of a login that is valid, and may be ten minutes from its end. `undefined` when the server went meanwhile. */
  async root(): Promise<Readonly<Record<string, string>> | undefined> {
    const last = this.logins.at(-1)
    if (last !== undefined && this.ground.nowMs - last.sinceMs < LOGIN_LIFE_MS - HOUR_MS / 6) return last.headers
    return await this.logIn()
  }

  async logIn(): Promise<Readonly<Record<string, string>> | undefined> {
    const sinceMs = this.ground.nowMs
    const answer = await this.sendJson('log in', 'POST', '/+login', { user: 'root', password: '' }, {})
    if (answer.status !== 200) {
      if (!answer.isCut) this.ground.wrong('log in', '/+login', answer, 'it must succeed')
      return undefined
    }
    const { result } = JSON.parse(answer.bytes.toString()) as { result: { password: string } }
    const headers = { 'x-devpi-auth': Buffer.from(`root:${result.password}`).toString('base64') }
    this.logins.push({ headers, sinceMs })
    return headers
  }

  async sendJson(
    what: string,
    method: string,
    path: string,
    value: unknown,
    headers: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    return await this.ground.ask(what, path, {
      method,
      headers: { ...headers, 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(value)),
    })
  }

  /** A version that the project did not have lately. */
  nextVersion(project: string): string {
    const next = (this.#next.get(project) ?? 0) + 1
    this.#next.set(project, next)
    return `${Math.floor(next / VERSIONS_MOST) + 1}.${next % VERSIONS_MOST}`
  }
}

/** The answer came, whole, and says so. */
export function isDone(answer: Answer): boolean {
  return answer.isComplete && (answer.status === 200 || answer.status === 201)
}

/** Nobody can tell what became of the request. */
export function isUntold(answer: Answer): boolean {
  return answer.isCut && !answer.isComplete
}
