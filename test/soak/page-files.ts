/** The files of a project's page, as installers read them, in both representations. */

export interface ListedFile {
  readonly filename: string
  /** As in the page, relative to it. */
  readonly url: string
  readonly sha256: string | undefined
  readonly isYanked: boolean
  /** The sha256 of the metadata file, where one is announced. */
  readonly metadata: string | undefined
}

/** Throws `SyntaxError` for what is no page. */
export function filesOfPage(type: string, text: string): ListedFile[] {
  if (type.includes('json')) {
    const { files } = JSON.parse(text) as {
      files: {
        filename: string
        url: string
        hashes: { sha256?: string }
        yanked?: boolean | string
        'core-metadata'?: boolean | { sha256?: string }
      }[]
    }
    return files.map(({ filename, url, hashes, yanked, 'core-metadata': metadata }) => ({
      filename,
      url,
      sha256: hashes.sha256,
      isYanked: yanked !== undefined && yanked !== false,
      metadata: typeof metadata === 'object' ? metadata.sha256 : undefined,
    }))
  }
  if (!text.includes('</html>')) throw new SyntaxError('Cannot read page: it has no end')
  return [...text.matchAll(/<a ([^>]*)>([^<]*)<\/a>/g)].map(([, attributes = '', filename = '']) => {
    const [url = '', hash] = /href="([^"]*)"/.exec(attributes)?.[1]?.split('#sha256=') ?? []
    return {
      filename,
      url,
      sha256: hash,
      isYanked: attributes.includes('data-yanked'),
      metadata: /data-core-metadata="sha256=([0-9a-f]{64})"/.exec(attributes)?.[1],
    }
  })
}
