/** Below an answer: the socket that its bytes go to as they are, once nothing of it is on its way. */
import { Socket } from 'node:net'
import { ServerResponse } from '../lib/node-http.ts'

/** What Node keeps below a socket; not part of its documented interface, so all of it may be absent. */
interface Handle {
  readonly fd?: number
  readonly writeQueueSize?: number
}

/**
 * The descriptor of the socket of `answer`, where whatever is written to it next comes right behind what the answer has sent so far: all of
 * that has gone to the kernel, nothing encrypts or frames it, and the answer has told how long it is. `undefined`: write to the answer.
 */
export function bareSocket(answer: NodeJS.WritableStream): number | undefined {
  if (!(answer instanceof ServerResponse) || !answer.headersSent || !answer.hasHeader('content-length'))
    return undefined
  const { socket } = answer
  if (!(socket instanceof Socket) || 'encrypted' in socket || socket.destroyed) return undefined
  if (answer.writableLength > 0 || socket.writableLength > 0) return undefined
  const { fd, writeQueueSize } = ((socket as { _handle?: Handle | null })._handle ?? {}) as Handle
  return fd !== undefined && fd >= 0 && writeQueueSize === 0 ? fd : undefined
}
