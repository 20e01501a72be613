/** The address of a file, as a project page tells it. */
import { request } from 'undici'

/** Path and query of the link to `filename` on the HTML page at `page`; `undefined` when it is not there. */
export async function listedFile(port: number, page: string, filename: string): Promise<string | undefined> {
  const address = `http://127.0.0.1:${port}${page}`
  const { statusCode, body } = await request(address, { headers: { accept: 'text/html' } })
  const text = await body.text()
  if (statusCode !== 200) throw new Error(`Cannot read ${address}: ${statusCode} ${text.slice(0, 200)}`)
  for (const [, link] of text.matchAll(/\bhref\s*=\s*"([^"]+)"/g)) {
    const url = new URL(link!.replaceAll('&amp;', '&'), address)
    if (decodeURIComponent(url.pathname).endsWith(`/${filename}`)) return url.pathname + url.search
  }
  return undefined
}
