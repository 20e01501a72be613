import assert from 'node:assert/strict'
import { createServer, type ServerOptions } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { hasNamelessFiles } from '../../../test/world/nameless-files.ts'
import { tempFolder } from '../../../test/world/temp-folder.ts'
import { loadSendfile, type Sendfile } from '../../lib/sendfile.ts'
import { withLimits } from '../../model/limits.ts'
import type { Serial } from '../../model/records.ts'
import { projectName } from '../../pep/name.ts'
import { keepFrontDoor, type Ready } from './front-door.ts'
import { ReadyAnswer } from './ready-answer.ts'
import { ReadyFiles } from './ready-files.ts'

const HEAD = 'GET /ready HTTP/1.1\r\nHost: x\r\n\r\n'
const OTHER = 'GET /other HTTP/1.1\r\nHost: x\r\n\r\n'

interface Place extends AsyncDisposable {
  readonly port: number
  /** What node:http was asked for. */
  readonly asked: string[]
  readonly answered: string[]
  close(): Promise<void>
}

/** A server at whose door `/ready` stands ready. */
async function place(
  body: Buffer = Buffer.from('from the shelf'),
  options: ServerOptions = {},
  files?: ReadyFiles,
): Promise<Place> {
  const asked: string[] = []
  const answered: string[] = []
  const headers = [
    ['x-devpi-serial', '1'],
    ['content-length', String(body.length)],
  ] as const
  const basis = { project: projectName('acme'), group: 'files' } as const
  const answer = new ReadyAnswer({ status: 200, headers, body, keepAliveSeconds: 65 }, basis)
  const ready: Ready = {
    shelf: {
      find: (head) => (head === HEAD ? answer : undefined),
      edition: 1,
      bytes: () => answer.bytes(1, 'Sat, 28 Nov 2026 05:00:00 GMT', 1 as Serial),
      get nowMs() {
        return Date.now()
      },
    },
    peerOf: () => '',
    ...(files !== undefined && { files }),
    onAnswered: (_answer, head) => answered.push(head),
  }
  const server = keepFrontDoor(
    createServer(options, (request, response) => {
      asked.push(request.url!)
      response.end('from the app')
    }),
    ready,
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return {
    ...{ port: (server.address() as AddressInfo).port, asked, answered, close },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      if (server.listening) await close()
    },
  }
}

class Caller {
  readonly socket: Socket
  text = ''
  readonly closed: Promise<void>

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.text += text
    })
    this.socket.on('error', () => {})
  }

  /** Sends, and waits for so many answers in all. */
  async gets(text: string, answers: number): Promise<string> {
    this.socket.write(text)
    const end = performance.now() + 20_000
    while (this.text.split('HTTP/1.1 ').length - 1 < answers || !/(?:shelf|app|x)\s*(?:0\r\n\r\n)?$/.test(this.text)) {
      assert.ok(performance.now() < end && !this.socket.closed, `after ${JSON.stringify(this.text.slice(0, 500))}`)
      await delay(2)
    }
    return this.text
  }
}

test('keepFrontDoor() answers what stands ready, as often as it is asked, and node:http does not hear of it', async () => {
  await using there = await place()
  const caller = new Caller(there.port)
  for (const time of [1, 2, 3]) await caller.gets(HEAD, time)
  assert.equal(caller.text.match(/from the shelf/g)?.length, 3)
  assert.deepEqual([there.asked, there.answered], [[], [HEAD, HEAD, HEAD]])
  caller.socket.destroy()
})

test('keepFrontDoor() answers from the shelf also between requests that node:http answers', async () => {
  await using there = await place()
  const caller = new Caller(there.port)
  await caller.gets(OTHER, 1)
  await caller.gets(HEAD, 2)
  await caller.gets(OTHER, 3)
  await caller.gets(HEAD, 4)
  assert.deepEqual(
    [...caller.text.matchAll(/from the (app|shelf)/g)].map(([, from]) => from),
    ['app', 'shelf', 'app', 'shelf'],
  )
  assert.deepEqual([there.asked.length, there.answered.length], [2, 2])
  caller.socket.destroy()
})

test('keepFrontDoor() gives node:http what does not come in one piece by itself', async () => {
  await using there = await place()
  for (const pieces of [[HEAD + HEAD], [HEAD + OTHER], [HEAD.slice(0, 20), HEAD.slice(20)], [`\r\n${HEAD}`]]) {
    const caller = new Caller(there.port)
    for (const piece of pieces) {
      caller.socket.write(piece)
      await delay(20)
    }
    await caller.gets('', pieces[0]!.split('GET').length - 1)
    assert.doesNotMatch(caller.text, /shelf/)
    caller.socket.destroy()
  }
})

test('keepFrontDoor() keeps the order of answers when a request comes before the one before it is answered', async () => {
  const body = Buffer.alloc(8 * 1024 * 1024, 'x')
  await using there = await place(body)
  const caller = new Caller(there.port)
  caller.socket.pause()
  caller.socket.write(HEAD)
  // The first answer is longer than what the system takes at once.
  await delay(100)
  caller.socket.write(HEAD)
  await delay(100)
  caller.socket.resume()
  await caller.gets('', 2)
  const [, first = '', second = ''] = caller.text.split('HTTP/1.1 ')
  assert.ok(first.endsWith('x'.repeat(1000)) && first.length > body.length)
  assert.match(second, /from the app/)
  assert.deepEqual([there.asked, there.answered.length], [['/ready'], 1])
  caller.socket.destroy()
})

test('keepFrontDoor() goes on by itself where the system took a part of an answer', async () => {
  await using folder = await tempFolder()
  const limits = withLimits({ readyFileMostBytes: 1024 * 1024 })
  let partly = 0
  const sendfile = () => {
    const system = loadSendfile()
    const send: Sendfile['send'] = (socket, file, position, most) => {
      const sent = system!.send(socket, file, position, most)
      if (sent !== undefined && sent < most) partly++
      return sent
    }
    return system && { send }
  }
  await using files = new ReadyFiles({ sendfile, folder: folder.path, limits })
  const body = Buffer.alloc(700_000, 'x')
  await using there = await place(body, {}, files)
  const caller = new Caller(there.port)
  for (let answers = 1; answers <= 5; answers++) await caller.gets(HEAD, answers)
  caller.socket.pause()
  let asked = 5
  while (there.asked.length === 0) {
    assert.ok(asked < 200, 'the socket never was full')
    caller.socket.write(HEAD)
    asked++
    await delay(20)
  }
  caller.socket.resume()
  await caller.gets('', asked)
  const answers = caller.text.split('HTTP/1.1 ').slice(1)
  assert.match(answers.pop()!, /from the app/)
  for (const answer of answers) assert.equal(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'x'.repeat(body.length))
  assert.equal(there.answered.length, asked - 1)
  if (loadSendfile() !== undefined && hasNamelessFiles()) assert.ok(partly > 0)
  caller.socket.destroy()
})

test('keepFrontDoor() closes connections that were answered at the door and then say nothing for long', async () => {
  await using there = await place(undefined, { headersTimeout: 100, keepAliveTimeout: 300, keepAliveTimeoutBuffer: 0 })
  const caller = new Caller(there.port)
  await caller.gets(HEAD, 1)
  const since = performance.now()
  await caller.closed
  assert.ok(performance.now() - since > 250)
  assert.equal(caller.text.match(/HTTP\/1\.1/g)?.length, 1)
})

test('keepFrontDoor() lets a server close that has connections at its door', async () => {
  await using there = await place()
  const callers = [new Caller(there.port), new Caller(there.port)]
  await callers[0]!.gets(HEAD, 1)
  await delay(20)
  await there.close()
  await Promise.all(callers.map((caller) => caller.closed))
})
