/** A list of projects as a gzip stream of compressed pieces: the whole list, or merged with the names of other layers. */
import {
  compressPiece,
  GZIP_HEAD,
  GZIP_TAIL_BYTES,
  GzipSum,
  type Piece,
  type PieceFacts,
  storePiece,
} from '../lib/gzip-pieces.ts'
import type { ProjectName } from '../pep/name.ts'
import { written } from './list-writer.ts'
import { BatchReader, type ListedBatches, type ListedName, mergeListed } from './name-batches.ts'
import type { FormName, ListIndex, NameList } from './name-list.ts'

/** What stands before and behind the names. */
export interface ListFrame {
  readonly head: string
  readonly tail: string
}

export interface WholeList {
  /** Of the gzip stream. */
  readonly sizeBytes: number
  readonly plainBytes: number
  read(): AsyncGenerator<Buffer>
}

/** The list as it is. Names are not looked at: this costs what reading the bytes costs. */
export function wholeList(list: NameList, index: ListIndex, form: FormName, frame: ListFrame): WholeList {
  const [head, tail] = [storePiece(Buffer.from(frame.head)), storePiece(Buffer.from(frame.tail))]
  const sum = new GzipSum()
  for (const piece of [head, index.forms[form], tail]) sum.add(piece)
  return {
    sizeBytes: GZIP_HEAD.length + sum.sizeBytes + GZIP_TAIL_BYTES,
    plainBytes: sum.plainBytes,
    async *read() {
      yield Buffer.concat([GZIP_HEAD, head.bytes])
      yield* list.formBytes(index, form)
      yield Buffer.concat([tail.bytes, sum.end()])
    },
  }
}

/** The list with the names of `others` among its own, each once. Only pieces that get names are written anew. */
export async function* mergedList(
  list: NameList,
  index: ListIndex,
  form: FormName,
  frame: ListFrame,
  others: ListedBatches,
): AsyncGenerator<Buffer> {
  const sum = new GzipSum()
  const added = (piece: Piece) => {
    sum.add(piece)
    return piece.bytes
  }
  const reader = new BatchReader(others)
  try {
    await reader.fill()
    yield Buffer.concat([GZIP_HEAD, added(storePiece(Buffer.from(frame.head)))])
    let isFirst = true
    let namesAt = 0
    let at = 0
    let copyFrom = 0
    const own = await list.pieces()
    // Of a list without names the others are one piece.
    const pieces = own.length === 0 ? [NO_PIECE] : own
    for (const [place, { namesBytes, forms }] of pieces.entries()) {
      const end = pieces[place + 1]?.first
      const facts = forms[form]
      if (isBefore(reader, end)) {
        yield* list.formBytes(index, form, copyFrom, at)
        const here = list.listed(namesAt, namesAt + namesBytes)
        for await (const names of mergeListed([here, upTo(reader, end)])) {
          yield added(await compressPiece(written(form, names, isFirst)))
          isFirst = false
        }
        copyFrom = at + facts.sizeBytes
      } else {
        sum.add(facts)
        isFirst = false
      }
      at += facts.sizeBytes
      namesAt += namesBytes
    }
    yield* list.formBytes(index, form, copyFrom, at)
    const tail = added(storePiece(Buffer.from(frame.tail)))
    yield Buffer.concat([tail, sum.end()])
  } finally {
    await reader.close()
  }
}

const NOTHING: PieceFacts = { sizeBytes: 0, plainBytes: 0, crc: 0 }
const NO_PIECE = {
  first: undefined,
  namesBytes: 0,
  forms: { html: NOTHING, json: NOTHING, own: NOTHING, strings: NOTHING },
}
/** Names in one batch that is made here. */
const BATCH = 1000

function isBefore({ head }: BatchReader<ListedName>, end: ProjectName | undefined): boolean {
  return head !== undefined && (end === undefined || head.name < end)
}

async function* upTo(
  reader: BatchReader<ListedName>,
  end: ProjectName | undefined,
): AsyncGenerator<readonly ListedName[]> {
  while (isBefore(reader, end)) {
    const batch: ListedName[] = []
    while (batch.length < BATCH && isBefore(reader, end)) {
      batch.push(reader.head!)
      if (!reader.advance()) await reader.fill()
    }
    yield batch
  }
}
