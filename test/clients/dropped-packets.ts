/** A port whose connections are neither accepted nor refused, as behind a firewall that drops packets. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { cleanEnv } from '../programs/clean-env.ts'
import { own } from '../programs/owned-processes.ts'

/** Listens without ever accepting, and fills the queue of the system. Nothing else may listen there. Linux drops what comes then. */
const SCRIPT = `
import socket, sys, time
port = int(sys.argv[1])
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen(0)
waiting = []
for _ in range(8):
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", port))
    waiting.append(one)
time.sleep(0.2)
sys.stdout.write("full")
sys.stdout.flush()
sys.stdin.read()
`

/** Drops what is sent to `port` of 127.0.0.1 until it is disposed. */
export async function dropPackets(python: string, port: number): Promise<AsyncDisposable> {
  const child = spawn(python, ['-c', SCRIPT, String(port)], {
    env: cleanEnv(tmpdir()),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const disown = own(() => child.kill('SIGKILL'))
  const closed = once(child, 'close')
  const first = await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), closed])
  if (first[0] !== 'full') {
    child.kill('SIGKILL')
    throw new Error(`Cannot drop packets on port ${port}: expected "full" of the listener, got "${first.join(' ')}"`)
  }
  return {
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await closed
      disown()
    },
  }
}
