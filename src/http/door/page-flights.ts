/**
 * Request coalescing: when many requests ask for the same changed page at the same time, the page is made once for all of
 * them.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Outside, peerOf } from '../outside.ts'
import { keyOf } from './plain-request.ts'
import type { Shelf } from './shelf.ts'

export class PageFlights {
  readonly #flights = new Map<string, Promise<void>>()

  /** The flight of that key, which does not fail; `undefined`: there is none. */
  under(key: string): Promise<void> | undefined {
    return this.#flights.get(key)
  }

  /** From now on, until it is disposed. */
  begin(key: string): Disposable {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#flights.set(key, promise)
    return {
      [Symbol.dispose]: () => {
        if (this.#flights.get(key) === promise) this.#flights.delete(key)
        resolve()
      },
    }
  }
}

/**
 * Sends the page if it stands ready, or does after it was waited for, being made already. `false`: the caller has to make it; others wait for it
 * until `land` is called. Whoever waited and finds nothing (the page may not stand ready) makes it too, and nobody waits twice.
 */
export async function joinFlight(
  { shelf, flights, server }: { readonly shelf: Shelf; readonly flights: PageFlights; readonly server: Outside },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  // Of the answer to HEAD there is no body to send, and Fastify would say how long that is.
  const found = request.method === 'GET' ? keyOf('GET', request.originalUrl, request.raw.rawHeaders) : undefined
  if (found === undefined) return false
  const key = peerOf(request.socket, server) + found
  let ready = await shelf.held(key)
  if (ready === undefined) {
    const flight = flights.under(key)
    if (flight === undefined) request.cacheNote.flight = flights.begin(key)
    await flight
    ready = flight && (await shelf.held(key))
  }
  if (ready === undefined) return false
  for (const [name, value] of ready.headers) reply.header(name, value)
  if (ready.status === 304) reply.code(304).send()
  else reply.send(ready.body)
  return true
}
