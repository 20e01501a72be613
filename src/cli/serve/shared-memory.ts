/** The memory that the workers of one server share, made once, by the thread that starts them. */
import { SharedHolds } from '../../blob/shared-holds.ts'
import { SharedCounters } from '../../catalog/shared-counters.ts'
import type { Config } from '../../config/load.ts'
import type { SharedMemory } from '../server-commands.ts'

/** Worker 0's part of it; nothing for a server of one worker. */
export function sharedMemory({ workers }: Config): { readonly shared?: SharedMemory } {
  if (workers === 1) return {}
  return { shared: { worker: 0, counters: new SharedCounters().buffer, holds: SharedHolds.memory(workers) } }
}
