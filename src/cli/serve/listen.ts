/** Listening on addresses, by one worker or by several at once, and ending in order. */
import type { Server } from 'node:http'
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net'
import { Problem } from '../../model/errors.ts'

/** Where a listener listens; `*` is every address, of both families where the machine has both. */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * The addresses that one of the configuration stands for, bound: the first is the one that is announced. With `isShared`,
 * other threads may listen on them as well. Throws `port-in-use`, `setting-invalid`.
 */
export async function listenOn(
  makeListener: () => Server,
  { host, port }: Address,
  isShared: boolean,
): Promise<{ readonly listeners: readonly Server[]; readonly bound: readonly Address[] }> {
  const listened = await first(makeListener, host, port, isShared)
  const found = (listened.address() as AddressInfo).port
  const bound: Address[] = [{ host, port: found }]
  if (host !== 'localhost') return { listeners: [listened], bound }
  bound[0] = { host: '127.0.0.1', port: found }
  // devpi listens on both families for the default name; one that the machine lacks is no loss.
  const second = await first(makeListener, '::1', found, isShared).catch(() => undefined)
  if (second === undefined) return { listeners: [listened], bound }
  return { listeners: [listened, second], bound: [...bound, { host: '::1', port: found }] }
}

/** Listens where another worker does already. Throws as `listenOn`. */
export async function listenToo(listener: Server, { host, port }: Address): Promise<Server> {
  return await listen(listener, host, port, true)
}

/** No new connections; requests under way have so long. */
export async function close(listener: Server, drainMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
  listener.closeIdleConnections()
  const timer = setTimeout(() => listener.closeAllConnections(), drainMs)
  await closed
  clearTimeout(timer)
}

/** Several may listen on one port, also programs that know nothing of each other: first it is bound as nobody else may. */
async function first(makeListener: () => Server, host: string, port: number, isShared: boolean): Promise<Server> {
  if (!isShared) return await listen(makeListener(), host, port, false)
  const alone = await listen(createServer(), host, port, false)
  const found = (alone.address() as AddressInfo).port
  await new Promise<void>((resolve) => alone.close(() => resolve()))
  return await listen(makeListener(), host, found, true)
}

function listen<Listener extends Server | NetServer>(
  listener: Listener,
  host: string,
  port: number,
  isShared: boolean,
): Promise<Listener> {
  const address = host === 'localhost' ? '127.0.0.1' : host
  const place = { port, ...(host !== '*' && { host: address }), ...(isShared && { reusePort: true }) }
  return new Promise((resolve, reject) => {
    listener.once('error', (error: NodeJS.ErrnoException) => reject(explained(error, host, port)))
    listener.listen(place, () => resolve(listener))
  })
}

function explained(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new Problem('port-in-use', `Cannot listen on ${host}:${port}: another program does`, {
      hint: 'stop that one, or choose another port with --port',
      cause: error,
    })
  }
  if (error.code === 'ENOTSUP') {
    return new Problem('setting-invalid', 'Cannot use workers: on this system several threads cannot share a port', {
      hint: 'leave it at 1, or run the server on Linux',
      cause: error,
    })
  }
  if (error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new Problem('setting-invalid', `Cannot listen on ${host}:${port}: ${error.message}`, { cause: error })
  }
  return error
}
