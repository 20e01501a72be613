/** Builds a list from a file of sorted names: adds the compressed bytes for clients, and reuses unchanged parts. */
import { createHash } from 'node:crypto'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { syncFile } from '../lib/durable.ts'
import { compressPiece, GzipSum, type Piece, type PieceFacts } from '../lib/gzip-pieces.ts'
import type { ProjectName } from '../pep/name.ts'
import { BatchReader, type ListedBatches, type ListedName } from './name-batches.ts'
import {
  FORM_NAMES,
  type FormName,
  hasNumbers,
  LIST_FORMS,
  type ListIndex,
  type ListPiece,
  listedNames,
  type NameList,
  readLines,
  writtenEntry,
  writtenLine,
  writtenTrailer,
} from './name-list.ts'

export interface FinishOptions {
  /** The list that will be replaced. */
  readonly before: NameList | undefined
  readonly nowMs: number
  /** The number for names that are new or have changed, asked for once, when there are any. */
  readonly stamp: () => Promise<number>
}

export interface Finished {
  readonly now: ListIndex
  /** Names or numbers. */
  readonly isChanged: boolean
}

/**
 * Makes a list of the file of sorted lines at `path`, synced to disk. Where `before` has the very same names and numbers
 * the file is left as it is, and `now` is `before`'s index.
 */
export async function finishList(path: string, { before, nowMs, stamp }: FinishOptions): Promise<Finished> {
  const old = await before?.index()
  if (old !== undefined && (await isSame(path, before!, nowMs))) return { now: old, isChanged: false }
  await numberNames(path, before, await stamp(), nowMs)
  await using handle = await open(path, 'r+')
  const { parts, ...facts } = await outline(handle)
  const oldPieces = (await before?.pieces()) ?? []
  const namesBytes = (await handle.stat()).size
  const written = parts.map((): Partial<Record<FormName, PieceFacts>> => ({}))
  const forms = { html: new GzipSum(), json: new GzipSum(), own: new GzipSum(), strings: new GzipSum() }
  let at = namesBytes
  for (const form of FORM_NAMES) {
    const kept = old === undefined ? new Map<string, Kept>() : places(before!, old, oldPieces, form)
    for (const [place, part] of parts.entries()) {
      const same = kept.get(digestIn(form, part))
      const piece = same === undefined ? await made(handle, part, form, place === 0) : await copied(before!, same)
      await handle.write(piece.bytes, 0, piece.sizeBytes, at)
      at += piece.sizeBytes
      forms[form].add(piece)
      const { bytes: _written, ...rest } = piece
      written[place]![form] = rest
    }
  }
  const pieces = parts.map(({ at: _at, ...part }, place): ListPiece => {
    return { ...part, forms: written[place] as ListPiece['forms'] }
  })
  const now: ListIndex = {
    ...facts,
    changedMs: old?.id === facts.id ? old.changedMs : nowMs,
    listedMs: nowMs,
    forms: { html: { ...forms.html }, json: { ...forms.json }, own: { ...forms.own }, strings: { ...forms.strings } },
  }
  const told = [pieces, now].map((each) => Buffer.from(JSON.stringify(each)))
  const trailer = writtenTrailer({ namesBytes, piecesAt: at, indexAt: at + told[0]!.length })
  const end = Buffer.concat([...told, trailer])
  await handle.write(end, 0, end.length, at)
  await syncFile(handle.fd, path)
  return { now, isChanged: true }
}

/** Text of names in a form, as it stands in the middle of a list. */
export function written(form: FormName, names: readonly ListedName[], isFirst: boolean): Buffer {
  const { separator } = LIST_FORMS[form]
  const text = names.map((each) => writtenEntry(form, each)).join(separator)
  return Buffer.from(isFirst ? text : separator + text)
}

/**
 * Where upstream tells no numbers, a name's own is renewed when it is older than this: nobody knows what has changed, so
 * whoever copies the index looks at every project once a day.
 */
export const UNTOLD_MS = 24 * 3600 * 1000

/**
 * A name whose sum is divisible by this begins a piece: so a piece has some 4,000 names, and a name that comes or goes
 * changes one piece, wherever it stands.
 */
const PIECE_NAMES = 4096
/** No piece is longer, whatever the names: it is held in memory. */
const PIECE_NAMES_MOST = 16_384

type Part = Omit<ListPiece, 'forms'> & { readonly at: number }

/** Whether the sorted lines say nothing that `before` does not have. */
async function isSame(path: string, before: NameList, nowMs: number): Promise<boolean> {
  await using handle = await open(path, 'r')
  const lines = new BatchReader(readLines(handle))
  const old = new BatchReader(before.listed())
  try {
    await lines.fill()
    await old.fill()
    while (lines.head !== undefined) {
      const [name, upstream] = told(lines.head)
      if (old.head?.name !== name || !isCurrent(old.head, upstream, nowMs)) return false
      if (!lines.advance()) await lines.fill()
      if (!old.advance()) await old.fill()
    }
    return old.head === undefined
  } finally {
    await lines.close()
    await old.close()
  }
}

/** Puts a number behind each name: the one it had, where nothing tells that it has changed. */
async function numberNames(path: string, before: NameList | undefined, stamp: number, nowMs: number): Promise<void> {
  const numbered = `${path}.numbered`
  const old = new BatchReader(before?.listed() ?? none())
  await using sorted = await open(path, 'r')
  await using handle = await open(numbered, 'wx')
  try {
    await old.fill()
    for await (const lines of readLines(sorted)) {
      let text = ''
      for (const line of lines) {
        const [name, upstream] = told(line)
        while (old.head !== undefined && old.head.name < name) if (!old.advance()) await old.fill()
        const kept = old.head?.name === name && isCurrent(old.head, upstream, nowMs) ? old.head.own : undefined
        text += `${writtenLine({ name, own: kept ?? stamp, ...(upstream !== undefined && { upstream }) })}\n`
      }
      await handle.write(text)
    }
  } finally {
    await old.close()
  }
  await rename(numbered, path)
}

function isCurrent(old: ListedName, upstream: number | undefined, nowMs: number): boolean {
  return upstream === undefined && old.upstream === undefined ? nowMs - old.own < UNTOLD_MS : upstream === old.upstream
}

/** Of a line of sorted names. */
function told(line: string): readonly [ProjectName, number | undefined] {
  const [name, upstream] = line.split(' ')
  return [name as ProjectName, upstream === undefined ? undefined : Number(upstream)]
}

async function* none(): AsyncGenerator<never> {}

async function outline(
  handle: FileHandle,
): Promise<Omit<ListIndex, 'forms' | 'changedMs' | 'listedMs'> & { parts: Part[] }> {
  const parts: Part[] = []
  const whole = createHash('sha256')
  const listed = createHash('sha256')
  let count = 0
  let at = 0
  let lastOwn = 0
  let lastUpstream = -1
  for await (const names of cutIntoPieces(listedNames(handle))) {
    const lines = Buffer.from(`${names.map(writtenLine).join('\n')}\n`)
    const plain = Buffer.from(`${names.map((each) => each.name).join('\n')}\n`)
    whole.update(plain)
    listed.update(lines)
    const place = parts.length === 0 ? 'first' : 'later'
    const digest = createHash('sha256').update(place).update(plain).digest('hex')
    const listedDigest = createHash('sha256').update(place).update(lines).digest('hex')
    parts.push({ first: names[0]!.name, digest, listedDigest, at, namesBytes: lines.length })
    for (const { own, upstream } of names) {
      lastOwn = Math.max(lastOwn, own)
      lastUpstream = Math.max(lastUpstream, upstream ?? -1)
    }
    at += lines.length
    count += names.length
  }
  return {
    id: whole.digest('hex'),
    listedId: listed.digest('hex'),
    count,
    lastOwn,
    ...(lastUpstream >= 0 && { lastUpstream }),
    parts,
  }
}

async function* cutIntoPieces(batches: ListedBatches): AsyncGenerator<readonly ListedName[]> {
  let piece: ListedName[] = []
  for await (const batch of batches) {
    for (const each of batch) {
      if (piece.length > 0 && (crc32(each.name) % PIECE_NAMES === 0 || piece.length === PIECE_NAMES_MOST)) {
        yield piece
        piece = []
      }
      piece.push(each)
    }
  }
  if (piece.length > 0) yield piece
}

function digestIn(form: FormName, piece: Pick<ListPiece, 'digest' | 'listedDigest'>): string {
  return hasNumbers(form) ? piece.listedDigest : piece.digest
}

interface Kept {
  readonly at: number
  readonly facts: PieceFacts
}

/** Where the pieces of a form lie in a list, by their digest. */
function places(list: NameList, index: ListIndex, pieces: readonly ListPiece[], form: FormName): Map<string, Kept> {
  const found = new Map<string, Kept>()
  let at = list.formAt(index, form)
  for (const piece of pieces) {
    const facts = piece.forms[form]
    found.set(digestIn(form, piece), { at, facts })
    at += facts.sizeBytes
  }
  return found
}

async function copied(list: NameList, { at, facts }: Kept): Promise<Piece> {
  return { ...facts, bytes: Buffer.concat(await Array.fromAsync(list.bytes(at, at + facts.sizeBytes))) }
}

async function made(handle: FileHandle, part: Part, form: FormName, isFirst: boolean): Promise<Piece> {
  const names = (await Array.fromAsync(listedNames(handle, part.at, part.at + part.namesBytes))).flat()
  return await compressPiece(written(form, names, isFirst))
}
