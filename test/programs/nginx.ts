/** A real nginx before a server, where the machine has one. */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { tempFolder } from '../world/temp-folder.ts'
import { cleanEnv } from './clean-env.ts'
import { own } from './owned-processes.ts'
import { runProgram } from './run-program.ts'

const START_MS = 20_000

/** Whether there is one. */
export async function hasNginx(): Promise<boolean> {
  try {
    return (await runProgram('nginx', ['-v'], { cwd: '/', env: cleanEnv('/nonexistent') })).code === 0
  } catch {
    return false
  }
}

/** Runs it with `site`, a file for its `conf.d` that listens on `port`. Throws what it printed when it does not start. */
export async function startNginx(site: string, port: number): Promise<AsyncDisposable> {
  const folder = await tempFolder()
  const path = join(folder.path, 'nginx.conf')
  await writeFile(path, nginxConfiguration(site, folder.path))
  const child = spawn('nginx', ['-c', path, '-e', 'stderr'], {
    env: cleanEnv(folder.path),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const disown = own(() => child.kill('SIGTERM'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  let hasEnded = false
  const ended = new Promise<void>((resolve) => child.once('close', resolve)).then(() => {
    hasEnded = true
    disown()
  })
  const dispose = async () => {
    child.kill('SIGTERM')
    await ended
    await folder.remove()
  }
  const started = performance.now()
  while (!(await listens(port))) {
    if (hasEnded || performance.now() - started > START_MS) {
      await dispose()
      throw new Error(`Cannot start nginx; it printed:\n${output}`)
    }
    await delay(20)
  }
  return { [Symbol.asyncDispose]: dispose }
}

/** A whole configuration around `site`, with all that nginx writes below `folder`. Whatever the system's own has is left out. */
export function nginxConfiguration(site: string, folder: string): string {
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${folder}/temp;`)
  return `
daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 512; }
http {
  access_log off;
  default_type application/octet-stream;
  ${temps.join('\n  ')}
${site}
}
`
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
