/** proxpi before an Airlock, all it needs in its caches. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import type { Peer, PeerKind } from './peer.ts'
import { peerProgram, pinnedVersion } from './peer-programs.ts'
import { startPinned } from './pinned-process.ts'

/** It sends clients away to the origin while it fetches a file. */
const FETCH_MS = 60_000

export const proxpi: PeerKind = {
  name: 'proxpi',
  setup: 'as its image runs it: gunicorn with 2 threads; in front of Airlock, pages and files in its caches',
  version: () => pinnedVersion('proxpi'),
  async prepare(folder) {
    await mkdir(join(folder, 'files'))
  },
  async start(folder, _content, origin) {
    const program = await peerProgram('gunicorn')
    const upstream = origin === undefined ? 'http://127.0.0.1:9/' : baseOf(origin)
    const server = await startPinned({
      program,
      args: (port) => ['--bind', `127.0.0.1:${port}`, '--threads', '2', '--log-level', 'error', 'proxpi.server:app'],
      env: () => ({
        PROXPI_INDEX_URL: upstream,
        PROXPI_INDEX_TTL: '86400',
        PROXPI_CACHE_DIR: join(folder, 'files'),
        PROXPI_LOGGING_LEVEL: 'ERROR',
      }),
      ready: '/health',
    })
    return {
      ...server,
      page: (project) => `/index/${project}/`,
      list: () => '/index/',
      async file(project, filename) {
        const path = `/index/${project}/${filename}`
        const until = performance.now() + FETCH_MS
        while (performance.now() < until) {
          const { statusCode, body } = await request(`http://127.0.0.1:${server.port}${path}`)
          await body.dump({ limit: Number.MAX_SAFE_INTEGER })
          if (statusCode === 200) return path
          if (statusCode === 404) return undefined
          await delay(200)
        }
        throw new Error(`Cannot have proxpi keep "${filename}"`)
      },
      search: () => undefined,
    }
  },
}

function baseOf(origin: Peer): string {
  return `http://127.0.0.1:${origin.port}${origin.page('', 'html', 'direct')!.replace(/\/\/$/, '/')}`
}
