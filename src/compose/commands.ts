import type { ServerCommands } from '../cli/server-commands.ts'

import { openServer } from './server.ts'
import { openStores, type Stores } from './stores.ts'
import { VERSION } from './version.ts'

export const serverCommands: ServerCommands<Stores> = {
  version: VERSION,
  openStores,
  openServer,
  workerProgram: new URL('../worker.ts', import.meta.url),
}
