/** A server inside the test's own process on a port of its own, so that limits can be made small and stores be looked into. */
import { get, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { openServer } from '../../src/compose/server.ts'
import { openStores, type Stores } from '../../src/compose/stores.ts'
import { loadConfig } from '../../src/config/load.ts'
import { type Digest, digestOf } from '../../src/lib/digest.ts'
import { openLog } from '../../src/lib/log.ts'
import { type Limits, withLimits } from '../../src/model/limits.ts'
import { tempFolder } from '../world/temp-folder.ts'

export interface InProcessServer extends AsyncDisposable {
  /** Without a trailing slash. */
  readonly url: string
  readonly app: FastifyInstance
  readonly stores: Stores
}

export interface InProcessOptions {
  /** By setting key; the folder is a new one unless told. */
  readonly flags?: Readonly<Record<string, unknown>>
  readonly limits?: Partial<Limits>
}

/** What came back from one request. */
export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly sha256: Digest
  /** The body ended as HTTP's framing promised: all that a careless client looks at. */
  readonly isComplete: boolean
}

/** Nothing runs in the background (no list is fetched ahead, no job runs): what a test sees is what it asked for. */
export async function startInProcess(options: InProcessOptions = {}): Promise<InProcessServer> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder())
  const flags = { serverdir: folder.path, log_level: 'error', ...options.flags }
  const config = loadConfig({ flags, env: {}, cwd: folder.path })
  const limited = { ...config, limits: withLimits({ ...config.limits, ...options.limits }) }
  const stores = await openStores(limited, { initialise: true, alone: true })
  if (stores === undefined) throw new TypeError('Cannot open stores: the folder was not initialised')
  // What goes wrong inside is seen by the test in the answers; a log line of each failure would bury its output.
  const opened = stack.use(
    await openServer(
      limited,
      stores,
      openLog('error', 'readable', (line) => process.stderr.write(line)),
    ),
  )
  await opened.app.ready()
  const listener = stack.adopt(opened.createListener(), close)
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  const moved = stack.move()
  return { url, app: opened.app, stores, [Symbol.asyncDispose]: () => moved.disposeAsync() }
}

/** GET, on a connection of its own. Never throws for what the server does: a broken answer is one that is not complete. */
export function ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const settle = (status: number, replied: IncomingHttpHeaders, isComplete: boolean) => {
      const bytes = Buffer.concat(chunks)
      resolve({ status, headers: replied, bytes, sha256: digestOf(bytes), isComplete })
    }
    const request = get(url, { agent: false, headers }, (response) => {
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      // Told by `close`, too.
      response.on('error', () => {})
      response.on('close', () => settle(response.statusCode ?? 0, response.headers, response.complete))
    })
    request.on('error', () => settle(0, {}, false))
  })
}

async function close(listener: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
  listener.closeAllConnections()
  await closed
}
