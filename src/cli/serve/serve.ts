/**
 * Runs the server: listens, prints the address, and shuts down in order (no new connections, requests finished, stores
 * closed).
 */
import type { Server } from 'node:http'
import { flushCompileCache } from 'node:module'
import type { Writable } from 'node:stream'
import type { CliContext } from '../../client/context.ts'
import type { Config } from '../../config/load.ts'
import { openLog } from '../../lib/log.ts'
import { LogLines } from '../../lib/log-lines.ts'
import { Problem } from '../../model/errors.ts'
import type { OpenStores, ServerCommands } from '../server-commands.ts'
import { close, listenOn } from './listen.ts'
import { listenOnSocket } from './unix-socket.ts'
import { Workers } from './workers.ts'

/** After a start, what was compiled for it is written down: the process may be killed and never come to its end, where Node does so. */
const CACHE_MS = 10_000

/** Serves until the context says stop. `announce` gets the line `serving at url: …` that tools wait for. */
export async function serve(
  context: CliContext,
  server: ServerCommands,
  config: Config,
  stores: OpenStores,
  announce: Writable,
): Promise<void> {
  const { stderr } = context as { stderr: Writable & { readonly isTTY?: boolean; readonly fd?: number } }
  const form = stderr.isTTY === true ? 'readable' : 'json'
  const { shared } = stores
  // Of several workers each writes its lines to the same place, and none may write into another's.
  const logLines = { fd: stderr.fd ?? STDERR, form, lock: new SharedArrayBuffer(4) } as const
  const isTogether = shared !== undefined && stderr.fd !== undefined
  const lines = isTogether ? new LogLines(logLines.fd, logLines.lock) : stderr
  const log = openLog(config.logLevel, form, (line) => lines.write(line), shared === undefined ? null : { worker: 0 })
  const workers = shared && new Workers({ program: server.workerProgram, config, shared, logLines })
  await using opened = await server.openServer(config, stores, log, undefined, workers?.peers)
  await opened.app.ready()
  const listeners: Server[] = []
  try {
    if (workers !== undefined && config.listen.length === 0) throw onlySocket()
    // First, as tools take the line with the address for the end of the start.
    if (config.unixSocket !== undefined) {
      listeners.push(await listenOnSocket(opened.createListener(), config.unixSocket))
      announce.write(`serving at unix socket: ${config.unixSocket.path}\n`)
    }
    const found = []
    for (const address of config.listen) {
      const one = await listenOn(() => opened.createListener(), address, workers !== undefined)
      listeners.push(...one.listeners)
      found.push({ host: address.host, bound: one.bound })
    }
    await workers?.start(
      opened.duties,
      found.flatMap(({ bound }) => bound),
      log,
    )
    for (const { host, bound } of found) announce.write(`serving at url: ${toldAddress(host, bound[0]!.port)}\n`)
    if (isPublic(config) && (await opened.hasOpenRoot())) warnOfOpenRoot(context.stderr, config.serverDir)
    await opened.start()
    setTimeout(flushCompileCache, CACHE_MS).unref()
    await stopped(context.stop)
  } finally {
    await Promise.all([...listeners.map((each) => close(each, config.limits.drainMs)), workers?.stop()])
  }
}

/** Where threads write that cannot be given a stream: the process's own stderr. */
const STDERR = 2

function onlySocket(): Problem {
  return new Problem(
    'setting-invalid',
    'Cannot use workers with a Unix socket alone: several threads cannot share one',
    {
      hint: 'set listen, or host and port, too; requests through the socket are answered by the first worker',
    },
  )
}

async function stopped(stop: AbortSignal | undefined): Promise<void> {
  if (stop?.aborted === true) return
  await new Promise<void>((resolve) => stop?.addEventListener('abort', () => resolve(), { once: true }))
}

function toldAddress(host: string, port: number): string {
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return host === 'localhost' ? `${url} (might be http://[${host}]:${port} for IPv6)` : url
}

/** Whether others than programs on this machine get here: from other machines, or by a proxy that somebody has set up for them. */
function isPublic({ listen, outsideUrl, trustedProxy, unixSocket }: Config): boolean {
  const isProxied = outsideUrl !== undefined || trustedProxy !== undefined || unixSocket !== undefined
  return isProxied || listen.some(({ host }) => !isLoopback(host))
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}

function warnOfOpenRoot(stderr: Writable, folder: string): void {
  stderr.write(
    [
      '',
      'WARNING: root has an EMPTY PASSWORD and this server can be reached from other machines.',
      'Such a login is accepted only from programs on this machine. A proxy on this machine that passes requests on as they come',
      'makes everybody such a program, and so is every user of this machine.',
      `Set a password with: airlock passwd root --serverdir ${folder}`,
      '',
      '',
    ].join('\n'),
  )
}
