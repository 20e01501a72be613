/** Listening on a Unix socket: for a web server on the same machine. */
import { chmod, lstat, unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import type { Config } from '../../config/load.ts'
import { Problem } from '../../model/errors.ts'

/**
 * Binds the socket with its permissions from the first moment. A socket that nobody listens on any more is replaced.
 * Throws `port-in-use` where somebody does, `setting-invalid` where it cannot be made.
 */
export async function listenOnSocket(
  listener: Server,
  { path, mode }: NonNullable<Config['unixSocket']>,
): Promise<Server> {
  await clear(path)
  const listening = new Promise<void>((resolve, reject) => {
    listener.once('listening', resolve)
    listener.once('error', reject)
  })
  // The file is made by the call itself: between it and chmod everybody could connect.
  const before = process.umask(0o777 & ~mode)
  try {
    listener.listen({ path })
  } finally {
    process.umask(before)
  }
  await listening.catch((error: Error) => {
    throw new Problem('setting-invalid', `Cannot listen on socket "${path}": ${error.message}`, { cause: error })
  })
  await chmod(path, mode)
  return listener
}

async function clear(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new Problem('setting-invalid', `Cannot listen on socket "${path}": ${error.message}`, { cause: error })
  })
  if (found === undefined) return
  if (!found.isSocket()) {
    throw new Problem('setting-invalid', `Cannot listen on socket "${path}": a file that is no socket is there`, {
      hint: 'remove it, or choose another path with --unix-socket',
    })
  }
  if (await isAnswered(path)) {
    throw new Problem('port-in-use', `Cannot listen on socket "${path}": another program does`, {
      hint: 'stop that one, or choose another path with --unix-socket',
    })
  }
  await unlink(path)
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'))
  })
}
