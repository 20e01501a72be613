/** Test results in a table, for the page of a release and the page of all results. */
import type { TestLine } from '../../browse/attachment-views.ts'
import type { ToxPhase, ToxState } from '../../browse/tox-report.ts'
import { type Html, html } from '../html.ts'
import { testAnchor, testsHref } from '../links.ts'

/** A row for each run in each environment, with links to what was printed. */
export function testTable(
  file: { readonly index: string; readonly name: string; readonly version: string; readonly filename: string },
  lines: readonly TestLine[],
  root: string,
): Html {
  return html`<table class="stack files" role="table">
<caption class="hidden">Test results of ${file.filename}</caption>
<thead role="rowgroup"><tr role="row">${['Environment', 'Result', 'Python', 'Host', 'Platform', 'Setup', 'Tests'].map(
    (label) => html`<th role="columnheader" scope="col">${label}</th>`,
  )}</tr></thead>
<tbody role="rowgroup">
${lines.map((line) => testRow(line, testsHref(root, file, line.result)))}</tbody>
</table>`
}

export function stateBadge(state: ToxState): Html {
  return html`<span class="badge ${state === 'passed' ? 'stage' : state === 'failed' ? 'warn' : ''}">${state}</span>`
}

const SETUP: Readonly<Record<ToxPhase, string>> = { none: 'none', passed: 'done', failed: 'failed' }
const TEST: Readonly<Record<ToxPhase, string>> = { none: 'not run', passed: 'passed', failed: 'failed' }
const WHY = {
  unreadable: 'This result cannot be read.',
  unread: 'Not read for this page: there are too many or too large results.',
} as const

function testRow(line: TestLine, href: string): Html {
  if (line.environment === undefined) {
    return html`<tr role="row"><td role="cell" class="first"><a href="${href}">${line.result}</a> ${stateBadge(line.state)}</td><td role="cell" colspan="6">${line.why !== undefined && WHY[line.why]}</td></tr>
`
  }
  const anchor = `${href}#${encodeURIComponent(testAnchor(line.host, line.platform, line.environment))}`
  return html`<tr role="row"><td role="cell" class="first"><a href="${anchor}">${line.environment}</a></td><td role="cell">${stateBadge(line.state)}</td><td role="cell">${line.python}</td><td role="cell">${line.host}</td><td role="cell">${line.platform}</td><td role="cell">${line.setup !== undefined && html`<a href="${anchor}-setup">${SETUP[line.setup]}</a>`}</td><td role="cell">${line.test !== undefined && html`<a href="${anchor}-test">${TEST[line.test]}</a>`}</td></tr>
`
}
