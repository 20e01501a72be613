/** The page of search results. */
import type { Frame, SearchView } from '../../browse/views.ts'
import { type Html, html } from '../html.ts'
import { page } from '../layout.ts'
import { homeHref } from '../links.ts'
import { countOf } from '../readable.ts'
import { projectItem } from './index-page.ts'

export function searchPage(view: SearchView, frame: Frame): string {
  const query = view.query.trim()
  return page({
    title: query === '' ? 'Search' : `${query} – Search`,
    root: frame.root,
    version: frame.version,
    crumbs: [{ label: 'Search' }],
    query: view.query,
    body: html`<h1>Search</h1>
${query === '' ? nothingAsked(frame) : view.hits.length === 0 ? nothingFound(query, frame) : found(view, query, frame)}`,
  })
}

function nothingAsked(frame: Frame): Html {
  return html`<p class="empty">Type a project’s name, or words of its summary, into the field above. <a href="${homeHref(frame.root)}">All indexes</a></p>`
}

function nothingFound(query: string, frame: Frame): Html {
  return html`<p class="empty">Nothing here matches <strong>${query}</strong>. The search covers what has been uploaded or fetched; a mirror may offer more than that to installers. <a href="${homeHref(frame.root)}">All indexes</a></p>`
}

function found(view: SearchView, query: string, frame: Frame): Html {
  return html`<p>${view.more ? `The first ${countOf(view.hits.length, 'project')}` : countOf(view.hits.length, 'project')} for <strong>${query}</strong></p>
<ul class="list">
${view.hits.map((hit) => projectItem(hit, hit.index, frame, hit.index))}</ul>
${view.more && html`<p class="empty">There are more. Add a word to narrow the search.</p>`}`
}
