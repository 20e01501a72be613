/** Where advisories come from: OSV's zips with a JSON file for each record, folders of such files, single records. */
import { type FileHandle, open, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArchiveSource } from '../../archive/source.ts'
import { listZipMembers, readZipMember } from '../../archive/zip-members.ts'
import { collect } from '../../lib/streams.ts'
import type { Limits } from '../../model/limits.ts'

export interface AdvisorySource {
  /** For messages: the file, and in a zip its member. */
  readonly name: string
  /** Throws what reading throws, and `TooLong`. */
  text(): Promise<string>
}

/** In no particular order. Throws for a file that is not there, and `ArchiveError` for a zip that cannot be read. */
export async function* advisorySources(path: string, limits: Limits): AsyncGenerator<AdvisorySource> {
  await using file = await open(path, 'r')
  const found = await file.stat()
  if (found.isDirectory()) yield* inFolder(path, limits)
  else if (await isZip(file)) yield* inZip(path, fileSource(file, found.size), limits)
  else yield jsonFile(path, limits)
}

async function* inFolder(folder: string, limits: Limits): AsyncGenerator<AdvisorySource> {
  for await (const entry of await opendir(folder, { recursive: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    if (entry.name.endsWith('.zip')) yield* advisorySources(path, limits)
    else if (entry.name.endsWith('.json')) yield jsonFile(path, limits)
  }
}

async function* inZip(path: string, source: ArchiveSource, limits: Limits): AsyncGenerator<AdvisorySource> {
  // A record that is too large is told with its name when it is read.
  const bounds = { members: limits.advisoryMembers, memberBytes: Number.POSITIVE_INFINITY }
  const { members, faults } = await listZipMembers(source, bounds)
  for (const fault of faults) {
    yield { name: path, text: () => Promise.reject(new SyntaxError(fault)) }
  }
  for (const [name, member] of members) {
    if (!name.endsWith('.json')) continue
    yield { name: `${path}: ${name}`, text: () => text(readZipMember(source, member), limits) }
  }
}

function jsonFile(path: string, limits: Limits): AdvisorySource {
  return {
    name: path,
    text: async () => {
      await using file = await open(path, 'r')
      return await text(file.createReadStream({ autoClose: false }), limits)
    },
  }
}

async function text(bytes: AsyncIterable<Uint8Array>, { advisoryBytes }: Limits): Promise<string> {
  return (await collect(bytes, advisoryBytes)).toString('utf8')
}

async function isZip(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
  return bytesRead === 4 && ['PK\x03\x04', 'PK\x05\x06'].includes(buffer.toString('latin1'))
}

const CHUNK_BYTES = 256 * 1024

function fileSource(file: FileHandle, size: number): ArchiveSource {
  return {
    size,
    async *read(start, end) {
      for (let at = start; at < end; ) {
        const { buffer, bytesRead } = await file.read(
          Buffer.alloc(Math.min(CHUNK_BYTES, end - at)),
          0,
          Math.min(CHUNK_BYTES, end - at),
          at,
        )
        if (bytesRead === 0) return
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    },
  }
}
