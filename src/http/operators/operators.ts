/** Routes for operators: health, status and metrics. */
import type { FastifyRequest } from 'fastify'
import { readableIndexes } from '../../browse/accounts.ts'
import { catalogFigures, lastChangeMs } from '../../browse/server-figures.ts'
import type { MirrorStatus } from '../../mirrors/mirror-status.ts'
import type { WorkerFigures } from '../../mirrors/peers.ts'
import { DEVPI_VERSION } from '../../model/devpi-version.ts'
import { Problem } from '../../model/errors.ts'
import { sendJson, sendResult } from '../answers.ts'
import { readableTo } from '../asked.ts'
import { addressOfClient } from '../outside.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'
import { addedCounts, addedMirrors } from './all-workers.ts'
import { type Figure, metricsPage } from './metrics.ts'

export function operatorAnswers(services: Services) {
  const { catalog, mirrors, server, peers, requests } = services

  /** Of all workers, this one's first. */
  async function allFigures(): Promise<readonly WorkerFigures[]> {
    const own = { ...requests.figures, mirrors: mirrors.status() }
    return peers === undefined ? [own] : [own, ...(await peers.figures())]
  }

  /** Only of mirrors that the requester may read: the name of an index is shown to nobody else. */
  async function readableMirrors(request: FastifyRequest, all: readonly WorkerFigures[]): Promise<MirrorStatus[]> {
    const readable = await readableIndexes(catalog, await readableTo(services, request))
    return addedMirrors(all).filter(({ name }) => readable.has(name))
  }

  async function figures(): Promise<Figure[]> {
    const { held, jobs } = await catalogFigures(catalog)
    return [
      ['airlock_projects_held', 'gauge', held.projects],
      ['airlock_files_held', 'gauge', held.files],
      ['airlock_bytes_held', 'gauge', held.bytes],
      ['airlock_jobs_waiting', 'gauge', jobs],
      ['airlock_memory_bytes', 'gauge', process.memoryUsage.rss()],
    ]
  }

  return {
    // Replication is not done by devpi's feed, which carries every password hash.
    changelog: answer({ about: "Refused: devpi's replication feed would carry every password hash" }, async () => {
      throw new Problem('not-allowed', 'Replication protocol disabled')
    }),
    health: answer({ about: 'Whether the process answers' }, async (_request, reply) =>
      sendJson(reply, 200, { status: 'ok' }),
    ),
    metrics: answer(
      { about: 'Figures for Prometheus; of mirrors only those that the sender may read' },
      async (request, reply) => {
        const all = await allFigures()
        const page = metricsPage(await figures(), addedCounts(all), await readableMirrors(request, all), Date.now())
        return reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(page)
      },
    ),
    status: answer(
      { about: 'Version, folder, serial, figures and mirrors; of mirrors only those that the sender may read' },
      async (request, reply) => {
        const serial = await catalog.latestSerial()
        const committedMs = await lastChangeMs(catalog)
        const committedAt = committedMs === undefined ? null : committedMs / 1000
        return sendResult(reply, 200, 'status', {
          serverdir: server.serverDir,
          uuid: server.uuid,
          versioninfo: { airlock: server.version, 'devpi-server': DEVPI_VERSION },
          host: server.host,
          port: server.port,
          'outside-url': server.outsideUrl?.href ?? null,
          serial,
          'last-commit-timestamp': committedAt,
          'event-serial': serial,
          // What devpi does later, in a queue of its own, has happened here when a change is committed.
          'event-serial-timestamp': committedAt,
          'event-serial-in-sync-at': committedAt,
          role: 'MASTER',
          polling_replicas: {},
          metrics: await figures(),
          mirrors: await readableMirrors(request, await allFigures()),
          'request-address': addressOfClient(request, server) ?? null,
        })
      },
    ),
  }
}
