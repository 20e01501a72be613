/**
 * The Simple API's HTML (PEP 503 and its additions), written in the public index's very shape, because tools in the field
 * read it with regular expressions, and read as real indexes write it.
 */
import {
  AddressRoom,
  HASH_NAMES,
  lastComponent,
  readAddress,
  readHashes,
  readSize,
  readStatus,
  readUploadTime,
  URL_LENGTH_MAX,
} from './file-facts.ts'
import { asFilename, parseFilename, versionOf } from './filename.ts'
import { type Attributes, HtmlPage } from './html-page.ts'
import { asProjectName, type ProjectName } from './name.ts'
import { API_VERSION, type DistributionFile, type ListForm, type ProjectDetail } from './simple.ts'

/** Lists are written in pieces of about this size: large enough for the socket, small enough to keep memory flat. */
const CHUNK_CHARACTERS = 64 * 1024
/** Addresses in a list are only looked at for their last component; one made of this leads to the list itself or upwards. */
const NO_NAME = '-'
const ANY_BASE = new URL(`http://index.invalid/${`${NO_NAME}/`.repeat(8)}`)

/** What indexes without PEP 629's version call a page: PyPI and devpi, web servers that list a folder, others. */
const INDEX_TITLE = /^\s*(links for|index of|directory listing|simple index)\b/i

/** One project's page. Its addresses are written as they are. */
export function detailToHtml(detail: ProjectDetail): string {
  const { status } = detail
  const title = escapeHtml(`Links for ${detail.name}`)
  const lines = [
    '<!DOCTYPE html>',
    '<html>',
    '  <head>',
    `    <meta name="pypi:repository-version" content="${API_VERSION}">`,
    ...(status ? [`    <meta name="pypi:project-status" content="${status.status}">`] : []),
    ...(status?.reason ? [`    <meta name="pypi:project-status-reason" content="${escapeHtml(status.reason)}">`] : []),
    `    <title>${title}</title>`,
    '  </head>',
    '  <body>',
    `    <h1>${title}</h1>`,
    ...detail.files.map(anchor),
    '  </body>',
    '</html>',
    ...(detail.lastStamp === undefined ? [] : [`<!--SERIAL ${detail.lastStamp}-->`]),
  ]
  return `${lines.join('\n')}\n`
}

/** The list of all projects; links are relative. */
export const HTML_LIST: ListForm = {
  head: [
    '<!DOCTYPE html>\n<html>\n  <head>\n',
    `    <meta name="pypi:repository-version" content="${API_VERSION}">\n`,
    '    <title>Simple index</title>\n  </head>\n  <body>\n',
  ].join(''),
  separator: '',
  tail: '  </body>\n</html>\n',
  entry: (name) => `    <a href="${escapeHtml(encodeURIComponent(name))}/">${escapeHtml(name)}</a><br />\n`,
}

/** The list of all projects from batches of names, in chunks. */
export async function* listToHtml(batches: AsyncIterable<readonly string[]>): AsyncGenerator<Buffer> {
  let text = HTML_LIST.head
  for await (const batch of batches) {
    for (const name of batch) text += HTML_LIST.entry(name)
    if (text.length >= CHUNK_CHARACTERS) {
      yield Buffer.from(text)
      text = ''
    }
  }
  yield Buffer.from(text + HTML_LIST.tail)
}

/**
 * Reads the page of project `name` that came from `pageUrl`; addresses become absolute. Links that lead to no archive are
 * left out, values that cannot be read count as not told. Throws `SyntaxError` for a page that breaks off, asks for a
 * password instead, has no files though it has something else for people and does not call itself an index (networks
 * answer so before one signs in), or is of another major API version.
 */
export function detailFromHtml(text: string, pageUrl: URL, name: ProjectName): ProjectDetail {
  const files: DistributionFile[] = []
  const room = new AddressRoom()
  let base = pageUrl
  const page = new HtmlPage((attributes) => {
    const file = readFile(attributes, base)
    if (file === undefined) return
    room.take(file)
    files.push(file)
  })
  page.onBase = (href) => {
    if (href.length <= URL_LENGTH_MAX && URL.canParse(href, pageUrl)) base = new URL(href, pageUrl)
  }
  page.write(text)
  page.end()
  if (!page.isComplete && page.hasFrame) throw new SyntaxError('Cannot read project page: it breaks off before its end')
  if (files.length === 0 && !isEmptyIndex(page)) {
    throw new SyntaxError('Cannot read project page: it has no files, and does not call itself an index')
  }
  const status = readStatus(page.metas.get('pypi:project-status'))
  const reason = page.metas.get('pypi:project-status-reason')
  return {
    name,
    files,
    versions: [
      ...new Set(files.map((file) => versionOf(file.filename, name)).filter((version) => version !== undefined)),
    ],
    ...(status && { status: { status, ...(reason && { reason }) } }),
    ...(page.lastStamp !== undefined && { lastStamp: page.lastStamp }),
  }
}

/**
 * The names in a list of projects, as they are read, in the order of the list; memory stays flat. A name is the last
 * component of a link's address, or its text where that is no name; what is neither is left out. Throws `SyntaxError`,
 * perhaps after many names, when the list breaks off before `</html>`, asks for a password instead, has no link though it
 * does not call itself an index, or is of another major API version: names seen until then are not the whole list.
 */
export async function* namesFromHtml(source: AsyncIterable<Uint8Array>): AsyncGenerator<ProjectName> {
  let names: ProjectName[] = []
  let links = 0
  const page = new HtmlPage((attributes, text) => {
    const name = readName(attributes.href, text)
    if (name === undefined) return
    links++
    names.push(name)
  })
  const decoder = new TextDecoder()
  for await (const chunk of source) {
    page.write(decoder.decode(chunk, { stream: true }))
    yield* names
    names = []
  }
  page.write(decoder.decode())
  page.end()
  yield* names
  if (!page.isComplete) throw new SyntaxError('Cannot read project list: the page breaks off before its "</html>"')
  if (links === 0 && !page.metas.has('pypi:repository-version')) {
    throw new SyntaxError('Cannot read project list: the page has no links to projects')
  }
}

function anchor(file: DistributionFile): string {
  const hash = HASH_NAMES.find((name) => file.hashes[name] !== undefined)
  const metadata = file.coreMetadata === undefined ? undefined : metadataAttribute(file.coreMetadata)
  const attributes: readonly (readonly [string, string | undefined])[] = [
    ['href', hash === undefined ? file.url : `${file.url}#${hash}=${file.hashes[hash]}`],
    ['data-requires-python', file.requiresPython],
    ['data-dist-info-metadata', metadata],
    ['data-core-metadata', metadata],
    ['data-yanked', file.yanked === true ? '' : file.yanked],
    ['data-gpg-sig', file.gpgSig?.toString()],
    ['data-provenance', file.provenance],
    // Not standard, yet uv reads both.
    ['data-size', file.size?.toString()],
    ['data-upload-time', file.uploadTime],
  ]
  const written = attributes.flatMap(([name, value]) =>
    value === undefined ? [] : [` ${name}="${escapeHtml(value)}"`],
  )
  return `    <a${written.join('')}>${escapeHtml(file.filename)}</a><br />`
}

function metadataAttribute(metadata: true | Readonly<Record<string, string>>): string {
  if (metadata === true) return 'true'
  const name = HASH_NAMES.find((known) => metadata[known] !== undefined)
  return name === undefined ? 'true' : `${name}=${metadata[name]}`
}

/** A page without files: one that says what it is, or that says nothing at all, as small indexes have it for a project without releases. */
function isEmptyIndex(page: HtmlPage): boolean {
  const saysSo =
    page.metas.has('pypi:repository-version') || [page.title, page.heading].some((each) => INDEX_TITLE.test(each))
  return saysSo || (page.isBlank && page.hasFrame)
}

function readFile(attributes: Attributes, base: URL): DistributionFile | undefined {
  const address = attributes.href === undefined ? undefined : readAddress(attributes.href.trim(), base)
  const filename = address && asFilename(lastComponent(address.url) ?? '')
  if (address === undefined || filename === undefined || parseFilename(filename) === undefined) return undefined
  const size = readSize(attributes['data-size'])
  const uploadTime = readUploadTime(attributes['data-upload-time'])
  const yanked = attributes['data-yanked']
  const coreMetadata = readMetadata(attributes['data-core-metadata'] ?? attributes['data-dist-info-metadata'])
  const gpgSig = attributes['data-gpg-sig']
  const provenance = attributes['data-provenance'] && readAddress(attributes['data-provenance'], base)
  return {
    filename,
    ...address,
    ...(size !== undefined && { size }),
    ...(uploadTime !== undefined && { uploadTime }),
    ...(attributes['data-requires-python'] && { requiresPython: attributes['data-requires-python'] }),
    ...(yanked !== undefined && { yanked: yanked || (true as const) }),
    ...(coreMetadata !== undefined && { coreMetadata }),
    ...((gpgSig === 'true' || gpgSig === 'false') && { gpgSig: gpgSig === 'true' }),
    ...(provenance && { provenance: provenance.url }),
  }
}

function readMetadata(attribute: string | undefined): DistributionFile['coreMetadata'] {
  if (attribute === undefined || attribute === '' || attribute === 'false') return undefined
  if (attribute === 'true') return true
  const [name = '', hex] = attribute.split('=', 2)
  const hashes = readHashes({ [name]: hex })
  return Object.keys(hashes).length > 0 ? hashes : undefined
}

/** Links within the page, to a sort order, upwards or out of the web lead to no project, whatever their text. */
function readName(href: string | undefined, text: string): ProjectName | undefined {
  if (href !== undefined) {
    // Nearly all lists are written so, and reading a URL costs as much as all the rest.
    const plain = asProjectName(/^([\w.-]+)\/$/.exec(href)?.[1] ?? '')
    if (plain !== undefined) return plain
    const address = readAddress(href.trim(), ANY_BASE)
    const last = address && lastComponent(address.url.replace(/\/?(?:\?.*)?$/, ''))
    if (last === undefined || last === '' || last === NO_NAME) return undefined
    const name = asProjectName(last)
    if (name !== undefined) return name
  }
  return asProjectName(text.trim())
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\n\r]/g, (character) => ESCAPES[character] ?? character)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#x27;',
  // Tools read a page line by line; and a bare carriage return is read as a line feed (HTML, "Preprocessing the input stream").
  '\n': '&#10;',
  '\r': '&#13;',
}
