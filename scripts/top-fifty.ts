/** Writes `test/clients/top-fifty.json` anew, from the index that pip is configured with: `bin/with-node scripts/top-fifty.ts`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseFilename } from '../src/pep/filename.ts'
import { asVersion, compareVersions, isPrerelease } from '../src/pep/version.ts'
import { filesOf, type PageFile, TOP_FIFTY, type TopFile } from '../test/clients/top-fifty.ts'
import { realUpstream } from '../test/upstream/real-upstream.ts'

/** The largest file that the tests fetch. */
const SIZE_MOST = 60 * 1024 * 1024

/** The newest final release's sdist, and its smallest wheel of those that run anywhere or on Linux. */
function chosen(project: string, files: readonly PageFile[]): TopFile[] {
  const named = files.flatMap((file) => {
    const parsed = parseFilename(file.filename)
    if (parsed === undefined || parsed.kind === 'other' || asVersion(parsed.version) === undefined) return []
    if (isPrerelease(parsed.version) || (file.yanked ?? false) !== false || (file.size ?? 0) > SIZE_MOST) return []
    return [{ file, parsed }]
  })
  const newest = named.map(({ parsed }) => parsed.version).sort((a, b) => compareVersions(b, a))[0]
  if (newest === undefined) throw new Error(`Cannot find a release of "${project}"`)
  const ofNewest = named.filter(({ parsed }) => compareVersions(parsed.version, newest) === 0)
  const sdist = ofNewest.find(({ parsed }) => parsed.kind === 'sdist')
  const [wheel] = ofNewest
    .filter(({ parsed }) => parsed.kind === 'wheel' && /^any$|linux.*x86_64/.test(parsed.platformTag))
    .sort((a, b) => (a.file.size ?? 0) - (b.file.size ?? 0))
  return [sdist, wheel].flatMap((each) => {
    if (each === undefined) return []
    const { filename, hashes, size = 0 } = each.file
    return [{ project, filename, sha256: hashes.sha256 ?? '', sizeBytes: size }]
  })
}

await using upstream = await realUpstream()
const found: TopFile[] = []
for (const project of TOP_FIFTY) found.push(...chosen(project, await filesOf(upstream, project)))
const target = join(import.meta.dirname, '..', 'test', 'clients', 'top-fifty.json')
writeFileSync(target, `${JSON.stringify(found, undefined, 2)}\n`)
