import { createServer } from 'node:net'

/** A TCP port of this machine that was free a moment ago. Somebody else may take it: be ready to ask again. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  const address = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  if (address === null || typeof address === 'string')
    throw new TypeError('Cannot pick a port: the listener has no TCP address')
  return address.port
}
