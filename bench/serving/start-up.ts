/** How long servers take from their start to the first answer, and what memory they hold when nobody asks. */
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import type { Content } from '../content/content.ts'
import { SMALL } from '../content/wanted-files.ts'
import type { Peer, PeerKind } from '../peers/peer.ts'
import { memoryBytes } from '../peers/process-figures.ts'
import type { AmountResult, Failed } from './results.ts'

/** A server folder that is ready, and what it holds. */
export interface Ready {
  readonly kind: PeerKind
  readonly folder: string
  readonly content: Content | undefined
  readonly origin?: Peer
}

const MIB = 1024 * 1024
/** Until what a start leaves to be done is done. */
const REST_MS = 3_000

/** Starts each in turn, in every round. With content, the first answer is a project page. */
export async function measureStarts(
  files: number,
  all: readonly Ready[],
  rounds: number,
  say: (line: string) => void,
): Promise<AmountResult[]> {
  const title = `${files.toLocaleString('en-US')} files`
  const first = new Map<string, number[] | Failed>()
  const idle = new Map<string, number[] | Failed>()
  for (let round = 1; round <= rounds; round++) {
    for (const { kind, folder, content, origin } of all) {
      if (first.get(kind.name) !== undefined && 'failed' in first.get(kind.name)!) continue
      try {
        await using peer = await kind.start(folder, content, origin)
        const page = peer.page(SMALL, 'html', 'direct')
        const ms = peer.firstAnswerMs + (content === undefined ? 0 : await firstPage(peer, page!))
        await delay(REST_MS)
        add(first, kind.name, ms)
        add(idle, kind.name, (await memoryBytes(peer.pid)) / MIB)
        say(`round ${round}: start with ${title}: ${kind.name}: ${ms.toFixed(0)} ms`)
      } catch (error) {
        first.set(kind.name, { failed: String(error) })
        say(`start with ${title}: ${kind.name}: ${error}`)
      }
    }
  }
  return [
    { title: `Start to first answer, ${title}`, unit: 'ms', by: first },
    { title: `Memory idle, ${title}`, unit: 'MiB', by: idle },
  ]
}

/** Milliseconds. Logging in, which the benchmark does before, does not count. */
async function firstPage(peer: Peer, path: string): Promise<number> {
  const started = performance.now()
  const { statusCode, body } = await request(`http://127.0.0.1:${peer.port}${path}`, { headersTimeout: 0 })
  await body.dump({ limit: Number.MAX_SAFE_INTEGER })
  if (statusCode !== 200) throw new Error(`Cannot read ${path}: ${statusCode}`)
  return performance.now() - started
}

function add(to: Map<string, number[] | Failed>, name: string, value: number): void {
  const before = to.get(name)
  if (before === undefined) to.set(name, [value])
  else if (!('failed' in before)) before.push(value)
}
