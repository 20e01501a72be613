import assert from 'node:assert/strict'
import { Agent, request as httpRequest } from 'node:http'
import { test } from 'node:test'
import { Connection, type RequestBody } from '../../src/client/connection.ts'
import { startServer } from '../programs/server-process.ts'
import { startInProcess } from '../trouble/in-process-server.ts'
import { tempFolder } from '../world/temp-folder.ts'

interface Answer {
  readonly status: number
  readonly type: string | undefined
  readonly text: string
  /** The connection had served a request before. */
  readonly isReused: boolean
}

function ask(agent: Agent, url: string, method: string, json: unknown, login?: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...(login !== undefined && { 'x-devpi-auth': login }) }
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { agent, method, headers }, async (response) => {
      const text = (await response.setEncoding('utf8').toArray()).join('')
      const type = response.headers['content-type']
      resolve({ status: response.statusCode ?? 0, type, text, isReused: request.reusedSocket })
    })
    request.on('error', reject)
    request.end(json === undefined ? '' : JSON.stringify(json))
  })
}

function jsonBody(value: unknown): RequestBody {
  const bytes = Buffer.from(JSON.stringify(value))
  return {
    type: 'application/json',
    sizeBytes: bytes.length,
    async *open() {
      yield bytes
    },
  }
}

test('serve answers PUSH as it does POST, on a connection that is used for everything', async () => {
  await using folder = await tempFolder()
  await using server = await startServer({
    program: 'bin/airlock',
    args: ['serve', '--serverdir', folder.path, '--no-root-pypi'],
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const entered = await ask(agent, `${server.url}/+login`, 'POST', { user: 'root', password: '' })
  assert.equal(entered.status, 200, entered.text)
  const { password } = (JSON.parse(entered.text) as { result: { password: string } }).result
  const login = Buffer.from(`root:${password}`).toString('base64')
  const made = await ask(agent, `${server.url}/root/dev`, 'PUT', { bases: [] }, login)
  assert.equal(made.status, 200, made.text)

  const wanted = { name: 'absent', version: '1.0', targetindex: 'root/dev' }
  const answers: Answer[] = []
  for (const method of ['POST', 'PUSH', 'GET', 'PUSH', 'POST']) {
    const answer = await ask(agent, `${server.url}/root/dev`, method, method === 'GET' ? undefined : wanted, login)
    assert.ok(answer.isReused)
    if (method === 'GET') assert.equal(answer.status, 200)
    else answers.push(answer)
  }
  agent.destroy()
  assert.ok(answers[0]!.status >= 400 && answers[0]!.status < 500, answers[0]!.text)
  for (const answer of answers) assert.deepEqual(answer, answers[0])
  await server.stop()
  assert.equal(server.output().match(/PUSH \/root\/dev 4\d\d/g)?.length, 2, server.output())
})

test("PUSH from the product's own client arrives", async () => {
  await using server = await startInProcess({ flags: { no_root_pypi: true } })
  const connection = new Connection({})
  const url = new URL('/root/dev', server.url)
  const body = jsonBody({ name: 'absent', version: '1.0', targetindex: 'root/dev' })
  const posted = await connection.send({ method: 'POST', url, body })
  const pushed = await connection.send({ method: 'PUSH', url, body })
  connection.close()
  assert.ok(posted.status >= 400 && posted.status < 500)
  assert.equal(pushed.status, posted.status)
  assert.equal(pushed.text, posted.text)
  assert.equal(pushed.reason, posted.reason)
})
