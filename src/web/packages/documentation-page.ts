/** The page around documentation that was sent: whose it is, where newer is, and the documentation itself in a frame. */
import type { DocumentationView } from '../../browse/attachment-views.ts'
import type { Frame } from '../../browse/views.ts'
import { html } from '../html.ts'
import { page } from '../layout.ts'
import { documentationHref, indexHref, pathOf } from '../links.ts'
import { indexCrumbs } from './project-page.ts'

/** The frame is closed to its content as well as by the policy that the content comes with: no origin, no way out. */
const SANDBOX = 'allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads'

export function documentationPage(view: DocumentationView, frame: Frame): string {
  const { root } = frame
  const { index, name, version } = view
  const shown = { index, name, version: view.asked }
  const bare = documentationHref(root, shown, '+doc', view.path) + (view.query === '' ? '' : `?${view.query}`)
  const newest = (which: 'latest' | 'stable') => documentationHref(root, { index, name, version: which })
  const body = html`<div class="wrap">
<h1>${name} <span class="version">${version}</span> documentation</h1>
${
  view.missing !== undefined &&
  html`<div class="notice"><p>The latest available documentation (version ${version}) is older than the latest version, <a href="${indexHref(root, index, name, view.missing)}">${view.missing}</a>.</p></div>`
}
<nav class="jump" aria-label="Documentation">${view.hasLatest && html`<a href="${newest('latest')}">Latest documentation</a> `}${view.hasStable && html`<a href="${newest('stable')}">Stable documentation</a> `}<a href="${indexHref(root, index, name, version)}">Release ${version}</a> <a href="${bare}">Without this frame</a> <a href="${root + pathOf(view.zipPath)}">Download as zip</a></nav>
</div>
<iframe class="documentation" title="Documentation of ${name} ${version}" src="${bare}" sandbox="${SANDBOX}"></iframe>`
  return page({
    title: `${name} ${version} documentation`,
    root,
    version: frame.version,
    isWide: true,
    crumbs: [
      ...indexCrumbs(index, root),
      { label: name, href: indexHref(root, index, name) },
      { label: version, href: indexHref(root, index, name, version) },
      { label: 'Documentation' },
    ],
    body,
  })
}
