/**
 * Real project pages as an upstream: fetched once through the relay and kept in `.cache/real-pages/` for ever, since a test that compares
 * must meet today what it met yesterday. Below `/simple/` they are as the index behind the relay writes them; below `/dressed/` with all
 * that the public index itself tells at API version 1.4 and plain mirrors of it leave out.
 */
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { CHECKOUT } from '../programs/server-process.ts'
import { listen } from '../world/listener.ts'
import { dressed } from './page-dress.ts'
import { realUpstream } from './real-upstream.ts'

/** A file of a page, as upstream's JSON has it. What is not used by tests is kept as it is. */
export interface UpstreamFile {
  readonly filename: string
  readonly url: string
  readonly hashes: Readonly<Record<string, string>>
  readonly yanked?: boolean | string
  readonly 'requires-python'?: string | null
  readonly [key: string]: unknown
}

export interface UpstreamPage {
  readonly meta: Readonly<Record<string, unknown>>
  readonly name: string
  readonly versions: readonly string[]
  readonly files: readonly UpstreamFile[]
  readonly 'project-status'?: { readonly status: string; readonly reason?: string }
}

export interface RealPages extends AsyncDisposable {
  /** Ends in `/simple/`. */
  readonly url: string
  /** The same pages, dressed. Ends in `/dressed/`. */
  readonly dressedUrl: string
  /** What this upstream answers for a normalised name, as the real index tells it; `undefined` where that has no page. */
  page(name: string): Promise<UpstreamPage | undefined>
  dressedPage(name: string): Promise<UpstreamPage>
}

export interface RealPagesOptions {
  /** Of a page with more files only every so many-eth is passed on, so that fewer than this remain, and the odd ones. All unless told. */
  readonly filesMost?: number
  /** Pages that are passed on whole, however many files they have. */
  readonly whole?: readonly string[]
}

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'

export async function realPages(options: RealPagesOptions = {}): Promise<RealPages> {
  const { filesMost = Number.POSITIVE_INFINITY, whole = [] } = options
  const relay = await realUpstream({
    folder: join(CHECKOUT, '.cache', 'real-pages'),
    pageAgeMs: Number.POSITIVE_INFINITY,
  })

  const known = new Map<string, Promise<UpstreamPage | undefined>>()

  function page(name: string): Promise<UpstreamPage | undefined> {
    const found = known.get(name) ?? ask(name)
    known.set(name, found)
    return found
  }

  async function ask(name: string): Promise<UpstreamPage | undefined> {
    const answer = await fetch(`${relay.url}${name}/`, { headers: { accept: JSON_TYPE } })
    if (answer.status === 404) {
      await answer.body?.cancel()
      return undefined
    }
    if (answer.status !== 200) throw new Error(`Cannot have the page of ${name}: ${await answer.text()}`)
    const found = (await answer.json()) as UpstreamPage
    const step = whole.includes(name) ? 1 : Math.ceil(found.files.length / filesMost)
    return step <= 1
      ? found
      : { ...found, files: found.files.filter((file, at) => at % step === 0 || file.filename.includes('+')) }
  }

  async function dressedPage(name: string): Promise<UpstreamPage> {
    const found = await page(name)
    if (found === undefined) throw new Error(`Cannot dress the page of ${name}: there is none`)
    return dressed(found)
  }

  const listener = await listen(async (request, response) => {
    const asked = /^\/(simple|dressed)\/([^/]+)\/$/.exec(request.url ?? '')
    if (asked === null) return send(response, 404, 'text/plain', 'not here')
    const [, kind, name] = asked as unknown as [string, string, string]
    const found = kind === 'dressed' ? await dressedPage(name) : await page(name)
    if (found === undefined) return send(response, 404, 'text/plain', 'no such project')
    send(response, 200, JSON_TYPE, JSON.stringify(found))
  })

  return {
    url: `${listener.url}/simple/`,
    dressedUrl: `${listener.url}/dressed/`,
    page,
    dressedPage,
    async [Symbol.asyncDispose]() {
      await listener.close()
      await relay[Symbol.asyncDispose]()
    },
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, vary: 'Accept' })
  response.end(body)
}
