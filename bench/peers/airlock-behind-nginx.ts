/** Airlock on a Unix socket, and nginx before it that sends the files itself. It holds the huge file alone. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nginxSite } from '../../src/cli/templates/nginx-template.ts'
import { loadConfig } from '../../src/config/load.ts'
import { nginxConfiguration } from '../../test/programs/nginx.ts'
import { HUGE } from '../content/wanted-files.ts'
import { uploadHuge } from '../load/upload-request.ts'
import { devpiShaped, makeIndexes } from './devpi-shaped.ts'
import { nginx } from './nginx.ts'
import type { Peer, PeerKind } from './peer.ts'
import { type Pinned, startPinned } from './pinned-process.ts'

const SOCKET = 'airlock.sock'
const ACCEL_REDIRECT = '/+blobs/'

/** `program` is the `bin/airlock` of a checkout. */
export function airlockBehindNginx(program: string): PeerKind {
  return {
    name: 'Airlock behind nginx',
    setup: 'on a Unix socket, with x_accel_redirect and what gen-config writes for nginx; for the largest file only',
    version: () => nginx.version(),
    async prepare(folder, content) {
      if (content === undefined) return
      await using server = await start(program, folder)
      await makeIndexes(server)
      await uploadHuge(server.port, (await devpiShaped(server)).upload!, content.huge)
    },
    async start(folder, content): Promise<Peer> {
      const server = await start(program, folder)
      const none = { page: () => undefined, list: () => undefined, search: () => undefined }
      if (content === undefined) return { ...server, ...none, file: async () => undefined }
      const { file } = await devpiShaped(server)
      return {
        ...{ ...server, ...none },
        file: async (project, filename) => (project === HUGE ? await file(project, filename) : undefined),
      }
    },
  }
}

/** The port is known only when the servers start: nginx reads it from a file that is written then. */
async function start(program: string, folder: string): Promise<Pinned> {
  const flags = {
    serverdir: join(folder, 'server'),
    unix_socket: join(folder, SOCKET),
    x_accel_redirect: ACCEL_REDIRECT,
  }
  const config = loadConfig({ flags: { ...flags, outside_url: 'http://127.0.0.1' }, env: {}, cwd: folder })
  const site = nginxSite(config, { isCaching: false, hostname: 'localhost' })
  const template = join(folder, 'nginx.template')
  await writeFile(template, nginxConfiguration(site.replace('listen 80;', 'listen 127.0.0.1:PORT;'), folder))
  const script = [
    'sed "s/PORT/$1/" "$2/nginx.template" > "$2/nginx.conf"',
    `"$3" serve --serverdir "$2/server" --no-root-pypi --unix-socket "$2/${SOCKET}" --x-accel-redirect ${ACCEL_REDIRECT} --log-level error &`,
    'exec nginx -c "$2/nginx.conf" -e stderr',
  ]
  return await startPinned({
    program: 'sh',
    args: (port) => ['-c', script.join('\n'), 'sh', String(port), folder, program],
    ready: '/+api',
  })
}
