/** nginx over a static tree of the same bytes: pages as Airlock answers them, plain and compressed, and the files. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { request } from 'undici'
import { cleanEnv } from '../../test/programs/clean-env.ts'
import { runProgram } from '../../test/programs/run-program.ts'
import type { Content } from '../content/content.ts'
import { BIG, build, LARGE, SMALL } from '../content/wanted-files.ts'
import type { Form, Peer, PeerKind, Through } from './peer.ts'
import { startPinned } from './pinned-process.ts'

/** What clients ask for, by form. */
export const ACCEPT: Readonly<Record<Form, string>> = {
  html: 'text/html',
  json: 'application/vnd.pypi.simple.v1+json',
}

const PROGRAM = 'nginx'
const FORMS: readonly Form[] = ['html', 'json']
const THROUGH: readonly Through[] = ['direct', 'bases']

export const nginx: PeerKind = {
  name: 'nginx',
  setup: 'static files: one worker, sendfile, open_file_cache, gzip_static, no access log',
  async version() {
    const said = await runProgram(PROGRAM, ['-v'], { cwd: '/', env: cleanEnv('/nonexistent') }).catch(() => undefined)
    if (said === undefined) throw new Error('nginx is not installed')
    return /nginx\/(\S+)/.exec(said.output)?.[1] ?? 'unknown'
  },
  async prepare(folder, content, origin) {
    await mkdir(join(folder, 'pages'))
    if (content === undefined) await keep(folder, '/pages/html/empty', Buffer.from('<!DOCTYPE html><html></html>'))
    if (content === undefined || origin === undefined) return
    for (const form of FORMS) {
      await copy(origin, origin.list(form)!, folder, listPath(form), ACCEPT[form])
      for (const through of THROUGH)
        for (const project of [SMALL, LARGE, BIG])
          await copy(
            origin,
            origin.page(project, form, through)!,
            folder,
            pagePath(project, form, through),
            ACCEPT[form],
          )
    }
    const { filename } = build(content.files[0]!)
    const metadata = `${await origin.file(SMALL, filename)}.metadata`
    await copy(origin, metadata, folder, `/pages/metadata/${filename}.metadata`, '*/*')
  },
  async start(folder, content) {
    const server = await startPinned({
      program: 'sh',
      // The port is known only now.
      args: (port) => [
        '-c',
        'printf %s "$1" > "$2" && exec nginx -c "$2" -e stderr',
        'sh',
        configuration(folder, content, port),
        join(folder, 'nginx.conf'),
      ],
      ready: content === undefined ? '/pages/html/empty' : listPath('html'),
    })
    return {
      ...server,
      page: pagePath,
      list: listPath,
      file: async (project, filename) => `/files/${project}/${filename}`,
      search: () => undefined,
    }
  },
}

function pagePath(project: string, form: Form, through: Through): string {
  return `/pages/${form}/${through}/${project}`
}

function listPath(form: Form): string {
  return `/pages/${form}/list`
}

/** Keeps the answer as it comes, and compressed. */
async function copy(origin: Peer, path: string, folder: string, to: string, accept: string): Promise<void> {
  for (const encoding of ['identity', 'gzip']) {
    const { statusCode, headers, body } = await request(`http://127.0.0.1:${origin.port}${path}`, {
      headers: { accept, 'accept-encoding': encoding },
    })
    const bytes = Buffer.from(await body.arrayBuffer())
    if (statusCode !== 200) throw new Error(`Cannot copy ${path} for nginx: ${statusCode}`)
    if (encoding === 'identity') await keep(folder, to, bytes)
    else if (headers['content-encoding'] === 'gzip') await keep(folder, `${to}.gz`, bytes)
  }
}

async function keep(folder: string, to: string, bytes: Buffer): Promise<void> {
  const path = join(folder, to)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, bytes)
}

function configuration(folder: string, content: Content | undefined, port: number): string {
  const files =
    content === undefined
      ? ''
      : `location /files/ { alias ${content.folder}/; }\n    location ~ ^/files/[^/]+/(.+\\.metadata)$ { alias ${folder}/pages/metadata/$1; }`
  return `
daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 512; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  open_file_cache max=1000 inactive=1h;
  open_file_cache_valid 1h;
  types { }
  client_body_temp_path ${folder}/temp;
  proxy_temp_path ${folder}/temp;
  fastcgi_temp_path ${folder}/temp;
  uwsgi_temp_path ${folder}/temp;
  scgi_temp_path ${folder}/temp;
  server {
    listen 127.0.0.1:${port};
    root ${folder};
    default_type application/octet-stream;
    location /pages/html/ { default_type "text/html; charset=utf-8"; gzip_static on; gzip_vary on; }
    location /pages/json/ { default_type application/vnd.pypi.simple.v1+json; gzip_static on; gzip_vary on; }
    ${files}
  }
}
`
}
