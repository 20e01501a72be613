/** The start data of a further worker: a plain value, because threads accept no other. */
import type { Config } from '../../config/load.ts'
import type { SharedMemory } from '../server-commands.ts'
import type { Address } from './listen.ts'

export interface WorkerSeat {
  readonly config: Omit<Config, 'outsideUrl'> & { readonly outsideUrl?: string }
  readonly shared: SharedMemory
  /** Where worker 0 listens. */
  readonly addresses: readonly Address[]
  /** As log lines are written: where, in which form, and the lock for that. */
  readonly log: { readonly fd: number; readonly form: 'json' | 'readable'; readonly lock: SharedArrayBuffer }
}

/** The configuration as a thread can be given it, and as it is there. */
export function packConfig({ outsideUrl, ...config }: Config): WorkerSeat['config'] {
  return { ...config, ...(outsideUrl !== undefined && { outsideUrl: outsideUrl.href }) }
}

export function unpackConfig({ outsideUrl, ...config }: WorkerSeat['config']): Config {
  return { ...config, ...(outsideUrl !== undefined && { outsideUrl: new URL(outsideUrl) }) }
}
