/** The files of a release as the server names them: the `+links` of a version. */
import { asObject } from '../lib/json-object.ts'

export interface ReleaseLink {
  /** `releasefile`, `doczip` or `toxresult`. */
  readonly rel: string
  readonly href: string
  readonly basename: string
  /** In hex, where the server says it. */
  readonly sha256?: string
  /** The file that a test result is about. */
  readonly forHref?: string
}

/** The links of one version's data; relative addresses are seen from `base`. */
export function linksOf(data: Readonly<Record<string, unknown>>, base: URL): readonly ReleaseLink[] {
  const links = data['+links']
  if (!Array.isArray(links)) return []
  return links.flatMap((link: unknown) => {
    const { rel, href, for_href: forHref, hash_spec: spec, hashes } = asObject(link)
    const url = typeof href === 'string' ? URL.parse(href, base) : null
    if (typeof rel !== 'string' || url === null) return []
    const basename = decodeURIComponent(url.pathname.split('/').at(-1)!)
    const written = asObject(hashes).sha256 ?? (typeof spec === 'string' ? spec.replace(/^sha256=/, '') : undefined)
    const sha256 = typeof written === 'string' && /^[0-9a-f]{64}$/.test(written) ? written : undefined
    return [
      { rel, href: url.href, basename, ...(sha256 && { sha256 }), ...(typeof forHref === 'string' && { forHref }) },
    ]
  })
}
