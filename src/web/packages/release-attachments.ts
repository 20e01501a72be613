/** The page of a release: documentation, test results and the files' history. */
import type { FileHistory } from '../../browse/attachment-views.ts'
import type { ReleaseView } from '../../browse/views.ts'
import { type Html, html } from '../html.ts'
import { documentationHref, indexHref, pathOf, testsHref } from '../links.ts'
import { dayOf } from '../readable.ts'
import { testTable } from './test-table.ts'

/** For the row of links on top. */
export function documentationLink({ documentation, name, version }: ReleaseView, root: string): Html | undefined {
  if (documentation === undefined) return undefined
  const { index, path, isReadable } = documentation
  return html`${isReadable && html`<a href="${documentationHref(root, { index, name, version })}">Documentation</a> `}<a href="${root + pathOf(path)}">Documentation as zip</a> `
}

export function testsSection(view: ReleaseView, root: string): Html | undefined {
  if (view.tests === undefined) return undefined
  const { name, version } = view
  return html`<section aria-labelledby="tests">
<h2 id="tests">Test results</h2>
${view.tests.map(({ index, filename, lines }) => {
  const file = { index, name, version, filename }
  return html`<h3>${filename}</h3>
${lines.length > 0 ? testTable(file, lines, root) : html`<p class="empty">The results of this file cannot be shown here.</p>`}
<p><a href="${testsHref(root, file)}">All test results of this file</a></p>
`
})}</section>`
}

export function historySection(view: ReleaseView, root: string): Html | undefined {
  if (view.history === undefined) return undefined
  return html`<section aria-labelledby="history">
<h2 id="history">History</h2>
<dl class="facts">
${view.history.map(
  ({ filename, events }) =>
    html`<div><dt>${filename}</dt><dd><ul>${events.map((event) => html`<li>${eventLine(event, root)}</li>`)}</ul></dd></div>\n`,
)}</dl>
</section>`
}

const WHAT = { uploaded: 'Uploaded', pushed: 'Pushed', replaced: 'Replaced' } as const

function eventLine({ what, who, when, from, to, count }: FileHistory['events'][number], root: string): Html {
  const index = (name: string) => html`<a href="${indexHref(root, name)}">${name}</a>`
  return html`${WHAT[what]}${from !== undefined && html` from ${index(from)}`}${to !== undefined && html` to ${index(to)}`}${who !== undefined && ` by ${who}`}${count !== undefined && ` ${count} ${count === 1 ? 'time' : 'times'}`}${when !== undefined && html` ${dayOf(when)}`}`
}
