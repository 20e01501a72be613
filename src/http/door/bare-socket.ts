/** The file descriptor below a connection, for system calls, once no write to it is pending. */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { ServerResponse } from '../../lib/node-http.ts'

/** What Node keeps below a socket; not part of its documented interface, so all of it may be absent. */
interface Handle {
  readonly fd?: number
  readonly writeQueueSize?: number
}

/**
 * Whatever is sent to it next comes right behind what was written so far: all of that has gone to the kernel, and nothing encrypts it.
 * `undefined`: write to the socket, by and by.
 */
export function bareSocket(socket: Duplex | null): number | undefined {
  if (!(socket instanceof Socket) || 'encrypted' in socket || socket.destroyed || socket.writableLength > 0)
    return undefined
  const { fd, writeQueueSize } = ((socket as { _handle?: Handle | null })._handle ?? {}) as Handle
  return fd !== undefined && fd >= 0 && writeQueueSize === 0 ? fd : undefined
}

/** The same below an answer that has begun, where what comes next is a part of its body as it is. */
export function bareSocketOf(answer: NodeJS.WritableStream): number | undefined {
  if (!(answer instanceof ServerResponse) || !answer.headersSent || !answer.hasHeader('content-length'))
    return undefined
  return answer.writableLength > 0 ? undefined : bareSocket(answer.socket)
}
