/** Listens, says where, and ends in order: no new connections, requests under way finished, stores closed. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Writable } from 'node:stream'
import type { Config } from '../config/load.ts'
import { openLog } from '../lib/log.ts'
import { Problem } from '../model/errors.ts'
import type { CliContext } from './context.ts'
import type { OpenStores, ServerCommands } from './server-commands.ts'
import { listenOnSocket } from './unix-socket.ts'

/** Serves until the context says stop. `announce` gets the line `serving at url: …` that tools wait for. */
export async function serve(
  context: CliContext,
  server: ServerCommands,
  config: Config,
  stores: OpenStores,
  announce: Writable,
): Promise<void> {
  const isTerminal = (context.stderr as { isTTY?: boolean }).isTTY === true
  const log = openLog(config.logLevel, isTerminal ? 'readable' : 'json', (line) => context.stderr.write(line))
  await using opened = await server.openServer(config, stores, log)
  await opened.app.ready()
  const listeners: Server[] = []
  try {
    // First, as tools take the line with the address for the end of the start.
    if (config.unixSocket !== undefined) {
      listeners.push(await listenOnSocket(opened.createListener(), config.unixSocket))
      announce.write(`serving at unix socket: ${config.unixSocket.path}\n`)
    }
    for (const { host, port } of config.listen) {
      const first = await listen(opened.createListener(), host, port)
      listeners.push(first)
      const bound = (first.address() as AddressInfo).port
      // devpi listens on both families for the default name; one that the machine lacks is no loss.
      if (host === 'localhost') listeners.push(...(await alsoOnIpv6(opened.createListener(), bound)))
      announce.write(
        `serving at url: ${urlOf(host, bound)}${host === 'localhost' ? ` (might be http://[${host}]:${bound} for IPv6)` : ''}\n`,
      )
    }
    const isPublic = config.outsideUrl !== undefined || config.listen.some(({ host }) => !isLoopback(host))
    if (opened.hasOpenRoot && isPublic) warnOfOpenRoot(context.stderr, config.serverDir)
    await opened.start()
    await stopped(context.stop)
  } finally {
    await Promise.all(listeners.map((each) => close(each, config.limits.drainMs)))
  }
}

function listen(listener: Server, host: string, port: number): Promise<Server> {
  const address = host === 'localhost' ? '127.0.0.1' : host
  // Without a host it is every address, of both families where the machine has both.
  const place = host === '*' ? { port } : { host: address, port }
  return new Promise((resolve, reject) => {
    listener.once('error', (error: NodeJS.ErrnoException) => reject(explained(error, host, port)))
    listener.listen(place, () => resolve(listener))
  })
}

async function alsoOnIpv6(listener: Server, port: number): Promise<Server[]> {
  try {
    return [await listen(listener, '::1', port)]
  } catch {
    return []
  }
}

function explained(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new Problem('port-in-use', `Cannot listen on ${host}:${port}: another program does`, {
      hint: 'stop that one, or choose another port with --port',
      cause: error,
    })
  }
  if (error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new Problem('setting-invalid', `Cannot listen on ${host}:${port}: ${error.message}`, { cause: error })
  }
  return error
}

async function stopped(stop: AbortSignal | undefined): Promise<void> {
  if (stop?.aborted === true) return
  await new Promise<void>((resolve) => stop?.addEventListener('abort', () => resolve(), { once: true }))
}

async function close(listener: Server, drainMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
  listener.closeIdleConnections()
  const timer = setTimeout(() => listener.closeAllConnections(), drainMs)
  await closed
  clearTimeout(timer)
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}

function warnOfOpenRoot(stderr: Writable, folder: string): void {
  stderr.write(
    [
      '',
      'WARNING: root has an EMPTY PASSWORD and this server can be reached from other machines.',
      `Such a login is accepted only from this machine; set a password with: airlock passwd root --serverdir ${folder}`,
      '',
      '',
    ].join('\n'),
  )
}
