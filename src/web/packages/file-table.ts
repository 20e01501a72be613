/** The files of a release, to download and to check. */
import { VERIFIED } from '../../browse/provenance.ts'
import type { FileLine } from '../../browse/views.ts'
import { parseFilename } from '../../pep/filename.ts'
import { type Html, html } from '../html.ts'
import { outsideHref, pathOf } from '../links.ts'
import { dayOf, readableSize } from '../readable.ts'

/** A table that becomes a list of cards on a phone; `root` is the relative path to the server's root. */
export function fileTable(files: readonly FileLine[], root: string, caption: string): Html {
  if (files.length === 0) return html`<p class="empty">This release has no files.</p>`
  return html`<table class="stack files" role="table">
<caption class="hidden">${caption}</caption>
<thead role="rowgroup"><tr role="row">${['File', 'Type', 'Python', 'Size', 'Uploaded', 'SHA-256'].map(
    (label) => html`<th role="columnheader" scope="col">${label}</th>`,
  )}</tr></thead>
<tbody role="rowgroup">
${files.map((file) => fileRow(file, root))}</tbody>
</table>`
}

/** What kind of archive a filename names, and for which Pythons where it says so. */
export function fileKind(filename: string): { readonly type: string; readonly python?: string } {
  const parsed = parseFilename(filename)
  if (parsed?.kind === 'wheel') return { type: 'Wheel', python: parsed.pythonTag }
  if (parsed?.kind === 'sdist') return { type: 'Source' }
  if (/\.egg$/i.test(filename)) {
    const python = /-(py\d+(?:\.\d+)?)/i.exec(filename)?.[1]
    return { type: 'Egg', ...(python !== undefined && { python }) }
  }
  return { type: 'Other' }
}

function fileRow(file: FileLine, root: string): Html {
  const { type, python } = fileKind(file.filename)
  return html`<tr role="row"><td role="cell" class="first"><a href="${root + pathOf(file.path)}">${breakable(file.filename)}</a>${badges(file)}${provenance(file, root)}</td><td role="cell">${type}</td><td role="cell">${python ?? file.requiresPython}</td><td role="cell" class="number">${
    file.sizeBytes !== undefined && readableSize(file.sizeBytes)
  }</td><td role="cell">${file.uploadTime !== undefined && dayOf(file.uploadTime)}</td><td role="cell">${
    file.sha256 !== undefined && html`<code title="${file.sha256}">${file.sha256.slice(0, 12)}</code>`
  }</td></tr>
`
}

function badges(file: FileLine): Html {
  return html`${
    file.yanked !== undefined &&
    html` <span class="badge warn">yanked</span>${typeof file.yanked === 'string' && file.yanked !== '' && html` <span class="reason">${file.yanked}</span>`}`
  }${!file.held && html` <span class="badge" title="It is fetched from upstream when somebody asks for it">not here yet</span>`}`
}

/** Who attests to the file, and whether that holds; of a mirror's that nobody asked for yet only that there is something. */
function provenance({ provenance: given }: FileLine, root: string): Html {
  if (given === undefined) return html``
  const { line, path } = given
  const link = (text: string) => html`<a href="${root + pathOf(path)}">${text}</a>`
  if (line === undefined) return html`<div class="provenance">${link('Provenance')} upstream, not looked at yet</div>`
  const publishers = line.publishers.map(({ text, href }, at) => {
    const safe = href === undefined ? undefined : outsideHref(href)
    const shown =
      safe === undefined ? html`${text}` : html`<a href="${safe}" rel="nofollow noopener noreferrer">${text}</a>`
    return html`${at > 0 && ', '}${shown}`
  })
  if (line.verdict === VERIFIED) return html`<div class="provenance">${link('Attested')} by ${publishers}</div>`
  return html`<div class="provenance"><span class="badge warn">not verified</span> ${link('Provenance')} ${publishers.length > 0 && html`that names ${publishers}`}: <span class="reason">${line.verdict}</span></div>`
}

/** Lets a browser break a long filename where people read it apart. */
function breakable(filename: string): Html {
  return html`${filename.split(/(?<=[-_.])/).map((part, at) => html`${at > 0 && html`<wbr>`}${part}`)}`
}
