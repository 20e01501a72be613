/** pypiserver over the folder of files. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { listedFile } from './listed-file.ts'
import type { PeerKind } from './peer.ts'
import { peerProgram, pinnedVersion } from './peer-programs.ts'
import { startPinned } from './pinned-process.ts'

export const pypiserver: PeerKind = {
  name: 'pypiserver',
  setup:
    'gunicorn with 4 threads; with watchdog, so that it keeps its list of files in memory; uploads by anybody, not synced to disk',
  version: () => pinnedVersion('pypiserver'),
  async prepare(folder) {
    await mkdir(join(folder, 'files'))
  },
  async start(folder, content) {
    const program = await peerProgram('pypi-server')
    const server = await startPinned({
      program,
      args: (port) => [
        ...['run', '--interface', '127.0.0.1', '--port', String(port), '--server', 'gunicorn'],
        ...['--disable-fallback', '--authenticate', '.', '--passwords', '.', content?.folder ?? join(folder, 'files')],
      ],
      env: () => ({ GUNICORN_CMD_ARGS: '--threads 4' }),
      ready: '/health',
    })
    const page = (project: string) => `/simple/${project}/`
    return {
      ...server,
      page: (project, form) => (form === 'html' ? page(project) : undefined),
      list: (form) => (form === 'html' ? '/simple/' : undefined),
      file: (project, filename) => listedFile(server.port, page(project), filename),
      search: () => undefined,
      upload: { path: '/', headers: {} },
    }
  },
}
