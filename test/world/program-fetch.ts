/** `fetch` as programs send it: Node's own adds what browsers send (`Sec-Fetch-Mode`, `Accept-Language`). */
import { request as httpRequest } from 'node:http'
import { Readable } from 'node:stream'

export interface ProgramRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | FormData
}

/** Over plain HTTP, on a connection of its own. Follows no redirect. */
export async function programFetch(url: string | URL, asked: ProgramRequest = {}): Promise<Response> {
  const { method = 'GET', headers = {}, body } = asked
  const form = body instanceof FormData ? new Response(body) : undefined
  const bytes = body instanceof FormData ? await form!.bytes() : body
  const sent = {
    ...(bytes !== undefined && { 'content-length': String(Buffer.byteLength(bytes)) }),
    ...(form !== undefined && { 'content-type': form.headers.get('content-type')! }),
    ...headers,
  }
  return await new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, agent: false, headers: sent })
    request.on('error', reject)
    request.on('response', (message) => {
      const { statusCode: status = 0, statusMessage: statusText = '', rawHeaders } = message
      const pairs = rawHeaders.flatMap((name, at) =>
        at % 2 === 0 ? [[name, rawHeaders[at + 1]!] as [string, string]] : [],
      )
      const isEmpty = method === 'HEAD' || [204, 205, 304].includes(status)
      if (isEmpty) message.resume()
      resolve(new Response(isEmpty ? null : Readable.toWeb(message), { status, statusText, headers: pairs }))
    })
    request.end(bytes)
  })
}
