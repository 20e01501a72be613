/** A server of several workers as people start it, with a connection to each of them: who answers is seen in its log. */
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fieldParts, multipart } from '../builders/multipart.ts'
import type { BuiltFile } from '../builders/wheels.ts'
import { type ServerProcess, startServer } from './server-process.ts'

export interface WorkerAnswer {
  readonly status: number
  readonly text: string
}

export interface WorkerAsk {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as a JSON body. */
  readonly json?: unknown
  readonly body?: Buffer
}

/** One connection that stays, and so one worker. */
export interface WorkerClient extends Disposable {
  readonly worker: number
  asks(path: string, ask?: WorkerAsk): Promise<WorkerAnswer>
  /** As root, without a password. */
  login(): Promise<Record<string, string>>
  uploads(
    file: BuiltFile,
    name: string,
    version: string,
    index: string,
    login: Record<string, string>,
  ): Promise<WorkerAnswer>
}

export interface SeveralWorkers extends AsyncDisposable {
  readonly server: ServerProcess
  /** By number. Opens connections until each worker has one. */
  clients(): Promise<WorkerClient[]>
}

/** Of the kernel's choices, so many in a row do not pass over one of few workers. */
const CONNECTIONS_MOST = 200
const LOGGED_MS = 10_000

export async function startWorkers(
  folder: string,
  workers: number,
  options: { readonly args?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<SeveralWorkers> {
  const { args = ['--no-root-pypi'], env = {} } = options
  const server = await startServer({
    program: 'bin/airlock',
    args: ['serve', '--serverdir', join(folder, 'server'), '--workers', String(workers), ...args],
    env,
    startMs: 60_000,
  })
  return {
    server,
    clients: () => clientsOf(server, workers),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function clientsOf(server: ServerProcess, workers: number): Promise<WorkerClient[]> {
  const found = new Map<number, WorkerClient>()
  for (let each = 0; each < CONNECTIONS_MOST && found.size < workers; each++) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const path = `/+who/${randomUUID()}`
    await exchange(server, agent, path, {})
    const worker = await whoAnswered(server, path)
    if (found.has(worker)) agent.destroy()
    else found.set(worker, clientOf(server, agent, worker))
  }
  if (found.size < workers) throw new Error(`Cannot meet all workers: only ${[...found.keys()].join(', ')} answered`)
  return [...found.values()].sort((a, b) => a.worker - b.worker)
}

async function whoAnswered(server: ServerProcess, path: string): Promise<number> {
  const untilMs = performance.now() + LOGGED_MS
  for (;;) {
    const line = server
      .output()
      .split('\n')
      .find((each) => each.includes(path) && each.endsWith('}'))
    if (line !== undefined) return (JSON.parse(line) as { worker: number }).worker
    if (performance.now() > untilMs) throw new Error(`Cannot find ${path} in the log`)
    await delay(5)
  }
}

function clientOf(server: ServerProcess, agent: Agent, worker: number): WorkerClient {
  const asks = (path: string, ask: WorkerAsk = {}) => exchange(server, agent, path, ask)
  return {
    worker,
    asks,
    login: () => logIn(asks, 'root', ''),
    uploads(file, name, version, index, login) {
      const fields = {
        ':action': 'file_upload',
        metadata_version: '2.1',
        name,
        version,
        filetype: 'bdist_wheel',
        pyversion: 'py3',
      }
      const content = { name: 'content', filename: file.filename, content: file.bytes }
      const form = multipart([...fieldParts(fields), content])
      const headers = { ...login, 'content-type': form.contentType }
      return asks(`/${index}/`, { method: 'POST', headers, body: form.body })
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}

/** Headers that say who asks. Throws when the login is refused. */
export async function logIn(
  asks: WorkerClient['asks'],
  user: string,
  password: string,
): Promise<Record<string, string>> {
  const { status, text } = await asks('/+login', { method: 'POST', json: { user, password } })
  if (status !== 200) throw new Error(`Cannot log in as ${user}: ${status} ${text}`)
  const { result } = JSON.parse(text) as { result: { password: string } }
  return { 'x-devpi-auth': Buffer.from(`${user}:${result.password}`).toString('base64') }
}

function exchange(server: ServerProcess, agent: Agent, path: string, ask: WorkerAsk): Promise<WorkerAnswer> {
  const body = ask.json === undefined ? ask.body : Buffer.from(JSON.stringify(ask.json))
  const headers = {
    ...ask.headers,
    ...(ask.json !== undefined && { 'content-type': 'application/json' }),
    ...(body !== undefined && { 'content-length': String(body.length) }),
  }
  return new Promise((resolve, reject) => {
    const sending = request(`${server.url}${path}`, { agent, method: ask.method ?? 'GET', headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sending.on('error', reject)
    sending.end(body)
  })
}
