/** Load from a process of its own, on a core of its own. */
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { own } from '../../test/programs/owned-processes.ts'

export interface Load {
  readonly port: number
  readonly connections: number
  /** Whole requests, head and body. For so many `seconds` from the first again and again; each once where none are told. */
  readonly requests: readonly Buffer[]
  readonly seconds?: number
  /** How long a load without `seconds` may take. */
  readonly mostSeconds: number
  /** What every answer should have; others are counted as refused. */
  readonly status: number
}

export interface Counted {
  readonly answers: number
  /** Of bodies, as they came over the wire. */
  readonly bytes: number
  /** Answers with another status than the one expected. */
  readonly refused: number
  /** Connections that the server ended. */
  readonly reconnected: number
  readonly ms: number
  /** Of the generator itself: near `ms` it is the generator that limits what is counted by the clock. */
  readonly cpuMs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** The core that the load is on; servers are on the other. */
const LOAD_CORE = '1'

/** Makes the load and counts. Throws when the server cannot be reached, or answers what is not HTTP. */
export async function makeLoad(load: Load): Promise<Counted> {
  const child = fork(join(import.meta.dirname, 'generator.ts'), {
    serialization: 'advanced',
    execPath: 'taskset',
    execArgv: ['-c', LOAD_CORE, process.execPath],
  })
  const disown = own(() => child.kill('SIGKILL'))
  try {
    child.send(load)
    const told = await new Promise<Counted | { readonly failed: string }>((resolve, reject) => {
      child.once('message', resolve)
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`Cannot make load: the generator ended with code ${code}`)))
    })
    if ('failed' in told) throw new Error(`Cannot make load on port ${load.port}: ${told.failed}`)
    return told
  } finally {
    disown()
    child.kill('SIGKILL')
  }
}

/** A GET as it goes over the wire, on a connection that stays. */
export function getRequest(port: number, path: string, headers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines.join('')}\r\n`)
}
