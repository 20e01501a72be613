/** For tests: the client commands run in a folder of their own, against a server that answers from a table. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createListener, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compose, type Duplex, Readable, Transform, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { Command, CommanderError } from 'commander'
import { pack } from 'tar-stream'
import { addClientOptions } from '../../src/client/client-options.ts'
import { addClientCommands } from '../../src/client/commands/client-commands.ts'
import { type CliContext, CliExit } from '../../src/client/context.ts'

/** A request as it came in. */
export interface Seen {
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** What the server says; without status it is 200. */
export interface Answer {
  readonly status?: number
  readonly reason?: string
  readonly headers?: Record<string, string>
  readonly json?: unknown
  readonly body?: Buffer
}

/** A server that answers `METHOD /path` from a table, and a folder in which commands run against it. */
export class Bench implements AsyncDisposable {
  readonly seen: Seen[] = []
  readonly answers: Record<string, Answer> = {}
  readonly folder = mkdtempSync(join(tmpdir(), 'client-commands-'))
  readonly env: Record<string, string> = { HOME: this.folder }
  /** Where commands are run. */
  cwd = this.folder
  #url = ''
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  readonly #listener = createListener((socket) => this.#server.emit('connection', withoutPush(socket)))

  static async open(): Promise<Bench> {
    const bench = new Bench()
    await new Promise<void>((resolve) => bench.#listener.listen(0, '127.0.0.1', resolve))
    bench.#url = `http://127.0.0.1:${(bench.#listener.address() as AddressInfo).port}`
    const config = { type: 'stage', bases: ['root/pypi'], volatile: true, acl_upload: ['root'], mirror_whitelist: [] }
    Object.assign(bench.answers, {
      'GET /+api': bench.api(),
      'GET /root/prod/+api': bench.api('root/prod', true),
      'GET /root/pypi/+api': bench.api('root/pypi'),
      'POST /+login': { json: { type: 'proxyauth', result: { password: 'tok-en', expiration: 36_000 } } },
      'PUT /root/prod': { json: { type: 'indexconfig', result: config } },
      'PATCH /root/prod': { json: { type: 'indexconfig', result: config } },
      'GET /root/prod?no_projects=': { json: { type: 'indexconfig', result: config } },
      'GET /root/pypi?no_projects=': { json: { type: 'indexconfig', result: { type: 'mirror', volatile: false } } },
      'GET /root/prod': { json: { type: 'indexconfig', result: { ...config, projects: ['b-b', 'acme'] } } },
      'POST /root/prod/': {},
    })
    return bench
  }

  /** What `+api` says of a server or an index. */
  api(index?: string, takesUploads = false): Answer {
    const result = {
      login: `${this.#url}/+login`,
      authstatus: ['ok', 'root', []],
      features: ['server-keyvalue-parsing', 'push-no-docs'],
      ...(index && { index: `${this.#url}/${index}`, simpleindex: `${this.#url}/${index}/+simple/` }),
      ...(takesUploads && { pypisubmit: `${this.#url}/${index}/` }),
    }
    return { json: { type: 'apiconfig', result } }
  }

  /** Runs a command; the server's address is `URL` in what it says, the folder `~`. */
  async run(words: readonly string[], input = ''): Promise<{ code: number; out: string[]; err: string[] }> {
    const [stdout, stderr] = [new Sink(), new Sink()]
    const context: CliContext = {
      env: this.env,
      cwd: this.cwd,
      stdout,
      stderr,
      stdin: Readable.from(input ? [Buffer.from(input)] : []),
    }
    const program = new Command('devpi').exitOverride().configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    })
    addClientCommands(addClientOptions(program), context)
    const args = words.map((word) => word.replaceAll('URL', this.#url))
    let code = 0
    try {
      await program.parseAsync(args, { from: 'user' })
    } catch (error) {
      if (error instanceof CliExit) code = error.code
      else if (error instanceof CommanderError) code = 2
      else throw error
    }
    const shown = ({ text }: Sink) =>
      text.replaceAll(this.#url, 'URL').replaceAll(this.folder, '~').split('\n').slice(0, -1)
    return { code, out: shown(stdout), err: shown(stderr) }
  }

  /** Runs a command that must succeed, and gives its lines. */
  async lines(...words: readonly string[]): Promise<string[]> {
    const { code, out, err } = await this.run(words)
    assert.equal(code, 0, [...out, ...err].join('\n'))
    return out
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#listener.close(resolve))
    rmSync(this.folder, { recursive: true })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${request.headers['x-verb'] ?? request.method} ${request.url}`
    this.seen.push({ line, headers: request.headers, body: await buffer(request) })
    const answer = this.answers[line] ?? { status: 404, json: { message: `no answer for ${line}` } }
    response.statusMessage = answer.reason ?? ''
    response.statusCode = answer.status ?? 200
    response.setHeader('X-Devpi-Api-Version', '2')
    if (answer.json !== undefined) response.setHeader('Content-Type', 'application/json')
    for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value)
    response.end(answer.json === undefined ? (answer.body ?? '') : JSON.stringify(answer.json))
  }
}

class Sink extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

/** Puts a program on the PATH of commands that does what the shell script says. */
export function addProgram(bench: Bench, name: string, script: string): void {
  mkdirSync(bench.path('bin'), { recursive: true })
  writeFileSync(bench.path(`bin/${name}`), `#!/bin/sh\n${script}\n`)
  chmodSync(bench.path(`bin/${name}`), 0o755)
  bench.env.PATH = `${bench.path('bin')}:/usr/local/bin:/usr/bin:/bin`
}

/** Node's server knows no PUSH: it gets a POST with a header that says what it was. */
function withoutPush(socket: Socket): Duplex {
  const rewrite = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, Buffer.from(chunk.toString('latin1').replace(/^PUSH (.*\r\n)/, 'POST $1X-Verb: PUSH\r\n'), 'latin1'))
    },
  })
  return compose(socket, rewrite)
}

/** An sdist with its metadata, and whatever `more` holds by name. */
export async function sdist(name: string, version: string, more: Record<string, string> = {}): Promise<Buffer> {
  const archive = pack()
  for (const [file, text] of Object.entries(more)) archive.entry({ name: `${name}-${version}/${file}` }, text)
  const metadata = `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\nClassifier: A\nClassifier: B\n\nWörds\n`
  archive.entry({ name: `${name}-${version}/PKG-INFO` }, metadata)
  archive.finalize()
  return gzipSync(await buffer(archive))
}

/** A bench at the index root/prod, with root logged in. */
export async function loggedIn(): Promise<Bench> {
  const bench = await Bench.open()
  await bench.lines('use', 'URL/root/prod')
  await bench.lines('login', 'root', '--password', '')
  return bench
}
