/** One project as an index sees it: its releases, newest first, and what is particular about it. */
import type { Frame, ProjectView, ReleaseLine, StatusView } from '../../browse/views.ts'
import { isPrerelease } from '../../pep/version.ts'
import { type Html, html } from '../html.ts'
import { type Crumb, page } from '../layout.ts'
import { documentationHref, indexHref, outsideHref, pathOf, simpleHref, userHref } from '../links.ts'
import { countOf, dayOf } from '../readable.ts'
import { installLines } from './install-lines.ts'
import { stateBadge } from './test-table.ts'

export function projectPage(view: ProjectView, frame: Frame): string {
  const latest = installableRelease(view.releases)
  const body = html`<h1>${view.name}</h1>
${view.summary !== undefined && html`<p class="lead">${view.summary}</p>`}
${notices(view, frame)}
${
  latest !== undefined &&
  html`<h2 class="hidden">Install</h2>
${installLines(frame, view.index, `${view.name}==${latest.version}`)}`
}
<p class="jump">${latest !== undefined && html`<a class="button" href="${indexHref(frame.root, view.index, view.name, latest.version)}">Files and description of ${latest.version}</a>`}
<a href="${simpleHref(frame.root, view.index, view.name)}">Simple API page</a>${upstreamLink(view)}</p>
<h2 id="releases">Releases</h2>
${releaseTable(view, frame)}`
  return page({
    title: view.name,
    root: frame.root,
    version: frame.version,
    crumbs: [...indexCrumbs(view.index, frame.root), { label: view.name }],
    body,
  })
}

/** The way to an index, for pages below it. */
export function indexCrumbs(index: string, root: string): Crumb[] {
  const user = index.split('/')[0] ?? index
  return [
    { label: user, href: userHref(root, user) },
    { label: index, href: indexHref(root, index) },
  ]
}

/** What a status forbids (PEP 792), in words, with the reason where one was given. */
export function statusNotice(status: StatusView | undefined): Html | undefined {
  if (status === undefined || status.status === 'active') return undefined
  return html`<div class="notice warn"><p><strong>This project is ${status.status}.</strong> ${MEANINGS.get(status.status)}${status.reason !== undefined && html` Reason: ${status.reason}`}</p></div>`
}

/**
 * The release that installers take when none is named: the newest final one that is not yanked, else the newest pre-release
 * that is not (PEP 440 "Handling of pre-releases", PEP 592). `undefined` when all are yanked.
 */
export function installableRelease(releases: readonly ReleaseLine[]): ReleaseLine | undefined {
  const standing = releases.filter((release) => !release.yanked)
  return standing.find((release) => !isPrerelease(release.version)) ?? standing[0]
}

const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['archived', 'No new releases are taken. What is there can be installed as before.'],
  ['deprecated', 'It can be installed as before; its owner advises against it.'],
  ['quarantined', 'It may do harm: none of its files is delivered, and no new ones are taken.'],
])

function notices(view: ProjectView, frame: Frame): Html {
  const mirrors = view.shadowedMirrors ?? []
  return html`${statusNotice(view.status)}${
    mirrors.length > 0 &&
    html`<div class="notice"><p><strong>Private name.</strong> This name is on a stage, so ${mirrors.map(
      (mirror, at) => html`${at > 0 && ', '}<a href="${indexHref(frame.root, mirror)}">${mirror}</a>`,
    )} ${mirrors.length === 1 ? 'was' : 'were'} not asked for it. To mix in files of that name, add it to the stage’s <code>mirror_whitelist</code>.</p></div>`
  }`
}

function upstreamLink(view: ProjectView): Html | undefined {
  const href = view.upstreamPage === undefined ? undefined : outsideHref(view.upstreamPage)
  return href === undefined ? undefined : html` <a href="${href}" rel="noreferrer">Page on upstream</a>`
}

function releaseTable(view: ProjectView, frame: Frame): Html {
  if (view.releases.length === 0) return html`<p class="empty">This index has no files of ${view.name}.</p>`
  return html`<table class="stack" role="table">
<caption class="hidden">Releases of ${view.name}, newest first</caption>
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Version</th><th role="columnheader" scope="col">Index</th><th role="columnheader" scope="col">Files</th><th role="columnheader" scope="col">Uploaded</th><th role="columnheader" scope="col">Documentation</th></tr></thead>
<tbody role="rowgroup">
${view.releases.map((release) => releaseRow(release, view, frame))}</tbody>
</table>`
}

function releaseRow(release: ReleaseLine, view: ProjectView, frame: Frame): Html {
  return html`<tr role="row"><td role="cell" class="first"><a href="${indexHref(frame.root, view.index, view.name, release.version)}">${release.version}</a>${
    isPrerelease(release.version) && html` <span class="badge">pre-release</span>`
  }${release.yanked && html` <span class="badge warn">yanked</span>`}${release.tests !== undefined && html` <a class="tests" href="${indexHref(frame.root, view.index, view.name, release.version)}#tests">tests</a> ${stateBadge(release.tests)}`}</td><td role="cell"><a href="${indexHref(frame.root, release.index)}">${release.index}</a></td><td role="cell">${countOf(release.files, 'file')}</td><td role="cell">${release.uploadTime !== undefined && dayOf(release.uploadTime)}</td><td role="cell">${documentation(release, view, frame)}</td></tr>
`
}

function documentation(release: ReleaseLine, { name }: ProjectView, { root }: Frame): Html | undefined {
  if (release.documentation === undefined) return undefined
  const { index, path } = release.documentation
  const { version } = release
  return html`<a href="${documentationHref(root, { index, name, version })}">${name}-${version}</a> (<a href="${root + pathOf(path)}">zip</a>)`
}
