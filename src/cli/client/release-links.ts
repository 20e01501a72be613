/** The files of a release as the server names them: the `+links` of a version. */

export interface ReleaseLink {
  /** `releasefile`, `doczip` or `toxresult`. */
  readonly rel: string
  readonly href: string
  readonly basename: string
  /** The file that a test result is about. */
  readonly forHref?: string
}

/** The links of one version's data; relative addresses are seen from `base`. */
export function linksOf(data: Readonly<Record<string, unknown>>, base: URL): readonly ReleaseLink[] {
  const links = data['+links']
  if (!Array.isArray(links)) return []
  return links.flatMap((link: unknown) => {
    const { rel, href, for_href: forHref } = (link ?? {}) as Record<string, unknown>
    const url = typeof href === 'string' ? URL.parse(href, base) : null
    if (typeof rel !== 'string' || url === null) return []
    const basename = decodeURIComponent(url.pathname.split('/').at(-1)!)
    return [{ rel, href: url.href, basename, ...(typeof forHref === 'string' && { forHref }) }]
  })
}
