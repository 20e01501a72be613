/** Reads a file in the ways of clients, and checks the result of each. */
import type { Exchange, Reply } from './exchange.ts'
import type { Lane } from './lane.ts'

/** What an answer says of the file: all of it came and is right, a part that was asked for, something else, or nothing. */
export type Verdict = 'whole' | 'part' | 'wrong' | 'nothing'

export interface FileAsked {
  readonly url: string
  readonly sha256: string
  readonly bytes: () => Buffer
  /** The sha256 of its metadata file, where there is one. */
  readonly metadata?: string | undefined
}

interface Way {
  readonly name: string
  readonly weight: number
  readonly ending?: string
  readonly exchange: (file: FileAsked, lane: Lane) => Exchange
  readonly judge: (reply: Reply, file: FileAsked) => Verdict
}

const WAYS: readonly Way[] = [
  { name: 'get file', weight: 60, exchange: () => ({}), judge: whole },
  {
    name: 'get range',
    weight: 15,
    exchange: (file, { chance }) => {
      const { length } = file.bytes()
      const start = chance.int(0, length - 1)
      const last = chance.int(start, length - 1)
      return { headers: { range: chance.is(0.3) ? `bytes=${start}-` : `bytes=${start}-${last}` } }
    },
    judge: (reply, file) => (reply.status === 206 ? part(reply, file) : whole(reply, file)),
  },
  {
    name: 'head file',
    weight: 10,
    exchange: () => ({ method: 'HEAD' }),
    judge: ({ status, headers }, file) => {
      if (status !== 200) return 'nothing'
      return headers['content-length'] === String(file.bytes().length) ? 'part' : 'wrong'
    },
  },
  {
    name: 'hang up in file',
    weight: 8,
    exchange: (_file, { chance }) => ({ readOnlyBytes: chance.int(1, 5000) }),
    judge: ({ status, bytes }, file) => {
      if (status !== 200) return 'nothing'
      return bytes.equals(file.bytes().subarray(0, bytes.length)) ? 'part' : 'wrong'
    },
  },
  {
    name: 'get file if changed',
    weight: 5,
    exchange: ({ sha256 }) => ({ headers: { 'if-none-match': `"${sha256}"` } }),
    judge: (reply, file) => (reply.status === 304 ? 'part' : whole(reply, file)),
  },
]
const METADATA: Way = {
  name: 'get metadata',
  weight: 0,
  ending: '.metadata',
  exchange: () => ({}),
  judge: ({ status, isComplete, sha256 }, { metadata }) => {
    if (status !== 200 || !isComplete) return 'nothing'
    return sha256 === metadata ? 'part' : 'wrong'
  },
}

/** Asks in one of the ways. `mayBreak`: an answer that breaks off is none to complain of. */
export async function readFile(lane: Lane, file: FileAsked, mayBreak: boolean) {
  const { chance, ground } = lane
  const way = file.metadata !== undefined && chance.is(0.3) ? METADATA : chance.weighted(WAYS)
  const path = file.url + (way.ending ?? '')
  const answer = await ground.ask(way.name, path, way.exchange(file, lane), mayBreak)
  const verdict = way.judge(answer, file)
  if (verdict === 'wrong') ground.wrong(way.name, path, answer, 'other bytes than the right ones')
  return { what: way.name, path, answer, verdict }
}

function whole({ status, isComplete, sha256 }: Reply, file: FileAsked): Verdict {
  if (status !== 200 || !isComplete) return 'nothing'
  return sha256 === file.sha256 ? 'whole' : 'wrong'
}

function part({ headers, bytes, isComplete }: Reply, file: FileAsked): Verdict {
  const said = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '')
  const all = file.bytes()
  if (said === null || Number(said[3]) !== all.length) return 'wrong'
  if (!isComplete) return 'nothing'
  return bytes.equals(all.subarray(Number(said[1]), Number(said[2]) + 1)) ? 'part' : 'wrong'
}
