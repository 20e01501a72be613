/** The pages of the scripted index, in both representations. Written apart from the product's own writer, which they test. */
import type { Digest } from '../../src/lib/digest.ts'
import { type Content, lazyContent } from '../builders/content.ts'
import { text } from '../world/answer.ts'
import type { AddFile, FakeSettings } from './fake-upstream.ts'

export interface FakeFile {
  readonly filename: string
  readonly path: string
  readonly sha256: Digest
  readonly sizeBytes: number
  readonly uploadTime: string
  readonly requiresPython?: string
  readonly yanked?: true | string
  readonly metadataSha256: Digest | undefined
  readonly hasProvenance: boolean
  readonly lies?: NonNullable<AddFile['lies']>
}

export interface FakeProject {
  readonly name: string
  readonly files: Map<string, FakeFile>
  serial: number
  status: { readonly status: string; readonly reason?: string } | undefined
}

export interface Page {
  json(): Content
  html(): Content
}

/** The type to answer with, or `undefined` where nothing fits and the index is strict about it. */
export function wantsJson(
  accept: string | undefined,
  settings: FakeSettings,
): { json: boolean; type: string } | undefined {
  const offers = [
    ...(settings.html ? [{ json: false, type: 'text/html' }] : []),
    ...(settings.json ? [{ json: true, type: 'application/vnd.pypi.simple.v1+json' }] : []),
    // An index that knows JSON knows the versioned HTML type as well (PEP 691).
    ...(settings.html && settings.json ? [{ json: false, type: 'application/vnd.pypi.simple.v1+html' }] : []),
  ]
  const asked = new Map<string, number>()
  for (const part of (accept ?? '*/*').split(',')) {
    const [type = '', ...parameters] = part.split(';').map((one) => one.trim().toLowerCase())
    const quality = parameters.find((one) => one.startsWith('q='))
    asked.set(type.replace('.latest+', '.v1+'), quality === undefined ? 1 : Number(quality.slice(2)))
  }
  const quality = (type: string) => asked.get(type) ?? asked.get(`${type.split('/')[0]}/*`) ?? asked.get('*/*') ?? 0
  const ranked = offers.map((offer) => ({ offer, q: quality(offer.type) })).sort((a, b) => b.q - a.q)
  const best = ranked[0]
  if (best === undefined || (best.q === 0 && settings.strictAccept)) return undefined
  return best.offer
}

export function listPage(projects: ReadonlyMap<string, FakeProject>, settings: FakeSettings, serial: number): Page {
  function* names(): Iterable<string> {
    yield* [...projects.keys()].sort()
    for (let i = 1; i <= settings.generatedNames; i++) yield `generated-${String(i).padStart(7, '0')}`
  }
  return {
    json: () =>
      lazyContent(function* () {
        yield `{"meta":${JSON.stringify(meta(settings, serial))},"projects":[`
        let comma = ''
        for (const name of names()) {
          const key = settings.serials ? `"_last-serial":${projects.get(name)?.serial ?? 1},` : ''
          yield `${comma}{${key}"name":"${name}"}`
          comma = ','
        }
        yield ']}'
      }),
    html: () =>
      lazyContent(function* () {
        yield `<!DOCTYPE html>\n<html>\n  <head>\n    <meta name="pypi:repository-version" content="${settings.apiVersion}">\n`
        yield '    <title>Simple index</title>\n  </head>\n  <body>\n'
        for (const name of names()) yield `    <a href="/simple/${name}/">${name}</a>\n`
        yield '</body>\n</html>\n'
      }),
  }
}

/** `filesAt` is put before every path of a file. */
export function projectPage(project: FakeProject, settings: FakeSettings, filesAt: string): Page {
  const url = (file: FakeFile) => file.lies?.url ?? filesAt + encodeURI(file.path)
  return {
    json: () => text(JSON.stringify(projectJson(project, settings, url))),
    html: () => text(projectHtml(project, settings, url)),
  }
}

function projectJson(project: FakeProject, settings: FakeSettings, url: (file: FakeFile) => string) {
  const files = [...project.files.values()].map((file) => ({
    filename: file.filename,
    url: url(file),
    hashes: hashes(file, settings),
    ...(settings.sizes && { size: file.lies?.sizeBytes ?? file.sizeBytes }),
    ...(settings.uploadTimes && { 'upload-time': file.uploadTime }),
    'requires-python': file.requiresPython ?? null,
    yanked: file.yanked ?? false,
    ...(settings.coreMetadata && {
      'core-metadata': metadataHashes(file) ?? false,
      'data-dist-info-metadata': metadataHashes(file) ?? false,
    }),
    provenance: file.hasProvenance ? `${url(file)}.provenance` : null,
  }))
  return {
    meta: meta(settings, project.serial),
    name: project.name,
    ...(project.status !== undefined && { 'project-status': project.status }),
    files,
    versions: [...new Set(files.map((file) => versionOf(file.filename)))],
  }
}

function projectHtml(project: FakeProject, settings: FakeSettings, url: (file: FakeFile) => string): string {
  const lines = [...project.files.values()].map((file) => {
    const sha256 = hashes(file, settings).sha256
    const attributes = [`href="${escaped(url(file))}${sha256 === undefined ? '' : `#sha256=${sha256}`}"`]
    if (file.requiresPython !== undefined) attributes.push(`data-requires-python="${escaped(file.requiresPython)}"`)
    if (file.yanked !== undefined) attributes.push(`data-yanked="${file.yanked === true ? '' : escaped(file.yanked)}"`)
    const metadata = metadataHashes(file)
    if (settings.coreMetadata && metadata !== undefined) {
      attributes.push(
        `data-core-metadata="sha256=${metadata.sha256}"`,
        `data-dist-info-metadata="sha256=${metadata.sha256}"`,
      )
    }
    if (file.hasProvenance) attributes.push(`data-provenance="${escaped(url(file))}.provenance"`)
    return `    <a ${attributes.join(' ')}>${escaped(file.filename)}</a><br />`
  })
  const status = project.status
  const metas = [
    `<meta name="pypi:repository-version" content="${settings.apiVersion}">`,
    ...(status === undefined ? [] : [`<meta name="pypi:project-status" content="${escaped(status.status)}">`]),
    ...(status?.reason === undefined
      ? []
      : [`<meta name="pypi:project-status-reason" content="${escaped(status.reason)}">`]),
  ]
  const serial = settings.serials ? `<!--SERIAL ${project.serial}-->` : ''
  return `<!DOCTYPE html>
<html>
  <head>
    ${metas.join('\n    ')}
    <title>Links for ${project.name}</title>
  </head>
  <body>
    <h1>Links for ${project.name}</h1>
${lines.join('\n')}
</body>
</html>
${serial}`
}

function meta(settings: FakeSettings, serial: number) {
  return { ...(settings.serials && { '_last-serial': serial }), 'api-version': settings.apiVersion }
}

function hashes(file: FakeFile, settings: FakeSettings): { readonly sha256?: string } {
  return settings.hashes ? { sha256: file.lies?.sha256 ?? file.sha256 } : {}
}

function metadataHashes(file: FakeFile): { readonly sha256: string } | undefined {
  return file.metadataSha256 === undefined ? undefined : { sha256: file.lies?.metadataSha256 ?? file.metadataSha256 }
}

/** Enough for the names that tests make up. */
function versionOf(filename: string): string {
  const stem = filename.replace(/\.(tar\.gz|tar\.bz2|zip)$/, '')
  return filename.endsWith('.whl') ? (filename.split('-')[1] ?? '0') : stem.slice(stem.lastIndexOf('-') + 1)
}

function escaped(value: string): string {
  return value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}
