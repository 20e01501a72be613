/** One run of a client command: its options, saved state, server and terminal. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { Api, type ApiAsk } from './api.ts'
import { asDirectory, asHttpUrl, below, withFlag } from './client-url.ts'
import { type Ask, Connection, Unreachable } from './connection.ts'
import type { CliContext, CliExit } from './context.ts'
import { Output } from './output.ts'
import { type Reply, statusLine } from './reply.ts'
import { ClientState } from './state.ts'
import { Terminal } from './terminal.ts'

/** The options that every client command has. */
export interface GenericOptions {
  readonly debug?: boolean
  readonly yes?: boolean
  /** How often `-v` was given. */
  readonly verbose?: number
  readonly clientdir?: string
  readonly json?: boolean
  /** Nothing but data and failures. */
  readonly quiet?: boolean
  /** `--index`, where a command has it: the index for this command only. */
  readonly index?: string
}

type PlainAsk = Pick<Ask, 'method' | 'url'>

export class Session implements AsyncDisposable {
  readonly context: CliContext
  readonly options: GenericOptions
  readonly out: Output
  readonly terminal: Terminal
  readonly connection: Connection
  readonly home: string
  readonly clientDir: string
  state: ClientState
  readonly #api: Api

  private constructor(
    context: CliContext,
    options: GenericOptions,
    state: ClientState,
    paths: { home: string; clientDir: string },
  ) {
    this.context = context
    this.options = options
    this.state = state
    this.home = paths.home
    this.clientDir = paths.clientDir
    this.out = new Output(context, {
      json: options.json === true,
      debug: options.debug === true,
      quiet: options.quiet === true,
    })
    this.terminal = new Terminal(context)
    this.connection = new Connection(context.env)
    this.#api = new Api(this.connection, this.out)
  }

  /** Reads what is remembered; see `beginSession`, which applies `--index` and DEVPI_INDEX to it. */
  static async remembered(context: CliContext, options: GenericOptions): Promise<Session> {
    const { env } = context
    const home = env.HOME || env.USERPROFILE || homedir()
    const given = options.clientdir || env.DEVPI_CLIENTDIR
    const clientDir = given ? resolve(context.cwd, expandHome(given, home)) : join(home, '.devpi', 'client')
    await mkdir(clientDir, { recursive: true })
    const local = env.VIRTUAL_ENV && join(resolve(context.cwd, env.VIRTUAL_ENV), 'devpi.json')
    const current = local && existsSync(local) ? local : join(clientDir, 'current.json')
    const state = await ClientState.read({ auth: join(clientDir, 'auth.json'), current }, env.DEVPI_USER)
    return new Session(context, options, state, { home, clientDir })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.close()
  }

  /** A path as a shell user writes it. */
  path(text: string): string {
    const expanded = expandHome(text, this.home)
    return isAbsolute(expanded) ? expanded : resolve(this.context.cwd, expanded)
  }

  /** The folder of the activated virtual environment. */
  get activeVenv(): string | undefined {
    const { VIRTUAL_ENV } = this.context.env
    return VIRTUAL_ENV ? this.path(VIRTUAL_ENV) : undefined
  }

  requireRoot(): URL {
    if (this.state.root) return this.state.root
    throw this.out.failure("not connected to a server, see 'devpi use'")
  }

  requireIndex(): URL {
    if (this.state.index) return this.state.index
    throw this.out.failure("not connected to an index, see 'devpi use'")
  }

  requireLogin(): void {
    if (!this.state.loggedInUser()) throw this.out.failure("you need to be logged in (use 'devpi login USER')")
  }

  userUrl(user = this.state.loggedInUser()): URL {
    if (user === undefined) {
      const error = this.out.failure('no current authenticated user')
      this.out.hint("log in with 'devpi login USER', or name an index as USER/NAME")
      throw error
    }
    if (user.includes('/')) throw this.out.failure('user name contains a slash')
    return below(this.requireRoot(), user)
  }

  /** `name` is `NAME` of the user logged in, `USER/NAME` or a URL; without it the index in use. */
  indexUrl(name?: string): URL {
    const given = name ?? this.state.index?.href
    if (given === undefined) throw this.out.failure('no index specified and no index in use')
    if (!given.includes('/')) return below(this.userUrl(), given)
    const url = asHttpUrl(given)
    if (url) return url
    if (!this.state.root || given.includes('://')) throw this.out.failure(`invalid URL: ${given.replace(/\/*$/, '/')}`)
    return below(this.state.root, ...given.split('/').filter((segment) => segment !== ''))
  }

  /** The index and, below it, a project, with the slash that devpi's client sends. */
  projectUrl(project: string, indexName?: string): URL {
    return asDirectory(below(this.indexUrl(indexName), project))
  }

  /** One call of the JSON API. Ends the command when the server cannot be reached or, unless told otherwise, refuses. */
  api(ask: ApiAsk): Promise<Reply> {
    return this.#api.ask(ask, this.state)
  }

  /** One request outside the JSON API, with what the server knows this person by. Ends the command when it cannot be reached. */
  async fetch(ask: PlainAsk): Promise<Reply> {
    return await this.#reached(this.connection.send(this.withSecrets(ask)))
  }

  /** `fetch` for a body of any size, which `save` takes as it comes; it is not called for a refusal. */
  async download(ask: PlainAsk, save: (body: AsyncIterable<Uint8Array>) => Promise<void>): Promise<Reply> {
    return await this.#reached(this.connection.download(this.withSecrets(ask), save))
  }

  /** Says `METHOD URL`, the status and the server's message, and gives the error to throw. */
  refused(reply: Reply): CliExit {
    return this.#api.refused(reply)
  }

  /** The request with what the server at its address knows this person by. */
  withSecrets(ask: Ask): Ask {
    const { state } = this
    const { url } = ask
    return {
      ...ask,
      login: state.loginFor(url),
      basicAuth: state.basicAuthFor(url),
      certificate: state.certificateFor(url),
    }
  }

  async #reached(answer: Promise<Reply>): Promise<Reply> {
    return await answer.catch((error: unknown) => {
      throw error instanceof Unreachable ? this.out.unreachable(error) : error
    })
  }

  /** Whether the index in use can be read; says why not, and ends the command for what is neither 403 nor 404. */
  async checkIndexAccess(): Promise<void> {
    const url = withFlag(this.requireIndex(), 'no_projects')
    const reply = await this.api({ method: 'GET', url, type: 'indexconfig', refusal: 'reply', anyServer: true })
    if (reply.status < 400) return
    this.out.error(statusLine(reply))
    if (reply.status === 403) {
      if (this.state.loggedInUser()) this.out.warn("You don't have permission to access this index.")
      else this.out.info('You might have to login first to access this index.')
    } else if (reply.status === 404) {
      this.out.warn('Connected index does not exist.')
    } else {
      throw this.out.failure(`Unhandled status code ${statusLine(reply)}`)
    }
  }

  /** Asks yes or no; `-y` answers yes. */
  async confirm(question: string): Promise<boolean> {
    const full = `${question} (yes/no)? `
    if (this.options.yes) {
      this.out.info(`${full}yes (autoset from -y option)`)
      return true
    }
    for (;;) {
      const answer = (await this.terminal.ask(full)).trim()
      if (answer === 'yes' || answer === 'no') return answer === 'yes'
      this.out.error(`not a valid choice '${answer}'`)
    }
  }
}

function expandHome(text: string, home: string): string {
  return text === '~' || text.startsWith('~/') ? join(home, text.slice(1)) : text
}
