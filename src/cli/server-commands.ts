/** The interface between commands and server: commands that work on a server folder get it from `compose/commands.ts`. */
import type { Server } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Users } from '../accounts/users.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Config } from '../config/load.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Duties, Peers } from '../mirrors/peers.ts'

export interface ServerCommands<Stores extends OpenStores = OpenStores> {
  readonly version: string
  /** `undefined` for a folder that is not initialised, unless it should be. */
  openStores(
    config: Config,
    options: { readonly initialise: boolean; readonly alone: boolean; readonly shared?: SharedMemory },
  ): Promise<Stores | undefined>
  openServer(config: Config, stores: Stores, log: Log, clock?: Clock, peers?: Peers): Promise<OpenServer>
  /** The program of the threads in which further workers run. */
  readonly workerProgram: URL
}

/** What the workers of one server share, as it is given to a thread, and which of them this is. Worker 0 is the process's own thread. */
export interface SharedMemory {
  readonly worker: number
  readonly counters: SharedArrayBuffer
  readonly holds: SharedArrayBuffer
}

export interface OpenStores extends AsyncDisposable {
  /** Where the server has several workers. */
  readonly shared?: SharedMemory
  readonly catalog: Catalog
  readonly blobs: BlobStore
  readonly users: Users
}

export interface OpenServer extends AsyncDisposable {
  readonly app: FastifyInstance
  hasOpenRoot(): Promise<boolean>
  /** One for each address to listen on, once `app` is ready. */
  createListener(): Server
  start(): Promise<void>
  /** What other workers may ask of this one. */
  readonly duties: Duties
}
