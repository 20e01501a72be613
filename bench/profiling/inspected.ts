/** A running Node.js process, asked over the inspector's protocol for what it does. */
import { once } from 'node:events'
import { request } from 'undici'

/** One place in the code, as V8 names it. */
interface CallFrame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: CallFrame
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

export interface AllocationProfile {
  readonly head: AllocationNode
}

export interface AllocationNode {
  readonly callFrame: CallFrame
  /** Bytes that were allocated there, collected since or not. */
  readonly selfSize: number
  readonly children: readonly AllocationNode[]
}

/** Between two samples, in bytes allocated. */
const ALLOCATION_SAMPLE_BYTES = 16 * 1024
/** Between two samples, in microseconds. */
const CPU_SAMPLE_US = 200

export class Inspected implements AsyncDisposable {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (message: { result?: unknown; error?: { message: string } }) => void>()
  #last = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: { message: string } }
      if (message.id !== undefined) this.#waiting.get(message.id)?.(message)
    })
  }

  /** The process whose inspector listens on that port of this machine. */
  static async open(port: number): Promise<Inspected> {
    const { body } = await request(`http://127.0.0.1:${port}/json/list`)
    const [target] = (await body.json()) as { webSocketDebuggerUrl: string }[]
    const socket = new WebSocket(target!.webSocketDebuggerUrl)
    await once(socket as unknown as NodeJS.EventEmitter & EventTarget, 'open')
    return new Inspected(socket)
  }

  /** What takes the time while `work` runs. */
  async cpu(work: () => Promise<unknown>): Promise<CpuProfile> {
    await this.#ask('Profiler.enable')
    await this.#ask('Profiler.setSamplingInterval', { interval: CPU_SAMPLE_US })
    await this.#ask('Profiler.start')
    await work()
    return (await this.#ask<{ profile: CpuProfile }>('Profiler.stop')).profile
  }

  /** What allocates memory while `work` runs. */
  async allocations(work: () => Promise<unknown>): Promise<AllocationProfile> {
    await this.#ask('HeapProfiler.startSampling', {
      samplingInterval: ALLOCATION_SAMPLE_BYTES,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    })
    await work()
    return (await this.#ask<{ profile: AllocationProfile }>('HeapProfiler.stopSampling')).profile
  }

  async #ask<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.#last
    const { promise, resolve } = Promise.withResolvers<{ result?: unknown; error?: { message: string } }>()
    this.#waiting.set(id, resolve)
    this.#socket.send(JSON.stringify({ id, method, params }))
    const { result, error } = await promise
    this.#waiting.delete(id)
    if (error !== undefined) throw new Error(`Cannot profile: ${method}: ${error.message}`)
    return result as T
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close()
  }
}

/** `function file:line`, short. */
export function placeOf({ functionName, url, lineNumber }: CallFrame): string {
  const file = url.replace(/^.*\/(?:node_modules|src)\//, '').replace(/^node:internal\//, 'node:')
  return `${functionName || '(anonymous)'}${file === '' ? '' : ` ${file}:${lineNumber + 1}`}`
}
