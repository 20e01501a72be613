/** One release: how to install it, what it says of itself, and its files. */
import type { Frame, ReleaseView } from '../../browse/views.ts'
import { LIMITS } from '../../model/limits.ts'
import { type Html, html } from '../html.ts'
import { page } from '../layout.ts'
import { indexHref, outsideHref, simpleHref } from '../links.ts'
import { countOf } from '../readable.ts'
import { fileTable } from './file-table.ts'
import { installLines } from './install-lines.ts'
import { indexCrumbs, statusNotice } from './project-page.ts'
import { renderReadme } from './readme.ts'
import { documentationLink, historySection, testsSection } from './release-attachments.ts'

export function releasePage(view: ReleaseView, frame: Frame): string {
  const { root } = frame
  const said = view.description?.text.trim() ? view.description : undefined
  const body = html`<h1>${view.name} <span class="version">${view.version}</span></h1>
${view.summary !== undefined && html`<p class="lead">${view.summary}</p>`}
${notices(view, root)}
<h2 class="hidden">Install</h2>
${installLines(frame, view.index, `${view.name}==${view.version}`)}
<nav class="jump" aria-label="On this page">${said !== undefined && html`<a href="#description">Description</a> `}<a href="#files">${countOf(view.files.length, 'file')}</a> ${view.tests !== undefined && html`<a href="#tests">Test results</a> `}${documentationLink(view, root)}<a href="#details">Details</a> <a href="${indexHref(root, view.index, view.name)}">All releases</a> <a href="${simpleHref(root, view.index, view.name)}">Simple API page</a></nav>
<div class="columns">
<div class="main">
${
  said !== undefined &&
  html`<section aria-labelledby="description">
<h2 id="description">Description</h2>
<div class="readme">
${renderReadme(said, LIMITS)}
</div>
</section>`
}
<section aria-labelledby="files">
<h2 id="files">Files</h2>
${fileTable(view.files, root, `Files of ${view.name} ${view.version}`)}
</section>
${testsSection(view, root)}
${historySection(view, root)}
</div>
<aside aria-labelledby="details">
<h2 id="details">Details</h2>
${facts(view)}
</aside>
</div>`
  return page({
    title: `${view.name} ${view.version}`,
    root,
    version: frame.version,
    crumbs: [
      ...indexCrumbs(view.index, root),
      { label: view.name, href: indexHref(root, view.index, view.name) },
      { label: view.version },
    ],
    body,
  })
}

/** Values of a fact that are shown at once; more of them are folded away. */
const VALUES_SHOWN = 8

function notices(view: ReleaseView, root: string): Html {
  const yanks = view.files.map((file) => file.yanked).filter((yanked) => yanked !== undefined)
  const allYanked = yanks.length > 0 && yanks.length === view.files.length
  const reason = yanks.find((yanked) => typeof yanked === 'string' && yanked !== '')
  return html`${statusNotice(view.status)}${
    allYanked &&
    html`<div class="notice warn"><p><strong>This release is yanked.</strong> Installers take it only when exactly this version is asked for.${typeof reason === 'string' && html` Reason: ${reason}`}</p></div>`
  }${
    view.newer !== undefined &&
    html`<div class="notice"><p>There is a newer release: <a href="${indexHref(root, view.index, view.name, view.newer)}">${view.newer}</a></p></div>`
  }`
}

function facts(view: ReleaseView): Html {
  const all = [
    ...(view.requiresPython === undefined ? [] : [{ label: 'Requires Python', values: [view.requiresPython] }]),
    ...view.facts,
  ].filter((fact) => fact.values.length > 0)
  if (all.length === 0) return html`<p class="empty">This release says nothing more of itself.</p>`
  return html`<dl class="facts">
${all.map((fact) => html`<div><dt>${fact.label}</dt><dd>${valueList(fact.values)}</dd></div>\n`)}</dl>`
}

function valueList(values: readonly string[]): Html {
  const [only] = values
  if (values.length === 1 && only !== undefined) return factValue(only)
  const list = html`<ul>${values.map((value) => html`<li>${factValue(value)}</li>`)}</ul>`
  return values.length <= VALUES_SHOWN
    ? list
    : html`<details><summary>${values.length} entries</summary>${list}</details>`
}

/** An address becomes a link, `Label, address` (core metadata's Project-URL) a link with that label, the rest is text. */
function factValue(value: string): Html {
  const labelled = /^([^,]+),\s*(https?:\S+)$/i.exec(value)
  const href = /^https?:\S+$/i.test(value) ? outsideHref(value) : outsideHref(labelled?.[2] ?? '')
  if (href === undefined) return html`${value}`
  return html`<a href="${href}" rel="nofollow noopener noreferrer">${labelled?.[1]?.trim() ?? value}</a>`
}
