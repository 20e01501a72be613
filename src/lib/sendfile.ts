/**
 * Linux's `sendfile`: from a file into a socket without a copy through this process. Node has none for sockets; it is called through
 * `node:ffi`, where there is one (Node 26 with `--experimental-ffi`, which `bin/with-node` gives).
 */

/** The calls return at once, and none throws: where one does not help, the ordinary way of sending goes on from there. */
export interface Sendfile {
  /** Whether the file's bytes from `start` to `end` seem to be in memory, so that sending them does not wait for a disk. */
  isCached(file: number, start: number, end: number): boolean
  /**
   * How many of the file's bytes from `position` on the socket took, `most` at most; 0 when the file ends before `position`.
   * `undefined`: none, as it is full or broken, and the next ordinary write will tell which.
   */
  send(socket: number, file: number, position: number, most: number): number | undefined
}

/** The part of `node:ffi` that is used, which the types of older Nodes lack. */
interface Ffi {
  dlopen<Name extends string>(
    library: null,
    functions: Record<Name, { readonly arguments: readonly string[]; readonly return: string }>,
  ): { readonly functions: Record<Name, (...values: readonly (number | bigint)[]) => number | bigint> }
  getRawPointer(memory: Uint8Array): bigint
}

/** Those whose C types have the sizes that are written below. */
const ARCHITECTURES: readonly string[] = ['x64', 'arm64']
/** Looked at once in each: what the kernel lets go of, it lets go of in long runs. */
const STEP_BYTES = 256 * 1024
/** Of `preadv2`: fail instead of waiting. */
const RWF_NOWAIT = 8

/** `undefined` where this Node or this system has none. Throws when it should have, and the functions cannot be found. */
export function loadSendfile(): Sendfile | undefined {
  if (process.platform !== 'linux' || !ARCHITECTURES.includes(process.arch)) return undefined
  const ffi = process.getBuiltinModule('node:ffi') as Ffi | undefined
  if (ffi === undefined) return undefined
  return new SystemSendfile(ffi)
}

/** `load`, called once, for the first who asks. What it throws is told, and there is none. */
export function loadedOnce(
  load: () => Sendfile | undefined,
  onTrouble: (error: unknown) => void,
): () => Sendfile | undefined {
  let loaded: { readonly found: Sendfile | undefined } | undefined
  return () => {
    if (loaded !== undefined) return loaded.found
    loaded = { found: undefined }
    try {
      loaded = { found: load() }
    } catch (error) {
      onTrouble(error)
    }
    return loaded.found
  }
}

/**
 * What the calls read and write lies in one `ArrayBuffer`, whose memory is outside the collector's heap and is never moved; this object
 * holds it, and is held for as long as calls are made. So the addresses that are handed out stay valid.
 */
class SystemSendfile implements Sendfile {
  readonly #functions: ReturnType<typeof functionsOf>
  readonly #memory = new BigInt64Array(new ArrayBuffer(32))
  /** Where in `#memory` is what: the position to send from, and a `struct iovec`, the address and the length of the number after it. */
  readonly #offset: bigint
  readonly #vector: bigint

  constructor(ffi: Ffi) {
    this.#functions = functionsOf(ffi)
    const address = ffi.getRawPointer(new Uint8Array(this.#memory.buffer))
    this.#offset = address
    this.#vector = address + 8n
    this.#memory.set([address + 24n, 1n], 1)
  }

  isCached(file: number, start: number, end: number): boolean {
    const isHere = (position: number) =>
      Number(this.#functions.preadv2(file, this.#vector, 1, BigInt(position), RWF_NOWAIT)) === 1
    for (let position = start; position < end; position += STEP_BYTES) if (!isHere(position)) return false
    return isHere(end - 1)
  }

  send(socket: number, file: number, position: number, most: number): number | undefined {
    this.#memory[0] = BigInt(position)
    const sent = Number(this.#functions.sendfile(socket, file, this.#offset, BigInt(most)))
    return sent < 0 ? undefined : sent
  }
}

function functionsOf(ffi: Ffi) {
  const { functions } = ffi.dlopen(null, {
    preadv2: { arguments: ['int32', 'pointer', 'int32', 'int64', 'int32'], return: 'int64' },
    sendfile: { arguments: ['int32', 'int32', 'pointer', 'uint64'], return: 'int64' },
  })
  return functions
}
