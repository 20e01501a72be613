/** A whole server in a temp folder, without a port, and the people in it. */
import { readdir } from 'node:fs/promises'
import { duplexPair } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { InjectOptions } from 'fastify'
import type { BlobInfo } from '../../src/blob/blob-store.ts'
import { countJobs } from '../../src/catalog/queue.ts'
import { openServer, type Server } from '../../src/compose/server.ts'
import { openStores } from '../../src/compose/stores.ts'
import { type ConfigSources, loadConfig } from '../../src/config/load.ts'
import type { Gate } from '../../src/indexes/gate.ts'
import { openLog } from '../../src/lib/log.ts'
import type { Limits } from '../../src/model/limits.ts'
import { candidates } from '../../src/pep/filename.ts'
import { fieldParts, multipart } from '../builders/multipart.ts'
import type { BuiltFile } from '../builders/wheels.ts'
import { tempFolder } from './temp-folder.ts'

export interface WorldOptions {
  readonly limits?: Partial<Limits>
  /** What root/pypi mirrors, and alice/dev has as its base. Without it there is no root/pypi. */
  readonly upstream?: { readonly url: string }
  /** Settings as flags give them. */
  readonly settings?: ConfigSources['flags']
  /** What may be seen of indexes. */
  readonly gate?: Gate
  /** How long unfinished jobs are waited for. */
  readonly jobsMs?: number
}

export interface World extends AsyncDisposable {
  /** Logged in from the machine itself, with the empty password. */
  readonly root: Person
  /** Owns the volatile stage alice/dev. */
  readonly alice: Person
  /** Sends no credentials. */
  readonly stranger: Person
  readonly server: Server
  /** The server's folder. */
  readonly folder: string
  /** Every log line so far. */
  readonly logged: readonly Readonly<Record<string, unknown>>[]
  /** A new user, logged in. */
  person(name: string): Promise<Person>
  /** The server's clock goes on by so much. */
  passes(ms: number): void
  /** What is stored, in order of digest. */
  blobs(): Promise<BlobInfo[]>
  /** Names of what was begun and neither finished nor cleared away. */
  drafts(): Promise<string[]>
  /** Waits until no job is left; throws when that takes too long. */
  jobsDone(): Promise<void>
  /** Sends bytes as a connection would bring them and gives back all that comes, for requests no client would send; cut ones end there. */
  raw(request: string | Uint8Array, options?: { readonly isCut?: boolean }): Promise<string>
}

export interface Ask {
  readonly method?: string
  readonly accept?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as a JSON body. */
  readonly json?: unknown
  readonly body?: string | Buffer
  /** Where the request comes from; this machine when absent. */
  readonly from?: string
}

export interface Answer {
  readonly status: number
  /** The text of the status line. */
  readonly reason: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  readonly bytes: Buffer
  /** The body as JSON. */
  json<T = Record<string, unknown>>(): T
}

export interface Person {
  readonly name: string | undefined
  /** Headers that say who asks. */
  readonly credentials: Readonly<Record<string, string>>
  asks(path: string, options?: Ask): Promise<Answer>
  /** A form as twine sends it; `fields` change or add to what the filename says. */
  uploads(
    file: BuiltFile,
    index: string,
    fields?: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<Answer>
  /** `:action=submit`. */
  registers(name: string, version: string, index: string, fields?: Readonly<Record<string, string>>): Promise<Answer>
}

/** Generous: several test files share two cores. */
const JOBS_MS = 20_000

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder())
  const { upstream, settings = {}, jobsMs = JOBS_MS } = options
  const flags = {
    serverdir: 'server',
    ...(upstream === undefined ? { no_root_pypi: true } : { upstream: upstream.url }),
    ...settings,
  }
  const loaded = loadConfig({ flags, env: {}, cwd: folder.path })
  const config = { ...loaded, limits: Object.freeze({ ...loaded.limits, ...options.limits }) }
  const logged: Record<string, unknown>[] = []
  const log = openLog('debug', 'json', (line) => logged.push(JSON.parse(line) as Record<string, unknown>))
  let aheadMs = 0
  const clock = { now: () => new Date(Date.now() + aheadMs) }
  const stores = await openStores(config, { initialise: true, alone: true }, clock)
  const server = stack.use(await openServer(config, stores!, log, clock, undefined, options.gate))
  await server.start()

  async function login(name: string, password: string): Promise<Person> {
    const answer = await visitor(server, undefined, {}).asks('/+login', { json: { user: name, password } })
    if (answer.status !== 200) throw new Error(`Cannot log ${name} in: ${answer.text}`)
    const token = answer.json<{ result: { password: string } }>().result.password
    const pair = Buffer.from(`${name}:${token}`).toString('base64')
    return visitor(server, name, { 'x-devpi-auth': pair })
  }
  async function person(name: string): Promise<Person> {
    const password = `password of ${name}`
    const answer = await root.asks(`/${name}`, { method: 'PUT', json: { password } })
    if (answer.status !== 201) throw new Error(`Cannot create ${name}: ${answer.text}`)
    return await login(name, password)
  }

  const root = await login('root', config.rootPassword)
  const alice = await person('alice')
  const bases = upstream === undefined ? [] : ['root/pypi']
  const made = await root.asks('/alice/dev', { method: 'PUT', json: { bases } })
  if (made.status !== 200) throw new Error(`Cannot create alice/dev: ${made.text}`)

  async function unfinished(): Promise<number> {
    const until = performance.now() + jobsMs
    for (;;) {
      const jobs = await server.stores.catalog.read(countJobs)
      if (jobs === 0 || performance.now() > until) return jobs
      await delay(10)
    }
  }
  async function jobsDone(): Promise<void> {
    const jobs = await unfinished()
    if (jobs > 0) throw new Error(`Cannot go on: ${jobs} jobs are unfinished after ${jobsMs} ms`)
  }

  const opened = stack.move()
  return {
    root,
    alice,
    stranger: visitor(server, undefined, {}),
    server,
    folder: server.stores.folder.root,
    logged,
    person,
    passes: (ms) => {
      aheadMs += ms
    },
    blobs: async () => {
      const found: BlobInfo[] = []
      for await (const { digest, sizeBytes } of server.stores.blobs.list()) found.push({ digest, sizeBytes })
      return found
    },
    drafts: () => readdir(server.stores.folder.drafts),
    jobsDone,
    raw: (request, raw) => exchange(server, request, raw?.isCut === true),
    [Symbol.asyncDispose]: async () => {
      try {
        await jobsDone()
      } finally {
        await opened.disposeAsync()
      }
    },
  }
}

function visitor(server: Server, name: string | undefined, credentials: Readonly<Record<string, string>>): Person {
  async function asks(path: string, ask: Ask = {}): Promise<Answer> {
    const { accept, headers, json, body, from } = ask
    const hasBody = json !== undefined || body !== undefined
    const payload = json === undefined ? body : JSON.stringify(json)
    const answer = await server.app.inject({
      method: (ask.method ?? (hasBody ? 'POST' : 'GET')) as NonNullable<InjectOptions['method']>,
      url: path,
      headers: {
        ...credentials,
        ...(accept !== undefined && { accept }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(payload !== undefined && { payload }),
      ...(from !== undefined && { remoteAddress: from }),
    })
    return {
      status: answer.statusCode,
      reason: answer.statusMessage,
      headers: answer.headers as Record<string, string | undefined>,
      text: answer.body,
      bytes: answer.rawPayload,
      json: () => JSON.parse(answer.body),
    }
  }
  return {
    name,
    credentials,
    asks,
    uploads: async (file, index, fields = {}) => {
      const [found] = candidates(file.filename)
      const said = { ':action': 'file_upload', name: found?.project ?? '', version: found?.version ?? '', ...fields }
      const form = multipart([...fieldParts(said), { name: 'content', filename: file.filename, content: file.bytes }])
      return await asks(`/${index}/`, { body: form.body, headers: { 'content-type': form.contentType } })
    },
    registers: async (project, version, index, fields = {}) => {
      const form = multipart(fieldParts({ ':action': 'submit', name: project, version, ...fields }))
      return await asks(`/${index}/`, { body: form.body, headers: { 'content-type': form.contentType } })
    },
  }
}

/** One connection to the server, without a network: ours is one end of a pair, the server's the other. */
async function exchange(server: Server, request: string | Uint8Array, isCut: boolean): Promise<string> {
  await server.app.ready()
  const [ours, theirs] = duplexPair()
  Object.defineProperty(theirs, 'remoteAddress', { value: '127.0.0.1' })
  server.createListener().emit('connection', theirs)
  const pieces: Buffer[] = []
  const closed = new Promise<void>((resolve) => ours.once('close', resolve))
  ours.on('data', (piece: Buffer) => pieces.push(piece))
  // A server that hangs up in the middle is what some of these requests are for.
  ours.on('error', () => {})
  ours.on('end', () => ours.destroy())
  if (isCut) ours.end(request)
  else ours.write(request)
  await closed
  return Buffer.concat(pieces).toString('latin1')
}
