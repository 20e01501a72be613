/** Makes a list out of a file of sorted names: adds what clients are sent of them, and takes over what has not changed. */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { compressPiece, GzipSum, type Piece, type PieceFacts } from '../lib/gzip-pieces.ts'
import type { ProjectName } from '../pep/name.ts'
import type { ListForm } from '../pep/simple.ts'
import type { NameBatches } from './name-batches.ts'
import {
  FORM_NAMES,
  type FormName,
  LIST_FORMS,
  type ListIndex,
  type ListPiece,
  type NameList,
  readNames,
  writtenTrailer,
} from './name-list.ts'

export interface FinishOptions {
  /** The list that will be replaced. */
  readonly before: NameList | undefined
  readonly nowMs: number
}

export interface Finished {
  readonly now: ListIndex
  readonly isChanged: boolean
}

/**
 * Finishes the file of sorted names at `path`, synced to disk. Where `before` has the very same names the file is left as
 * it is, and `now` is `before`'s index.
 */
export async function finishList(path: string, { before, nowMs }: FinishOptions): Promise<Finished> {
  await using handle = await open(path, 'r+')
  const { id, count, parts } = await outline(handle)
  const old = await before?.index()
  if (old?.id === id) return { now: old, isChanged: false }
  const oldPieces = (await before?.pieces()) ?? []
  const namesBytes = (await handle.stat()).size
  const facts = parts.map((): Partial<Record<FormName, PieceFacts>> => ({}))
  const forms = { html: new GzipSum(), json: new GzipSum(), strings: new GzipSum() }
  let at = namesBytes
  for (const form of FORM_NAMES) {
    const kept = old === undefined ? new Map<string, Kept>() : places(before!, old, oldPieces, form)
    for (const [place, part] of parts.entries()) {
      const same = kept.get(part.digest)
      const piece =
        same === undefined ? await made(handle, part, LIST_FORMS[form], place === 0) : await copied(before!, same)
      await handle.write(piece.bytes, 0, piece.sizeBytes, at)
      at += piece.sizeBytes
      forms[form].add(piece)
      const { bytes: _written, ...rest } = piece
      facts[place]![form] = rest
    }
  }
  const pieces = parts.map(
    ({ first, digest, namesBytes }, place): ListPiece => ({
      first,
      digest,
      namesBytes,
      forms: facts[place] as ListPiece['forms'],
    }),
  )
  const now: ListIndex = {
    id,
    count,
    changedMs: nowMs,
    forms: { html: { ...forms.html }, json: { ...forms.json }, strings: { ...forms.strings } },
  }
  const told = [pieces, now].map((each) => Buffer.from(JSON.stringify(each)))
  const trailer = writtenTrailer({ namesBytes, piecesAt: at, indexAt: at + told[0]!.length })
  const end = Buffer.concat([...told, trailer])
  await handle.write(end, 0, end.length, at)
  await handle.sync()
  return { now, isChanged: true }
}

/** Text of names in a form, as it stands in the middle of a list. */
export function written(form: ListForm, names: readonly ProjectName[], isFirst: boolean): Buffer {
  const text = names.map((name) => form.entry(name)).join(form.separator)
  return Buffer.from(isFirst ? text : form.separator + text)
}

/**
 * A name whose sum is divisible by this begins a piece: so a piece has some 4,000 names, and a name that comes or goes
 * changes one piece, wherever it stands.
 */
const PIECE_NAMES = 4096
/** No piece is longer, whatever the names: it is held in memory. */
const PIECE_NAMES_MOST = 16_384

interface Part {
  readonly first: ProjectName
  readonly digest: string
  readonly at: number
  readonly namesBytes: number
}

async function outline(handle: FileHandle): Promise<{ id: string; count: number; parts: Part[] }> {
  const parts: Part[] = []
  const whole = createHash('sha256')
  let count = 0
  let at = 0
  for await (const names of cutIntoPieces(readNames(handle))) {
    const lines = Buffer.from(`${names.join('\n')}\n`)
    whole.update(lines)
    const place = parts.length === 0 ? 'first' : 'later'
    const digest = createHash('sha256').update(place).update(lines).digest('hex')
    parts.push({ first: names[0]!, digest, at, namesBytes: lines.length })
    at += lines.length
    count += names.length
  }
  return { id: whole.digest('hex'), count, parts }
}

async function* cutIntoPieces(batches: NameBatches): AsyncGenerator<readonly ProjectName[]> {
  let piece: ProjectName[] = []
  for await (const batch of batches) {
    for (const name of batch) {
      if (piece.length > 0 && (crc32(name) % PIECE_NAMES === 0 || piece.length === PIECE_NAMES_MOST)) {
        yield piece
        piece = []
      }
      piece.push(name)
    }
  }
  if (piece.length > 0) yield piece
}

interface Kept {
  readonly at: number
  readonly facts: PieceFacts
}

/** Where the pieces of a form lie in a list, by their digest. */
function places(list: NameList, index: ListIndex, pieces: readonly ListPiece[], form: FormName): Map<string, Kept> {
  const found = new Map<string, Kept>()
  let at = list.formAt(index, form)
  for (const { digest, forms } of pieces) {
    found.set(digest, { at, facts: forms[form] })
    at += forms[form].sizeBytes
  }
  return found
}

async function copied(list: NameList, { at, facts }: Kept): Promise<Piece> {
  return { ...facts, bytes: Buffer.concat(await Array.fromAsync(list.bytes(at, at + facts.sizeBytes))) }
}

async function made(handle: FileHandle, part: Part, form: ListForm, isFirst: boolean): Promise<Piece> {
  const names = (await Array.fromAsync(readNames(handle, part.at, part.at + part.namesBytes))).flat()
  return await compressPiece(written(form, names, isFirst))
}
