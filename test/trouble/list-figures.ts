/** What the list of all projects costs: a server of its own before a fake upstream, requests that hold nothing, and what the kernel says of both. */
import { readFile, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { wheel } from '../builders/wheels.ts'
import { type ServerProcess, startServer } from '../programs/server-process.ts'
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts'
import { programFetch } from '../world/program-fetch.ts'
import { tempFolder } from '../world/temp-folder.ts'
import { sha256 } from './big-wheel.ts'
import { sendUpload } from './upload-request.ts'

export const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'
const LOGIN = { authorization: `Basic ${Buffer.from('root:').toString('base64')}` }

export interface ListGround extends AsyncDisposable {
  readonly upstream: FakeUpstream
  readonly server: ServerProcess
  /** root/dev: a stage of three projects with the mirror as its base. */
  readonly chain: string
  readonly mirror: string
}

/** What is asked for, as clients do. */
export interface Wish {
  readonly title: string
  readonly path: string
  readonly accept: string
  /** The client cannot read gzip. */
  readonly isPlain?: boolean
}

const MIRROR = '/root/pypi/+simple/'
const CHAIN = '/root/dev/+simple/'

export const WISHES: readonly Wish[] = [
  { title: 'HTML', path: MIRROR, accept: 'text/html' },
  { title: 'JSON', path: MIRROR, accept: JSON_TYPE },
  { title: 'devpi list', path: '/root/pypi', accept: 'application/json' },
  { title: 'HTML, not compressed', path: MIRROR, accept: 'text/html', isPlain: true },
  { title: 'JSON, not compressed', path: MIRROR, accept: JSON_TYPE, isPlain: true },
  { title: 'HTML, stage and mirror', path: CHAIN, accept: 'text/html' },
  { title: 'JSON, stage and mirror', path: CHAIN, accept: JSON_TYPE },
]

/** On the default settings, its list not asked for yet by anybody but the server itself. */
export async function listGround(generatedNames: number): Promise<ListGround> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(await startFakeUpstream({ generatedNames }))
  const folder = stack.use(await tempFolder())
  const server = stack.use(
    await startServer({
      program: 'bin/airlock',
      args: ['serve', '--serverdir', join(folder.path, 'server'), '--upstream', upstream.url, '--log-level', 'error'],
      startMs: 60_000,
    }),
  )
  const { url } = server
  await changed(server, 'PUT', '/root/dev', { type: 'stage', bases: ['root/pypi'], mirror_whitelist: '*' })
  for (const name of ['aaa', 'generated-0450000-own', 'zzz']) {
    const { filename, bytes } = wheel({ name, version: '1.0' })
    const facts = { name, version: '1.0', filename, sizeBytes: bytes.length, content: [bytes] }
    const answer = await sendUpload({ url: `${url}/root/dev/`, headers: LOGIN, ...facts })
    if (answer.status !== 200) throw new Error(`Cannot upload ${filename}: ${answer.text}`)
  }
  const opened = stack.move()
  return {
    upstream,
    server,
    chain: url + CHAIN,
    mirror: url + MIRROR,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** After how many seconds the mirror's list is old. */
export async function setExpiry({ server }: ListGround, seconds: number): Promise<void> {
  await changed(server, 'PATCH', '/root/pypi', [`mirror_cache_expiry=${seconds}`])
}

export interface Reading {
  readonly status: number
  readonly etag: string | undefined
  /** To the last byte. */
  readonly ms: number
  readonly bytes: number
  readonly sha256: string
  /** Where they were to be counted. */
  readonly names: number
}

/** Reads an answer to its end, holding none of it. */
export function read(base: string, { path, accept, isPlain = false }: Wish, count = false): Promise<Reading> {
  const { promise, resolve, reject } = Promise.withResolvers<Reading>()
  const started = performance.now()
  const headers = { accept, ...(!isPlain && { 'accept-encoding': 'gzip' }) }
  const request = get(base + path, { agent: false, headers }, (response) => {
    const hash = sha256()
    let bytes = 0
    let names = 0
    let tail = ''
    response.on('data', (chunk: Buffer) => {
      hash.update(chunk)
      bytes += chunk.length
    })
    const isGzip = response.headers['content-encoding'] === 'gzip'
    const text = isGzip && count ? response.pipe(createGunzip()) : response
    if (count) {
      text.on('data', (chunk: Buffer) => {
        const seen = tail + chunk.toString('latin1')
        names += seen.split('generated-').length - 1
        // One character less than what is counted.
        tail = seen.slice(-9)
      })
    }
    text.on('error', reject)
    text.on('end', () => {
      const ms = performance.now() - started
      // In a link the name stands twice.
      const perName = response.headers['content-type']?.startsWith('text/html') === true ? 2 : 1
      const { etag } = response.headers
      resolve({ status: response.statusCode ?? 0, etag, ms, bytes, sha256: hash.digest('hex'), names: names / perName })
    })
  })
  request.on('error', reject)
  return promise
}

/** Processor time that the process has used in all its threads, in ms; the kernel counts in hundredths of a second. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
  // Behind the name, which may hold anything: fields 14 and 15 are user and system time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** What the process holds from now on counts anew for `peakMemoryBytes()`. */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5')
}

async function changed({ url }: ServerProcess, method: string, path: string, body: unknown): Promise<void> {
  const headers = { ...LOGIN, 'content-type': 'application/json' }
  const answer = await programFetch(url + path, { method, headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`Cannot change ${path}: ${await answer.text()}`)
}
