/** The test results of a file: all of them in a table, and one in full. */
import type { TestResultView, TestsView } from '../../browse/attachment-views.ts'
import { phaseOf, stateOf, type ToxCommand, type ToxEnvironment } from '../../browse/tox-report.ts'
import type { Frame } from '../../browse/views.ts'
import { type Html, html } from '../html.ts'
import { type Crumb, page } from '../layout.ts'
import { indexHref, pathOf, testAnchor, testsHref } from '../links.ts'
import { indexCrumbs } from './project-page.ts'
import { stateBadge, testTable } from './test-table.ts'

type Of = Pick<TestsView, 'index' | 'name' | 'version' | 'filename'>

export function testsPage(view: TestsView, frame: Frame): string {
  return page({
    title: `Test results of ${view.filename}`,
    root: frame.root,
    version: frame.version,
    crumbs: [...releaseCrumbs(view, frame), { label: 'Test results' }],
    body: html`<h1>Test results</h1>
<p class="lead">${view.filename}</p>
${testTable(view, view.lines, frame.root)}`,
  })
}

export function testResultPage(view: TestResultView, frame: Frame): string {
  const { environments } = view
  return page({
    title: `Test result of ${view.filename}`,
    root: frame.root,
    version: frame.version,
    crumbs: [
      ...releaseCrumbs(view, frame),
      { label: 'Test results', href: testsHref(frame.root, view) },
      { label: view.result },
    ],
    body: html`<h1>Test result</h1>
<p class="lead">${view.result}</p>
<p class="jump"><a href="${frame.root + pathOf(view.path)}">Download as JSON</a></p>
${
  environments === undefined
    ? html`<p class="empty">This result cannot be read: it is no report of tox, or too large to be shown. It can be downloaded.</p>`
    : environments.length === 0
      ? html`<p class="empty">This result tells of no environment.</p>`
      : environments.map(environmentSection)
}`,
  })
}

/** Of what a command printed; what is left out can be downloaded. */
const OUTPUT_CHARACTERS = 256 * 1024

function releaseCrumbs({ index, name, version }: Of, { root }: Frame): Crumb[] {
  return [
    ...indexCrumbs(index, root),
    { label: name, href: indexHref(root, index, name) },
    { label: version, href: indexHref(root, index, name, version) },
  ]
}

function environmentSection(environment: ToxEnvironment): Html {
  const { host, platform, name, python, setup, test } = environment
  const anchor = testAnchor(host, platform, name)
  return html`<section>
<h2 id="${anchor}">${name} ${stateBadge(stateOf(phaseOf(setup), phaseOf(test)))}</h2>
<p>Host ${host}, platform ${platform}${python !== undefined && html`, Python ${python}`}</p>
<h3 id="${anchor}-setup">Setup</h3>
${setup.length === 0 ? html`<p class="empty">No setup was performed.</p>` : setup.map(commandBlock)}
<h3 id="${anchor}-test">Tests</h3>
${test.length === 0 ? html`<p class="empty">No tests were run.</p>` : test.map(commandBlock)}
</section>
`
}

function commandBlock({ command, output, isFailed }: ToxCommand): Html {
  const shown = output.slice(-OUTPUT_CHARACTERS)
  return html`<div class="run"><p><code>${command}</code> ${stateBadge(isFailed ? 'failed' : 'passed')}</p>
${output.length > shown.length && html`<p class="empty">Only the end of the output is shown.</p>`}${shown.trim() !== '' && html`<pre tabindex="0">${shown}</pre>`}</div>
`
}
