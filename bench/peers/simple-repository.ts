/** simple-repository-server over the folder of files. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { listedFile } from './listed-file.ts'
import type { PeerKind } from './peer.ts'
import { peerProgram, pinnedVersion } from './peer-programs.ts'
import { startPinned } from './pinned-process.ts'

export const simpleRepository: PeerKind = {
  name: 'simple-repository-server',
  setup: 'over a folder, with uvloop and httptools',
  version: () => pinnedVersion('simple-repository-server'),
  async prepare(folder) {
    await mkdir(join(folder, 'files'))
  },
  async start(folder, content) {
    const program = await peerProgram('simple-repository-server')
    const server = await startPinned({
      program,
      args: (port) => ['--host', '127.0.0.1', '--port', String(port), content?.folder ?? join(folder, 'files')],
      ready: '/simple/',
    })
    const page = (project: string) => `/simple/${project}/`
    return {
      ...server,
      page: (project) => page(project),
      list: () => '/simple/',
      file: (project, filename) => listedFile(server.port, page(project), filename),
      search: () => undefined,
    }
  },
}
