/**
 * A page from an index that tells little, dressed as the public index itself writes it at API version 1.4: metadata hashes, provenance,
 * project status, more than one hash, hostile reasons. What is added is made from the names, so that it is the same in every run.
 */
import { digestOf } from '../../src/lib/digest.ts'
import type { UpstreamFile, UpstreamPage } from './real-pages.ts'

/** Every kind of status in turn; a quarantined project has no files on its page. */
const STATUSES = [
  undefined,
  { status: 'active' },
  { status: 'archived', reason: 'Use "another" <project> & tell nobody\u2019s friend' },
  { status: 'deprecated', reason: "It's over" },
  { status: 'quarantined' },
  { status: 'archived' },
] as const

const REASONS = [true, 'broken <b>"badly"</b> & more', "it's Müller's fault; 日本", 'a\nline break', false, ''] as const

/** Ends in a slash. Nothing is ever asked of it. */
const PROVENANCE_HOST = 'https://index.example/integrity/'

export function dressed(page: UpstreamPage): UpstreamPage {
  const kind = Number.parseInt(digestOf(page.name).slice(0, 6), 16)
  const status = STATUSES[kind % STATUSES.length]
  const files = status?.status === 'quarantined' ? [] : page.files.map((file, at) => dressedFile(page.name, file, at))
  return {
    meta: { 'api-version': '1.4', '_last-serial': 1_000_000 + (kind % 1000) },
    name: page.name,
    versions: page.versions,
    files,
    ...(status && { 'project-status': status }),
  }
}

function dressedFile(name: string, file: UpstreamFile, at: number): UpstreamFile {
  const isWheel = file.filename.endsWith('.whl')
  const metadata = isWheel ? { sha256: digestOf(`${file.filename}.metadata`) } : false
  const others =
    at % 4 === 0 ? { md5: digestOf(file.filename).slice(0, 32), sha512: digestOf(file.filename).repeat(2) } : {}
  return {
    ...file,
    hashes: { ...others, ...file.hashes },
    'core-metadata': metadata,
    'data-dist-info-metadata': metadata,
    provenance: at % 3 === 0 ? `${PROVENANCE_HOST}${name}/${encodeURIComponent(file.filename)}/provenance` : null,
    yanked: REASONS[at % 12] ?? file.yanked ?? false,
  }
}
