/**
 * What `devpi-export` writes, versions 1 and 2: a folder of files, and `dataindex.json` that says what they are.
 * Read as a stream, entry by entry: of a large server that file has hundreds of megabytes.
 */
import { JSONParser, TokenType } from '@streamparser/json'
import { Problem } from '../../model/errors.ts'
import { openDumpFile } from './dump-file.ts'

export const DUMP_INDEX = 'dataindex.json'

/** Something in a dump, in the order of the file. What `value` is made of nobody has checked yet. */
export type DumpEntry =
  | { readonly what: 'version'; readonly value: unknown }
  | { readonly what: 'user'; readonly name: string; readonly value: unknown }
  | { readonly what: 'group'; readonly name: string; readonly value: unknown }
  /** `value` is its `indexconfig`. */
  | { readonly what: 'index'; readonly name: string; readonly value: unknown }
  /** `value` is the metadata registered for it. */
  | {
      readonly what: 'release'
      readonly index: string
      readonly project: string
      readonly version: string
      readonly value: unknown
    }
  | { readonly what: 'file'; readonly index: string; readonly value: unknown }
  /** `value` is the project's status. Ours: devpi passes over the key. */
  | { readonly what: 'status'; readonly index: string; readonly project: string; readonly value: unknown }

/** One entry may be as long: a release whose description fills its upload field has a few megabytes. */
const ENTRY_BYTES_MOST = 64 * 1024 * 1024
/** Objects and lists within each other: a dump has six, and below them what users wrote (`custom_data`). */
const DEPTH_MOST = 100
const PATHS = [
  '$.dumpversion',
  '$.users.*',
  '$.groups.*',
  '$.indexes.*.indexconfig',
  '$.indexes.*.projects.*.*',
  '$.indexes.*.files.*',
  '$.indexes.*.statuses.*',
]

/**
 * Reads the whole of `dataindex.json`, telling `onRead` of its bytes as they are done with. Throws `file-invalid` where it is absent,
 * breaks off or is no such file.
 */
export async function* readDump(
  folder: string,
  readChunkBytes: number,
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<DumpEntry> {
  await using file = await openDumpFile(folder, DUMP_INDEX)
  let entries: DumpEntry[] = []
  let failure: unknown
  let bytesSinceEntry = 0
  const parser = new JSONParser({ paths: PATHS, keepStack: false })
  parser.onError = (error) => {
    failure ??= error
  }
  let depth = 0
  parser.onToken = ({ token }) => {
    if (token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET) depth++
    else if (token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET) depth--
    if (depth > DEPTH_MOST) throw broken(`it is nested deeper than ${DEPTH_MOST} levels`)
  }
  parser.onValue = ({ value, key, stack }) => {
    try {
      entries.push(entryOf([...stack.slice(1).map((each) => each.key), key], value))
    } catch (error) {
      failure ??= error
    }
  }
  const check = () => {
    if (failure instanceof Problem) throw failure
    if (failure !== undefined) throw broken((failure as Error).message, failure)
    if (bytesSinceEntry > ENTRY_BYTES_MOST) throw broken(`an entry has more than ${ENTRY_BYTES_MOST} bytes`)
  }
  for await (const chunk of file.read({ start: 0, end: Number.POSITIVE_INFINITY }, readChunkBytes)) {
    parser.write(chunk)
    bytesSinceEntry = entries.length > 0 ? 0 : bytesSinceEntry + chunk.length
    check()
    yield* entries
    entries = []
    onRead(chunk.length)
  }
  if (!parser.isEnded) parser.end()
  check()
  if (!parser.isEnded) throw broken('it breaks off before its end')
}

function entryOf(path: readonly (string | number | undefined)[], value: unknown): DumpEntry {
  const [part, name, kind, project, version] = path
  if (part === 'dumpversion') return { what: 'version', value }
  if (typeof name !== 'string') throw broken(`its "${part}" is a list and must be an object`)
  if (part === 'users') return { what: 'user', name, value }
  if (part === 'groups') return { what: 'group', name, value }
  if (kind === 'indexconfig') return { what: 'index', name, value }
  if (kind === 'files') return { what: 'file', index: name, value }
  if (kind === 'statuses' && typeof project === 'string') return { what: 'status', index: name, project, value }
  if (typeof project === 'string' && typeof version === 'string') {
    return { what: 'release', index: name, project, version, value }
  }
  throw broken(`the projects of "${name}" are a list and must be an object`)
}

function broken(why: string, cause?: unknown): Problem {
  return new Problem('file-invalid', `Cannot read ${DUMP_INDEX}: ${why}`, {
    hint: 'export again, or name the folder that devpi-export wrote',
    ...(cause !== undefined && { cause }),
  })
}
