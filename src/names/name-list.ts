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

/** What a list is kept ready as, in the order in which they lie in the file. `strings` is devpi's: texts in a JSON list. */
export const FORM_NAMES = ['html', 'json', 'strings'] as const
export type FormName = (typeof FORM_NAMES)[number]

export const LIST_FORMS: Readonly<Record<FormName, ListForm>> = {
  html: HTML_LIST,
  json: JSON_LIST,
  strings: { head: '', separator: ',', tail: '', entry: (name) => `\n      ${JSON.stringify(name)}` },
}

/** Names that lie side by side, and what they are in each form. The first piece of a list begins without separator. */
export interface ListPiece {
  readonly first: ProjectName
  /** Of its names and its place (first or not). */
  readonly digest: string
  readonly namesBytes: number
  readonly forms: Readonly<Record<FormName, PieceFacts>>
}

export interface ListIndex {
  /** The same where the names are the same: sha256 of their lines, in hex. */
  readonly id: string
  readonly count: number
  /** Since when the names are these, ms since 1970. */
  readonly changedMs: number
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
/** A name has at most 200 characters, so a block this long holds a whole line from any place. */
const BLOCK_BYTES = 512
/** Raised when a form or the layout changes: a file of another version counts as none. */
const TRAILER = /^airlock-list 1 (\d{12}) (\d{12}) (\d{12})\n$/
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
  async has(name: ProjectName): Promise<boolean> {
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
      const found = begin === 0 && middle !== 0 ? undefined : text.slice(begin, end === -1 ? undefined : end)
      if (found === name) return true
      if (found === undefined || found === '' || found > name) high = middle
      else low = from + end + 1
    }
    return false
  }

  /** Names in order: all, or those that lie in the bytes `from` to `to` (exclusive). */
  names(from = 0, to = this.namesBytes): AsyncGenerator<readonly ProjectName[]> {
    return readNames(this.#handle, from, to)
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
    const key = `${index.id} ${form}`
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

/** What stands at the end of the file. */
export function writtenTrailer({ namesBytes, piecesAt, indexAt }: ListTrailer): Buffer {
  const digits = [namesBytes, piecesAt, indexAt].map((place) => String(place).padStart(12, '0'))
  return Buffer.from(`airlock-list 1 ${digits.join(' ')}\n`)
}

/** The names in the bytes `from` to `to` (exclusive) of an open file of names. */
export async function* readNames(
  handle: FileHandle,
  from = 0,
  to = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly ProjectName[]> {
  const buffer = Buffer.alloc(CHUNK_BYTES)
  let rest = ''
  for (let at = from; at < to; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(CHUNK_BYTES, to - at), at)
    if (bytesRead === 0) break
    at += bytesRead
    const names = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n')
    rest = names.pop()!
    if (names.length > 0) yield names as ProjectName[]
  }
  if (rest !== '') yield [rest as ProjectName]
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
