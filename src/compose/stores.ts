/** Server folder → stores: catalog, blobs, users and passwords, opened for a server or for a command. */
import { pathToFileURL } from 'node:url'
import { createFirstAccounts } from '../accounts/first-accounts.ts'
import { Passwords } from '../accounts/login/passwords.ts'
import { Users } from '../accounts/users.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import { SharedHolds } from '../blob/shared-holds.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { SharedCounters } from '../catalog/shared-counters.ts'
import { SqliteCatalog } from '../catalog/sqlite/sqlite.ts'
import type { SharedMemory } from '../cli/server-commands.ts'
import type { Config } from '../config/load.ts'
import { DEFAULT_UPSTREAM_PAGES } from '../config/settings.ts'
import { type Identity, ServerFolder } from '../folder/server-folder.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { mayUnder } from '../model/access.ts'
import { Problem } from '../model/errors.ts'
import { openBlobs } from './blob-stores.ts'

/** The stores of a server folder, opened. */
export interface Stores extends AsyncDisposable {
  readonly folder: ServerFolder
  readonly identity: Identity
  readonly catalog: Catalog
  readonly blobs: BlobStore
  readonly passwords: Passwords
  readonly users: Users
  /** Where the server has several workers. */
  readonly shared?: SharedMemory
}

/**
 * Opens the folder; with `initialise`, one that is new is made ready. `undefined` when it is not initialised and should
 * not be. With `alone`, no other process may have it open, and what a crash left unfinished is cleared away. With `shared`,
 * other workers of this process have it open as well.
 */
export async function openStores(
  config: Config,
  options: { readonly initialise: boolean; readonly alone: boolean; readonly shared?: SharedMemory },
  clock: Clock = systemClock,
): Promise<Stores | undefined> {
  refuseNoHash(config.rootPasswordHash)
  const folder = new ServerFolder(config.serverDir)
  const known = await folder.identity()
  if (known === undefined && !options.initialise) return undefined
  await using stack = new AsyncDisposableStack()
  if (options.alone) stack.use(await folder.lock())
  const { readChunkBytes, catalogReaders } = config.limits
  const { shared, alone } = options
  const holds = shared && { holds: new SharedHolds(shared.holds, shared.worker) }
  const counters = shared && { counters: new SharedCounters(shared.counters) }
  const blobs = await openBlobs(pathToFileURL(folder.root), { readChunkBytes, clear: alone, ...holds })
  const catalog = stack.use(
    await SqliteCatalog.open({
      path: folder.catalog,
      readers: catalogReaders,
      now: () => clock.now(),
      mayMigrate: alone,
      ...counters,
    }),
  )
  const passwords = new Passwords(config.limits)
  if (known === undefined) {
    const pypi = { url: config.upstream, pages: DEFAULT_UPSTREAM_PAGES }
    const { rootPassword, rootPasswordHash } = config
    const wanted = {
      rootPassword,
      ...(rootPasswordHash !== undefined && { rootPasswordHash }),
      ...(config.hasRootPypi && { pypi }),
    }
    await createFirstAccounts({ catalog, passwords, clock }, wanted)
  }
  const identity = known ?? (await folder.establish(clock.now()))
  const opened = stack.move()
  const users = new Users(catalog, passwords, clock, mayUnder(config))
  return {
    ...{ folder, identity, catalog, blobs, passwords, users },
    ...(shared !== undefined && { shared }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Before anything is written: with what is no hash, nobody could log in as root. */
function refuseNoHash(hash: string | undefined): void {
  if (hash === undefined || Passwords.isHash(hash)) return
  throw new Problem('setting-invalid', 'Cannot use root_passwd_hash: it is no argon2 hash that can be checked here', {
    hint: 'it begins with $argon2id$v=19$m=…,t=…,p=…$; in a shell it belongs into single quotes',
  })
}
