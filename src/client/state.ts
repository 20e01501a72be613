/**
 * What the client remembers: the server and index in use (`current.json`) and the logins (`auth.json`), in the files and
 * formats of devpi's own client, so that both can be used side by side. Keys that we do not know are kept.
 */
import { isDeepStrictEqual } from 'node:util'
import { asHttpUrl } from './client-url.ts'
import { isCredentials, lookUp, type UserSecret, withEntry } from './secret-table.ts'
import { readState, type StateObject, writeState } from './state-file.ts'

/** What `+api` tells of a server or index. */
export interface Endpoints {
  readonly login: string | undefined
  readonly index: string | undefined
  readonly simpleindex: string | undefined
  readonly pypisubmit: string | undefined
  readonly features: readonly string[] | undefined
}

const INDEX_KEYS = ['index', 'login', 'pypisubmit', 'simpleindex'] as const

export class ClientState {
  readonly authPath: string
  readonly currentPath: string
  /** Off while an index is chosen for one command only (`--index`, `DEVPI_INDEX`). */
  keepsIndex = true
  #auth: StateObject
  #current: StateObject
  /** What DEVPI_USER says. */
  readonly #userFromOutside: string | undefined

  private constructor(
    paths: { auth: string; current: string },
    auth: StateObject,
    current: StateObject,
    user?: string,
  ) {
    this.authPath = paths.auth
    this.currentPath = paths.current
    this.#auth = auth
    this.#current = current
    this.#userFromOutside = user || undefined
  }

  /** Reads both files; missing ones are empty. `user` stands in for the remembered user (DEVPI_USER). */
  static async read(paths: { auth: string; current: string }, user?: string): Promise<ClientState> {
    return new ClientState(paths, await readState(paths.auth), await readState(paths.current), user)
  }

  /** The same knowledge, to be kept at another `current.json` from now on (`use --local`). */
  movedTo(currentPath: string): ClientState {
    const paths = { auth: this.authPath, current: currentPath }
    return new ClientState(paths, this.#auth, structuredClone(this.#current), this.#userFromOutside)
  }

  get index(): URL | undefined {
    return this.#url('index')
  }
  get login(): URL | undefined {
    return this.#url('login')
  }
  get pypisubmit(): URL | undefined {
    return this.#url('pypisubmit')
  }
  get simpleindex(): URL | undefined {
    return this.#url('simpleindex')
  }
  get features(): readonly string[] {
    const { features } = this.#current
    return Array.isArray(features) ? features.filter((feature) => typeof feature === 'string') : []
  }
  get username(): string | undefined {
    return this.#userFromOutside ?? this.#text('username')
  }
  get venv(): string | undefined {
    return this.#text('venvdir')
  }
  get alwaysSetsConfig(): boolean {
    return this.#current.always_setcfg === true
  }
  get setsTrusted(): boolean {
    return this.#current.settrusted === true
  }

  /** The server's root: where its login address lies, as devpi derives it. */
  get root(): URL | undefined {
    return this.login && new URL('.', this.login)
  }

  /** The index as `USER/NAME`, seen from the root. */
  get indexName(): string | undefined {
    return this.index && this.root && this.index.href.slice(this.root.href.length)
  }

  async setEndpoints(endpoints: Endpoints): Promise<void> {
    await this.#change(endpoints)
  }

  async setUser(username: string): Promise<void> {
    await this.#change({ username })
  }

  async setVenv(venvdir: string | null): Promise<void> {
    await this.#change({ venvdir })
  }

  async setConfigHabit(alwaysSets: boolean, trusted: boolean): Promise<void> {
    await this.#change({ always_setcfg: alwaysSets, settrusted: trusted })
  }

  /** The user in force: DEVPI_USER, the one asked for, the remembered one or the last one logged in, if there is a login. */
  loggedInUser(asked?: string): string | undefined {
    const user = this.#userFromOutside ?? asked ?? this.username ?? this.#logins(this.root)?.[0]?.[0]
    return user !== undefined && this.loginFor(this.root, user) ? user : undefined
  }

  /** The login to send to `url`; never that of another server. */
  loginFor(url: URL | undefined = this.root, user: string | undefined = this.username): UserSecret | undefined {
    return this.#logins(url)?.find(([name]) => name === user)
  }

  async addLogin(user: string, token: string): Promise<void> {
    const root = this.#rootForSecrets()
    const others = (this.#logins(root) ?? []).filter(([name]) => name !== user)
    this.#replaceIn('auth', root, [[user, token], ...others.sort(([a], [b]) => (a < b ? -1 : 1))])
    await this.#change({ username: user })
  }

  /** Forgets the login in force; false when there was none. */
  async dropLogin(): Promise<boolean> {
    const user = this.loggedInUser()
    if (user === undefined) return false
    const root = this.#rootForSecrets()
    const others = (this.#logins(root) ?? []).filter(([name]) => name !== user)
    this.#replaceIn(
      'auth',
      root,
      others.sort(([a], [b]) => (a < b ? -1 : 1)),
    )
    await this.#save()
    return true
  }

  /** User and password for a web server that stands in front of `url`. */
  basicAuthFor(url: URL | undefined): UserSecret | undefined {
    const found = url && lookUp(this.#auth.basic_auth, url)
    return isCredentials(found) ? found : undefined
  }

  async setBasicAuth(credentials: UserSecret): Promise<void> {
    this.#replaceIn('basic_auth', this.#rootForSecrets(), [...credentials])
    await this.#save()
  }

  /** Path of the client certificate to show to `url`. */
  certificateFor(url: URL | undefined): string | undefined {
    const found = url && lookUp(this.#auth.client_cert, url)
    return typeof found === 'string' && found !== '' ? found : undefined
  }

  async setCertificate(path: string | undefined): Promise<void> {
    this.#replaceIn('client_cert', this.#rootForSecrets(), path)
    await this.#save()
  }

  /** Writes even when nothing changed, so that the file is there. */
  async save(): Promise<void> {
    await this.#save(true)
  }

  async #change(changes: object): Promise<void> {
    for (const [key, value] of Object.entries(changes)) this.#current[key] = value ?? null
    await this.#save()
  }

  async #save(force = false): Promise<void> {
    if (force || !isDeepStrictEqual(await readState(this.authPath), this.#auth))
      await writeState(this.authPath, this.#auth)
    const onDisk = await readState(this.currentPath)
    const merged: StateObject = { ...onDisk }
    for (const [key, value] of Object.entries(this.#current)) {
      if (this.keepsIndex || !INDEX_KEYS.includes(key as (typeof INDEX_KEYS)[number])) merged[key] = value
    }
    // Very old clients kept the logins here, readable by everybody.
    delete merged.auth
    if (force || !isDeepStrictEqual(onDisk, merged)) await writeState(this.currentPath, merged)
  }

  #logins(url: URL | undefined): UserSecret[] | undefined {
    const found = url && lookUp(this.#auth.auth, url)
    return Array.isArray(found) ? found.filter(isCredentials) : undefined
  }

  #replaceIn(table: 'auth' | 'basic_auth' | 'client_cert', root: URL, value: unknown): void {
    this.#auth = { ...this.#auth, [table]: withEntry(this.#auth[table], root, value, table !== 'auth') }
  }

  #rootForSecrets(): URL {
    if (this.root === undefined) throw new TypeError('Cannot keep a secret: no server is in use')
    return this.root
  }

  #url(key: string): URL | undefined {
    const text = this.#text(key)
    return text === undefined ? undefined : asHttpUrl(text)
  }

  #text(key: string): string | undefined {
    const value = this.#current[key]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
}
