/** Load on one server, and what it cost it. */
import { type Counted, getRequest, type Load, makeLoad } from '../load/load.ts'
import type { Peer } from '../peers/peer.ts'
import { cpuMs } from '../peers/process-figures.ts'
import type { Target } from './scenario.ts'

/** One round of one server. */
export interface Sample {
  readonly perSecond: number
  /** Of the server, all its processes together. */
  readonly perCpuSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the body of one answer, over the wire. */
  readonly bodyBytes: number
  /** The generator was at its own limit: the server can do more in a second than was counted. */
  readonly isGeneratorBusy: boolean
}

/** Of a core, above which the generator may hold the server back. */
const BUSY = 0.9
/** Of the time that is measured, before it. */
const WARM_UP = 0.4

/** Asks for `target` over `connections`, a while to warm up and then for so many seconds. */
export async function measureGets(
  peer: Peer,
  { path, headers, status }: Target,
  { connections, seconds }: { readonly connections: number; readonly seconds: number },
): Promise<Sample> {
  const requests = [getRequest(peer.port, path, headers)]
  const load = { port: peer.port, connections, requests, mostSeconds: 0, status }
  await makeLoad({ ...load, seconds: seconds * WARM_UP })
  return await measure(peer, { ...load, seconds })
}

/** Throws when an answer has another status than it should. */
export async function measure({ pid }: Peer, load: Load): Promise<Sample> {
  const before = await cpuMs(pid)
  const counted = await makeLoad(load)
  const cpu = (await cpuMs(pid)) - before
  if (counted.refused > 0) throw new Error(`${counted.refused} of ${counted.answers} answers were refusals`)
  return sampleOf(counted, cpu)
}

function sampleOf({ answers, ms, bytes, cpuMs: own, p50Ms, p99Ms }: Counted, cpu: number): Sample {
  return {
    perSecond: (answers / ms) * 1000,
    // The kernel counts in steps of 10 ms: less than one step is taken for one.
    perCpuSecond: (answers / Math.max(cpu, 10)) * 1000,
    p50Ms,
    p99Ms,
    bodyBytes: bytes / answers,
    isGeneratorBusy: own / ms > BUSY,
  }
}
