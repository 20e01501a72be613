/** Addresses for those who run the server. */
import type { FastifyInstance } from 'fastify'
import { lastCommitTime } from '../catalog/journal.ts'
import { countHeld } from '../catalog/projects.ts'
import { countJobs } from '../catalog/queue.ts'
import { Problem } from '../model/errors.ts'
import { sendJson, sendResult } from './answers.ts'
import { clientAddress } from './outside.ts'
import type { Services } from './services.ts'

/** The devpi-server whose protocol is spoken here; its clients decide by it which words to use. */
export const DEVPI_VERSION = '6.20.3'

export function operators(app: FastifyInstance, { catalog, mirrors, server }: Services): void {
  // Replication is not done by devpi's feed, which carries every password hash.
  app.get('/+changelog/:serial', async () => {
    throw new Problem('not-allowed', 'Replication protocol disabled')
  })
  app.get('/+health', async (_request, reply) => sendJson(reply, 200, { status: 'ok' }))
  app.get('/+status', async (request, reply) => {
    const { held, jobs, committed } = await catalog.read(async (reader) => ({
      held: await countHeld(reader),
      jobs: await countJobs(reader),
      committed: await lastCommitTime(reader),
    }))
    const committedAt = committed === undefined ? null : Date.parse(committed) / 1000
    return sendResult(reply, 200, 'status', {
      serverdir: server.serverDir,
      uuid: server.uuid,
      versioninfo: { airlock: server.version, 'devpi-server': DEVPI_VERSION },
      host: server.host,
      port: server.port,
      'outside-url': server.outsideUrl?.href ?? null,
      serial: catalog.serial,
      'last-commit-timestamp': committedAt,
      'event-serial': catalog.serial,
      // What devpi does later, in a queue of its own, has happened here when a change is committed.
      'event-serial-timestamp': committedAt,
      'event-serial-in-sync-at': committedAt,
      role: 'MASTER',
      polling_replicas: {},
      metrics: [
        ['airlock_projects_held', 'gauge', held.projects],
        ['airlock_files_held', 'gauge', held.files],
        ['airlock_bytes_held', 'gauge', held.bytes],
        ['airlock_jobs_waiting', 'gauge', jobs],
        ['airlock_memory_bytes', 'gauge', process.memoryUsage.rss()],
      ],
      mirrors: mirrors.status(),
      'request-address': clientAddress(request, server) ?? null,
    })
  })
}
