import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { cleanEnv } from '../../test/programs/clean-env.ts'
import { tempFolder } from '../../test/world/temp-folder.ts'
import { servicePeer } from './peer-account.ts'

/** As Linux writes them: one client's end at port 0xC001, the server's at 0x0C45, with the user given. */
const table = (
  uid: number,
  ports = '0C45',
) => `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0C45 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 30123 1 0000000000000000 100 0 0 10 0
   1: 0100007F:0C45 0100007F:C001 01 00000000:00000000 02:000A1B2C 00000000   998        0 30125 2 0000000000000000 20 4 30 10 -1
   2: 0100007F:C001 0100007F:${ports} 01 00000000:00000000 02:000A1B2C 00000000 ${String(uid).padStart(5)}        0 30124 2 0000000000000000 20 4 30 10 -1
`

for (const [uid, found] of [
  [33, 33],
  [101, 101],
  [999, 999],
  [61_184, 61_184],
  [65_534, 65_534],
  [0, undefined],
  [1000, undefined],
  [1001, undefined],
  [60_000, undefined],
] as const) {
  test(`servicePeer() takes user ${uid} for ${found === undefined ? 'no service' : 'a service'}`, async () => {
    await using folder = await tempFolder()
    const path = join(folder.path, 'tcp')
    await writeFile(path, table(uid))
    assert.equal(servicePeer({ remotePort: 0xc001, localPort: 0x0c45 }, [join(folder.path, 'none'), path]), found)
    assert.equal(servicePeer({ remotePort: 0xc002, localPort: 0x0c45 }, [path]), undefined)
    await writeFile(path, table(uid, '0C46'))
    assert.equal(servicePeer({ remotePort: 0xc001, localPort: 0x0c45 }, [path]), undefined)
  })
}

test('servicePeer() finds nothing where the system tells nothing', () => {
  assert.equal(servicePeer({ remotePort: 1, localPort: 2 }, []), undefined)
  assert.equal(servicePeer({ remotePort: undefined, localPort: 2 }), undefined)
})

test('servicePeer() reads what this system says, of a client of our own and, as root, of a service', async () => {
  const listener = createServer()
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as AddressInfo
  try {
    const accepted = once(listener, 'connection') as Promise<[Socket]>
    const client = connect(port, '127.0.0.1')
    const [socket] = await accepted
    assert.equal(servicePeer(socket), undefined)
    client.destroy()
    socket.destroy()
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return
    const coming = once(listener, 'connection') as Promise<[Socket]>
    const script = `require('node:net').connect(${port}, '127.0.0.1')`
    const child = spawn(process.execPath, ['-e', script], {
      uid: 33,
      env: cleanEnv('/nonexistent'),
      stdio: 'ignore',
      cwd: '/',
    })
    try {
      const failed = once(child, 'exit').then(([code]) => assert.fail(`the client ended with ${code}`))
      const [served] = await Promise.race([coming, failed])
      assert.equal(servicePeer(served), 33)
      served.destroy()
      await failed.catch(() => {})
    } finally {
      child.kill()
    }
  } finally {
    listener.close()
  }
})
