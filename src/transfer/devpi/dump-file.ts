/** A file of a dump, opened only where it lies inside the dump, and the hashes that the dump gives for it. */
import { createHash, getHashes, type Hash } from 'node:crypto'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../model/errors.ts'

export interface DumpFile extends AsyncDisposable {
  /** Absolute. */
  readonly path: string
  readonly sizeBytes: number
  readonly modified: Date
  /** `start` inclusive, `end` exclusive. */
  read(range: { readonly start: number; readonly end: number }, chunkBytes: number): AsyncIterable<Uint8Array>
}

/**
 * Opens `relpath` below `folder`. Throws `file-invalid` for a path that leads out of the folder, by its text or by
 * a symbolic link, and for what is no regular file; `no-such-file` where nothing is.
 */
export async function openDumpFile(folder: string, relpath: string): Promise<DumpFile> {
  const parts = pathParts(relpath)
  let path = folder
  for (const [place, part] of parts.entries()) {
    path = join(path, part)
    const found = await lstatIfThere(path)
    if (found === undefined) throw new Problem('no-such-file', `Cannot read "${relpath}": the file is missing`)
    if (found.isSymbolicLink()) throw refused(relpath, 'it is a symbolic link, or lies behind one')
    const isLast = place === parts.length - 1
    if (isLast ? !found.isFile() : !found.isDirectory()) throw refused(relpath, 'it is no regular file')
  }
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EACCES') throw refused(relpath, 'this user may not read it')
    throw error
  })
  const { size, mtime } = await handle.stat()
  return {
    path,
    sizeBytes: size,
    modified: mtime,
    read: ({ start, end }, chunkBytes) => pieces(handle, start, Math.min(end, size), chunkBytes),
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

/** The folders and the name in a path below a dump. Throws `file-invalid` for one that may lead out of it. */
export function pathParts(relpath: string): string[] {
  const parts = relpath.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..' || /[\0\\]/.test(part))) {
    throw refused(relpath, 'the path leads out of the dump, or is not written as one below it')
  }
  return parts
}

/** Hash name (`sha256`, as in hashlib) → hex digits, from the forms that devpi has written over the years. */
export type GivenHashes = ReadonlyMap<string, string>

/** Of a file's `entrymapping`: `hashes`, `hash_spec` (`sha256=…`), and `md5` of devpi 2. */
export function givenHashes(mapping: Readonly<Record<string, unknown>>): GivenHashes {
  const hashes = new Map<string, string>()
  const add = (name: string, value: unknown) => {
    if (typeof value === 'string' && value !== '') hashes.set(name, value.toLowerCase())
  }
  add('md5', mapping.md5)
  const [algorithm, digest] = typeof mapping.hash_spec === 'string' ? mapping.hash_spec.split('=') : []
  if (algorithm !== undefined && digest !== undefined) add(algorithm, digest)
  if (typeof mapping.hashes === 'object' && mapping.hashes !== null) {
    for (const [name, value] of Object.entries(mapping.hashes)) add(name, value)
  }
  return hashes
}

/** Computes what was given, while the bytes go by. */
export class HashCheck {
  /** Names of which no hash can be computed here. */
  readonly unknown: readonly string[]
  readonly #running: readonly { readonly name: string; readonly given: string; readonly hash: Hash }[]

  constructor(given: GivenHashes) {
    const known = new Set(getHashes())
    const named = [...given].map(([name, value]) => ({ name, given: value, algorithm: algorithmOf(name) }))
    this.unknown = named.filter(({ algorithm }) => !known.has(algorithm)).map(({ name }) => name)
    this.#running = named
      .filter(({ algorithm }) => known.has(algorithm))
      .map(({ name, given, algorithm }) => ({ name, given, hash: createHash(algorithm) }))
  }

  update(chunk: Uint8Array): void {
    for (const { hash } of this.#running) hash.update(chunk)
  }

  /** What is wrong; `undefined` when every hash is right. */
  verdict(): string | undefined {
    for (const { name, given, hash } of this.#running) {
      const found = hash.digest('hex')
      if (found !== given) return `its ${name} is ${found}, the dump says ${given}`
    }
    return undefined
  }
}

/** hashlib's names that OpenSSL writes otherwise. */
function algorithmOf(name: string): string {
  const folded = name.toLowerCase().replace(/^sha3_/, 'sha3-')
  return { blake2b: 'blake2b512', blake2s: 'blake2s256' }[folded] ?? folded
}

async function* pieces(handle: FileHandle, start: number, end: number, chunkBytes: number): AsyncGenerator<Uint8Array> {
  let position = start
  while (position < end) {
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, end - position))
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
    if (bytesRead === 0) throw new Error(`Cannot read on: the file ended at byte ${position} of ${end}`)
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

async function lstatIfThere(path: string) {
  try {
    return await lstat(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined
    throw error
  }
}

function refused(relpath: string, why: string): Problem {
  return new Problem('file-invalid', `Cannot read ${JSON.stringify(relpath)}: ${why}`)
}
