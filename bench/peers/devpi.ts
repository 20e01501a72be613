/** devpi-server with devpi-web, as it comes. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { devpiProgram, runDevpi } from '../../test/programs/devpi-programs.ts'
import { tempFolder } from '../../test/world/temp-folder.ts'
import { SEARCHED } from '../content/wanted-files.ts'
import { devpiShaped, makeIndexes, uploadContent } from './devpi-shaped.ts'
import type { PeerKind } from './peer.ts'
import { type Pinned, startPinned } from './pinned-process.ts'

/** Its index for searching is made in the background. */
const SEARCHABLE_MS = 60_000

export const devpi: PeerKind = {
  name: 'devpi-server',
  setup: 'with devpi-web, 50 threads of waitress, every setting at its default',
  async version() {
    await using home = await tempFolder()
    const said = await runDevpi('devpi-server', ['--version'], { home: home.path })
    return said.stdout.trim()
  },
  async prepare(folder, content) {
    const args = ['--serverdir', join(folder, 'server'), '--no-root-pypi']
    const made = await runDevpi('devpi-init', args, { home: folder })
    if (made.code !== 0) throw new Error(`Cannot initialise devpi-server:\n${made.output}`)
    await using server = await start(folder)
    await makeIndexes(server)
    if (content === undefined) return
    await uploadContent(await devpiShaped(server), content)
    await isSearchable(server)
  },
  start: async (folder) => await devpiShaped(await start(folder)),
}

async function start(folder: string): Promise<Pinned> {
  const program = await devpiProgram('devpi-server')
  return await startPinned({
    program,
    args: (port) => ['--serverdir', join(folder, 'server'), '--host', '127.0.0.1', '--port', String(port)],
    ready: '/+api',
  })
}

async function isSearchable({ port }: Pinned): Promise<void> {
  const until = performance.now() + SEARCHABLE_MS
  while (performance.now() < until) {
    const { body } = await request(`http://127.0.0.1:${port}/+search?query=${SEARCHED}`)
    if ((await body.text()).includes('bench-other')) return
    await delay(500)
  }
  process.stderr.write('devpi-server: its search finds nothing yet\n')
}
