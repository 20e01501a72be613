/** A client that reads a file to its end and holds none of it. */
import { createHash } from 'node:crypto'
import { get } from 'node:http'

export interface ReadAway {
  readonly status: number
  readonly sha256: string
  readonly bytes: number
  readonly isComplete: boolean
  /** From the request on. */
  readonly firstByteMs: number
  readonly totalMs: number
}

export interface ReadAwayOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** Reads nothing more after the first piece before this settles. */
  readonly resume?: Promise<void>
  /** Absent: the bytes are hashed. */
  readonly isUnhashed?: boolean
}

/** Never throws for what the server does: a broken answer is one that is not complete. */
export function readAway(url: string, options: ReadAwayOptions = {}): Promise<ReadAway> {
  const { headers = {}, resume, isUnhashed = false } = options
  return new Promise((resolve) => {
    const startMs = performance.now()
    const hash = createHash('sha256')
    let bytes = 0
    let firstByteMs = Number.NaN
    const settle = (status: number, isComplete: boolean) =>
      resolve({
        status,
        sha256: hash.digest('hex'),
        bytes,
        isComplete,
        firstByteMs,
        totalMs: performance.now() - startMs,
      })
    const request = get(url, { agent: false, headers }, (response) => {
      response.once('data', () => {
        firstByteMs = performance.now() - startMs
        if (resume === undefined) return
        response.pause()
        resume.then(() => response.resume())
      })
      response.on('data', (chunk: Buffer) => {
        if (!isUnhashed) hash.update(chunk)
        bytes += chunk.length
      })
      // Told by `close`, too.
      response.on('error', () => {})
      response.on('close', () => settle(response.statusCode ?? 0, response.complete))
    })
    request.on('error', () => settle(0, false))
  })
}

/** Where a server lists the one file of a project on root/pypi. */
export async function fileUrl(server: string, project: string): Promise<string> {
  const page = `${server}/root/pypi/+simple/${project}/`
  const answer = await fetch(page, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } })
  if (!answer.ok) throw new Error(`Cannot read the page of ${project}: ${answer.status} ${await answer.text()}`)
  const { files } = (await answer.json()) as { files: { url: string }[] }
  return new URL(files[0]!.url, page).href
}
