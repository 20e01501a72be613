/**
 * The list of all projects of a mirror's upstream, in one file: the sorted names, and behind them what clients are sent of
 * them, compressed, in pieces. PyPI's holds 900,000 names: looking one up reads a few blocks, sending them all copies bytes,
 * so its size never counts in memory. A file is replaced as a whole; whoever has it open reads on in the old one.
 */
import { type FileHandle, open } from 'node:fs/promises'
import type { PieceFacts } from '../lib/gzip-pieces.ts'
import type { ProjectName } from '../pep/name.ts'
import type { ListForm } from '../pep/simple.ts'
import { HTML_LIST } from '../pep/simple-html.ts'
import { JSON_LIST } from '../pep/simple-json.ts'
import type { ListSections } from './list-sections.ts'
import type { ListedName } from './name-batches.ts'

/**
 * What a list is kept ready as, in the order in which they lie in the file. `json` has upstream's change numbers where it
 * tells them, `own` the server's; `strings` is devpi's: texts in a JSON list.
 */
export const FORM_NAMES = ['html', 'json', 'own', 'strings'] as const
export type FormName = (typeof FORM_NAMES)[number]

export const LIST_FORMS: Readonly<Record<FormName, ListForm>> = {
  html: HTML_LIST,
  json: JSON_LIST,
  own: JSON_LIST,
  strings: { head: '', separator: ',', tail: '', entry: (name) => `\n      ${JSON.stringify(name)}` },
}

/** Names that lie side by side, and what they are in each form. The first piece of a list begins without separator. */
export interface ListPiece {
  readonly first: ProjectName
  /** Of its names and its place (first or not), and the same with change numbers. */
  readonly digest: string
  readonly listedDigest: string
  readonly namesBytes: number
  readonly forms: Readonly<Record<FormName, PieceFacts>>
}

export interface ListIndex {
  /** The same where the names are the same: sha256 of them, one a line, in hex. */
  readonly id: string
  /** The same where the change numbers are the same, too. */
  readonly listedId: string
  readonly count: number
  /** Since when the names are these, ms since 1970. */
  readonly changedMs: number
  /** Since when the change numbers are these. */
  readonly listedMs: number
  /** The greatest. */
  readonly lastOwn: number
  readonly lastUpstream?: number
  /** All pieces together. */
  readonly forms: Readonly<Record<FormName, PieceFacts>>
}

export interface ListTrailer {
  readonly namesBytes: number
  /** Where the pieces are told, as a JSON list: in order, none for a list without names. */
  readonly piecesAt: number
  /** Where the index lies: up to the trailer. Apart from the pieces, because it is read for every request. */
  readonly indexAt: number
}

/** Read at a time when streaming: some thousand names. */
const CHUNK_BYTES = 16 * 1024
/** A name has at most 200 characters and its numbers 34, so a block this long holds a whole line from any place. */
const BLOCK_BYTES = 512
/** Raised when a form or the layout changes: a file of another version counts as none. */
const TRAILER = /^airlock-list 2 (\d{12}) (\d{12}) (\d{12})\n$/
const TRAILER_BYTES = 54

export class NameList implements AsyncDisposable {
  readonly #handle: FileHandle
  readonly #trailer: ReadTrailer
  readonly #sections: ListSections | undefined

  private constructor(handle: FileHandle, trailer: ReadTrailer, sections: ListSections | undefined) {
    this.#handle = handle
    this.#trailer = trailer
    this.#sections = sections
  }

  /** `undefined` where there is no list yet, or one of another version. `sections` keeps what is sent of it. */
  static async open(path: string, sections?: ListSections): Promise<NameList | undefined> {
    let handle: FileHandle
    try {
      handle = await open(path, 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    await using stack = new AsyncDisposableStack()
    stack.use(handle)
    const trailer = await readTrailer(handle)
    if (trailer === undefined) return undefined
    stack.move()
    return new NameList(handle, trailer, sections)
  }

  /** Of the names alone. */
  get namesBytes(): number {
    return this.#trailer.namesBytes
  }

  /** Binary search by bytes: the first line that begins at or after a place stands for the place. */
  async find(name: ProjectName): Promise<ListedName | undefined> {
    const block = Buffer.alloc(BLOCK_BYTES)
    const { namesBytes } = this
    let low = 0
    let high = namesBytes
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const from = Math.max(0, middle - 1)
      const { bytesRead } = await this.#handle.read(block, 0, Math.min(BLOCK_BYTES, namesBytes - from), from)
      const text = block.toString('latin1', 0, bytesRead)
      const begin = middle === 0 ? 0 : text.indexOf('\n') + 1
      const end = text.indexOf('\n', begin)
      const line = begin === 0 && middle !== 0 ? '' : text.slice(begin, end === -1 ? undefined : end)
      const found = nameOf(line)
      if (found === name) return listedName(line)
      if (found === '' || found > name) high = middle
      else low = from + end + 1
    }
    return undefined
  }

  /** Names in order: all, or those that lie in the bytes `from` to `to` (exclusive). */
  async *names(from = 0, to = this.namesBytes): AsyncGenerator<readonly ProjectName[]> {
    for await (const lines of readLines(this.#handle, from, to)) yield lines.map(nameOf)
  }

  /** As `names`, with change numbers. */
  listed(from = 0, to = this.namesBytes): AsyncGenerator<readonly ListedName[]> {
    return listedNames(this.#handle, from, to)
  }

  async index(): Promise<ListIndex> {
    return JSON.parse(await this.#text(this.#trailer.indexAt, this.#trailer.endAt)) as ListIndex
  }

  async pieces(): Promise<readonly ListPiece[]> {
    return JSON.parse(await this.#text(this.#trailer.piecesAt, this.#trailer.indexAt)) as ListPiece[]
  }

  /** Where the bytes of a form begin: behind the names and the forms before it. */
  formAt(index: ListIndex, form: FormName): number {
    const before = FORM_NAMES.slice(0, FORM_NAMES.indexOf(form))
    return before.reduce((at, each) => at + index.forms[each].sizeBytes, this.namesBytes)
  }

  /** Bytes `from` to `to` (exclusive) of a form: out of memory where they are kept there, else from the file in chunks. */
  async *formBytes(
    index: ListIndex,
    form: FormName,
    from = 0,
    to = index.forms[form].sizeBytes,
  ): AsyncGenerator<Buffer> {
    const at = this.formAt(index, form)
    const { sizeBytes } = index.forms[form]
    const key = `${idOf(index, form)} ${form}`
    const kept = await this.#sections?.get(key, sizeBytes, () => this.bytes(at, at + sizeBytes))
    if (kept === undefined) yield* this.bytes(at + from, at + to)
    else if (from < to) yield kept.subarray(from, to)
  }

  /** Bytes `from` to `to` (exclusive) of the file, in chunks. */
  async *bytes(from: number, to: number): AsyncGenerator<Buffer> {
    for (let at = from; at < to; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES * 4, to - at))
      const { bytesRead } = await this.#handle.read(chunk, 0, chunk.length, at)
      if (bytesRead === 0) throw new Error('Cannot read list of projects: its file is shorter than it says')
      yield chunk.subarray(0, bytesRead)
      at += bytesRead
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }

  async #text(from: number, to: number): Promise<string> {
    return Buffer.concat(await Array.fromAsync(this.bytes(from, to))).toString('latin1')
  }
}

/** What the bytes of a form are known by: the same where they are the same. */
export function idOf(index: ListIndex, form: FormName): string {
  return hasNumbers(form) ? index.listedId : index.id
}

export function hasNumbers(form: FormName): boolean {
  return form === 'json' || form === 'own'
}

/** One name in a form. */
export function writtenEntry(form: FormName, { name, own, upstream }: ListedName): string {
  return LIST_FORMS[form].entry(name, form === 'json' ? (upstream ?? own) : own)
}

/** A line of the file: the name, the server's number, and upstream's where it is known. */
export function writtenLine({ name, own, upstream }: ListedName): string {
  return upstream === undefined ? `${name} ${own}` : `${name} ${own} ${upstream}`
}

/** What stands at the end of the file. */
export function writtenTrailer({ namesBytes, piecesAt, indexAt }: ListTrailer): Buffer {
  const digits = [namesBytes, piecesAt, indexAt].map((place) => String(place).padStart(12, '0'))
  return Buffer.from(`airlock-list 2 ${digits.join(' ')}\n`)
}

/** The lines in the bytes `from` to `to` (exclusive) of an open file of names. */
export async function* readLines(
  handle: FileHandle,
  from = 0,
  to = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly string[]> {
  const buffer = Buffer.alloc(CHUNK_BYTES)
  let rest = ''
  for (let at = from; at < to; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(CHUNK_BYTES, to - at), at)
    if (bytesRead === 0) break
    at += bytesRead
    const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n')
    rest = lines.pop()!
    if (lines.length > 0) yield lines
  }
  if (rest !== '') yield [rest]
}

/** As `readLines`, each line read. */
export async function* listedNames(
  handle: FileHandle,
  from?: number,
  to?: number,
): AsyncGenerator<readonly ListedName[]> {
  for await (const lines of readLines(handle, from, to)) yield lines.map(listedName)
}

/** Of a line of the file. */
export function nameOf(line: string): ProjectName {
  const end = line.indexOf(' ')
  return (end === -1 ? line : line.slice(0, end)) as ProjectName
}

function listedName(line: string): ListedName {
  const [name, own, upstream] = line.split(' ')
  return {
    name: name as ProjectName,
    own: Number(own),
    ...(upstream !== undefined && { upstream: Number(upstream) }),
  }
}

interface ReadTrailer extends ListTrailer {
  readonly endAt: number
}

async function readTrailer(handle: FileHandle): Promise<ReadTrailer | undefined> {
  const endAt = (await handle.stat()).size - TRAILER_BYTES
  if (endAt < 0) return undefined
  const bytes = Buffer.alloc(TRAILER_BYTES)
  await handle.read(bytes, 0, TRAILER_BYTES, endAt)
  const match = TRAILER.exec(bytes.toString('latin1'))
  if (match === null) return undefined
  return { namesBytes: Number(match[1]), piecesAt: Number(match[2]), indexAt: Number(match[3]), endAt }
}
