/** One of the further workers of a server, in a thread of its own: the same server, without what happens in the background. */
import type { Server } from 'node:http'
import type { MessagePort } from 'node:worker_threads'
import { openLog } from '../../lib/log.ts'
import { LogLines } from '../../lib/log-lines.ts'
import type { ListStanding, Peers, WorkerFigures } from '../../mirrors/peers.ts'
import type { OpenServer, OpenStores, ServerCommands } from '../server-commands.ts'
import { close, listenToo } from './listen.ts'
import { failure, WorkerLink } from './worker-link.ts'
import { unpackConfig, type WorkerSeat } from './worker-seat.ts'

/** Serves until worker 0 says stop. Throws what keeps it from starting, after that was told to worker 0. */
export async function serveAsWorker<Stores extends OpenStores>(
  server: ServerCommands<Stores>,
  seat: WorkerSeat,
  port: MessagePort,
): Promise<void> {
  const config = unpackConfig(seat.config)
  const { limits } = config
  const { worker } = seat.shared
  const lines = new LogLines(seat.log.fd, seat.log.lock)
  const log = openLog(config.logLevel, seat.log.form, (line) => lines.write(line), { worker })
  const stop = Promise.withResolvers<void>()
  let opened: OpenServer | undefined
  const link = new WorkerLink(port, {
    other: 'worker 0',
    questionsMost: limits.workerQuestions,
    onTrouble: (error) => log.http.error({ err: error }, 'Cannot do what worker 0 asked for'),
    replies: {
      stop: () => stop.resolve(),
      pruned: () => opened?.duties.pruned(),
      figures: () => opened?.duties.figures(),
    },
  })
  const peers: Peers = {
    worker,
    keeper: {
      openMirror: async (indexId) => void (await link.ask('openMirror', indexId, limits.workerAnswerMs)),
      refreshList: async (indexId) => (await link.ask('refreshList', indexId, limits.workerListMs)) as ListStanding,
    },
    wake: () => link.tell('wake'),
    pruned: () => link.tell('pruned'),
    figures: async () => (await link.ask('figures', undefined, limits.workerAnswerMs)) as readonly WorkerFigures[],
  }
  const listeners: Server[] = []
  try {
    const stores = await server.openStores(config, { initialise: false, alone: false, shared: seat.shared })
    await using serving = await server.openServer(config, stores!, log, undefined, peers)
    opened = serving
    await serving.app.ready()
    for (const address of seat.addresses) listeners.push(await listenToo(serving.createListener(), address))
    link.tell('listening')
    await stop.promise
    await Promise.all(listeners.map((each) => close(each, limits.drainMs)))
  } catch (error) {
    link.tell('failed', failure(error))
    throw error
  } finally {
    link.close()
    port.close()
  }
}
