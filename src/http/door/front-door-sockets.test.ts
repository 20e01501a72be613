import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { cameAsPush, keepFrontDoor, type Ready } from './front-door.ts'

const HEAD = '/a HTTP/1.1\r\nHost: x\r\n'

interface Place extends AsyncDisposable {
  readonly server: Server
  readonly port: number
}

/** Nothing stands ready: every connection is kept at the door until it says something. */
const EMPTY: Ready = {
  shelf: { find: () => undefined, bytes: () => assert.fail('nothing is there'), edition: 0, nowMs: 0 },
  peerOf: () => '',
  onAnswered: () => {},
}

async function place(routing: RequestListener, options: ServerOptions = {}, ready?: Ready): Promise<Place> {
  const server = keepFrontDoor(createServer(options, routing), ready)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    server,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A connection whose answers are read as text. */
class Caller {
  readonly socket: Socket
  text = ''
  readonly closed: Promise<void>

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text: string) => {
      this.text += text
    })
    // Being hung up on is what some of these callers are for.
    this.socket.on('error', () => {})
    this.socket.on('end', () => this.socket.end())
  }

  async hears(pattern: RegExp): Promise<void> {
    await until(() => {
      assert.ok(!this.socket.closed || pattern.test(this.text), `closed after ${JSON.stringify(this.text)}`)
      return pattern.test(this.text)
    })
  }
}

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 20_000; !(await isSo()); await delay(5)) {
    assert.ok(performance.now() < end, 'it did not come to that')
  }
}

for (const [way, ready] of [
  ['', undefined],
  [' with a shelf', EMPTY],
] as const) {
  test(`keepFrontDoor()${way} sees what a socket says, in one packet or in packets of one byte`, async () => {
    await using there = await place(
      (request, response) => {
        const said = cameAsPush(request) ? 'push' : request.method
        request.resume().on('end', () => response.end(`${said} from ${request.socket.remoteAddress}.`))
      },
      {},
      ready,
    )
    const caller = new Caller(there.port)
    caller.socket.write(`GET ${HEAD}\r\n`)
    await caller.hears(/GET from 127\.0\.0\.1\./)
    caller.socket.write(`PUSH ${HEAD}Content-Length: 5\r\n\r\nPUSH `)
    await caller.hears(/push from 127\.0\.0\.1\./)
    for (const byte of `POST ${HEAD}Content-Length: 5\r\n\r\nPUSH PUSH ${HEAD}\r\n`) {
      caller.socket.write(byte)
      await delay(1)
    }
    await caller.hears(/POST from 127\.0\.0\.1\..*push from 127\.0\.0\.1\./s)
    caller.socket.destroy()
  })

  for (const [what, said] of [
    ['nothing', ''],
    ['half a verb', 'PUS'],
    ['half a head', 'PUSH /a HTTP/1.1\r\nHost'],
    ['half a head after a request', `GET ${HEAD}\r\nPUSH /a HTTP/1.1\r\n`],
  ] as const) {
    test(`keepFrontDoor()${way} leaves it to node:http to give up on a caller who says ${what}`, async () => {
      const options = { headersTimeout: 300, requestTimeout: 0, connectionsCheckingInterval: 50 }
      await using there = await place((_request, response) => void response.end(), options, ready)
      const caller = new Caller(there.port)
      caller.socket.write(said)
      await caller.closed
      assert.match(caller.text, /HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n\r\n$/)
      assert.equal(await connections(there.server), 0)
    })
  }

  test(`keepFrontDoor()${way} lets a connection that has been idle for long be closed, also with half a verb`, async () => {
    await using there = await place(
      (_request, response) => void response.end('there'),
      {
        keepAliveTimeout: 100,
        keepAliveTimeoutBuffer: 0,
      },
      ready,
    )
    for (const rest of ['', 'PU']) {
      const caller = new Caller(there.port)
      caller.socket.write(`GET ${HEAD}\r\n`)
      await caller.hears(/there/)
      caller.socket.write(rest)
      await caller.closed
      assert.equal(caller.text.match(/HTTP\/1\.1/g)?.length, 1)
    }
  })

  test(`keepFrontDoor()${way} answers who has said all and closed his side`, async () => {
    await using there = await place(
      (request, response) => {
        request.resume().on('end', () => response.end(cameAsPush(request) ? 'pushed' : 'asked'))
      },
      {},
      ready,
    )
    const caller = new Caller(there.port)
    caller.socket.end(`PUSH ${HEAD}Content-Length: 2\r\n\r\n{}`)
    await caller.closed
    assert.match(caller.text, /pushed$/)
  })

  test(`keepFrontDoor()${way} leaves nothing behind of callers who hang up anywhere`, async () => {
    let aborted = 0
    const finished: string[] = []
    await using there = await place(
      (request, response) => {
        request.on('error', () => aborted++)
        request.resume().on('end', () => {
          finished.push(request.url!)
          response.end()
        })
      },
      {},
      ready,
    )
    const bytes = `PUSH ${HEAD}Content-Length: 20\r\n\r\n${'PUSH '.repeat(4)}`
    for (let at = 0; at < bytes.length; at += 5) {
      const caller = new Caller(there.port)
      await once(caller.socket, 'connect')
      caller.socket.write(bytes.slice(0, at), () => caller.socket.resetAndDestroy())
      await caller.closed
    }
    await until(async () => (await connections(there.server)) === 0)
    assert.deepEqual(finished, [])
    assert.ok(aborted > 0)
  })

  test(`keepFrontDoor()${way} lets a server that closes finish what is under way and hang up on who is idle`, async () => {
    const answers: (() => void)[] = []
    await using there = await place(
      (request, response) => {
        if (request.url === '/slow') answers.push(() => response.end('late'))
        else request.resume().on('end', () => response.end('soon'))
      },
      {},
      ready,
    )
    const [idle, busy] = [new Caller(there.port), new Caller(there.port)]
    idle.socket.write(`PUSH ${HEAD}\r\n`)
    await idle.hears(/soon/)
    busy.socket.write('PUSH /slow HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => answers.length === 1)
    const closed = new Promise((resolve) => there.server.close(resolve))
    await idle.closed
    assert.equal(busy.text, '')
    answers[0]!()
    await busy.hears(/late/)
    busy.socket.end()
    await closed
  })

  test(`keepFrontDoor()${way} lets a server cut all its connections`, async () => {
    await using there = await place(() => {}, {}, ready)
    const callers = [`PUSH ${HEAD}\r\n`, `GET ${HEAD}\r\n`, 'PU', ''].map((said) => {
      const caller = new Caller(there.port)
      caller.socket.write(said)
      return caller
    })
    await until(async () => (await connections(there.server)) === callers.length)
    there.server.closeAllConnections()
    await Promise.all(callers.map(({ closed }) => closed))
  })

  test(`keepFrontDoor()${way} reads no more of a body than its reader takes`, async () => {
    const sizeBytes = 64 * 1024 * 1024
    let paused: IncomingMessage | undefined
    let counted = 0
    await using there = await place(
      (request, response) => {
        paused = request.pause()
        request.on('data', (chunk: Buffer) => {
          counted += chunk.length
        })
        request.on('end', () => response.end('all'))
      },
      {},
      ready,
    )
    const caller = new Caller(there.port)
    caller.socket.write(`PUSH ${HEAD}Content-Length: ${sizeBytes}\r\n\r\n`)
    caller.socket.write(Buffer.alloc(sizeBytes, 'PUSH '))
    let read = 0
    await until(async () => {
      const before = read
      await delay(100)
      read = paused?.socket.bytesRead ?? 0
      return read > 0 && read === before
    })
    assert.ok(read < 4 * 1024 * 1024, `${read} bytes were read though nobody wanted them`)
    paused!.resume()
    await caller.hears(/all/)
    assert.equal(counted, sizeBytes)
    caller.socket.destroy()
  })
}
