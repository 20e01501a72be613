/** One index: what it is, how to install from it, and the projects on it. */
import type { Frame, IndexView, ProjectLine } from '../../browse/views.ts'
import { type Html, html } from '../html.ts'
import { page } from '../layout.ts'
import { documentationHref, indexHref, indexPageHref, outsideHref, simpleHref, userHref } from '../links.ts'
import { description, typeBadge } from './home-page.ts'
import { installLines, uploadLines } from './install-lines.ts'
import { stateBadge } from './test-table.ts'

export function indexPage(view: IndexView, frame: Frame): string {
  const { root, version } = frame
  const user = view.name.split('/')[0] ?? view.name
  const body = html`<h1>${view.name} ${typeBadge(view.type)}${view.type === 'stage' && view.volatile && html` <span class="badge">volatile</span>`}</h1>
${description(view)}
<h2 class="hidden">Install from this index</h2>
${installLines(frame, view.name, 'PROJECT')}
${view.type === 'stage' && html`<details class="fold"><summary>Upload to this index</summary>${uploadLines(frame, view.name)}</details>`}
<div class="columns">
<section class="main">
<h2 id="projects">Projects</h2>
${projects(view, frame)}
</section>
<aside aria-label="About this index">
<h2>About this index</h2>
${about(view, frame)}
</aside>
</div>`
  return page({
    title: view.name,
    root,
    version,
    crumbs: [{ label: user, href: userHref(root, user) }, { label: view.name }],
    body,
  })
}

function projects(view: IndexView, frame: Frame): Html {
  if (view.projects.length === 0) {
    return view.after !== undefined
      ? html`<p class="empty">No more projects. <a href="${indexHref(frame.root, view.name)}">Back to the first ones</a></p>`
      : view.type === 'mirror'
        ? html`<p class="empty">Nothing has been fetched through this mirror yet. A project appears here once an installer has asked for one of its files.</p>`
        : html`<p class="empty">Nothing has been uploaded to this index yet.</p>`
  }
  return html`<ul class="list">
${view.projects.map((project) => projectItem(project, view.name, frame))}</ul>
${(view.next !== undefined || view.after !== undefined) && pager(view, frame)}`
}

/** A project in a list, with where it is when the list spans indexes. */
export function projectItem(project: ProjectLine, index: string, frame: Frame, shownIndex?: string): Html {
  return html`<li><span class="what"><a href="${indexHref(frame.root, index, project.name)}">${project.name}</a>${
    project.version !== undefined && html` <span class="version">${project.version}</span>`
  }${statusBadge(project)}${attachments(project, index, frame)}${shownIndex !== undefined && html` <a class="where" href="${indexHref(frame.root, shownIndex)}">${shownIndex}</a>`}</span>
<span class="about">${project.summary}</span></li>
`
}

function statusBadge({ status }: ProjectLine): Html | undefined {
  if (status === undefined || status.status === 'active') return undefined
  return html` <span class="badge warn" title="${status.reason ?? ''}">${status.status}</span>`
}

function attachments({ name, version, isDocumented, tests }: ProjectLine, index: string, { root }: Frame): Html {
  return html`${version !== undefined && isDocumented && html` <a class="where" href="${documentationHref(root, { index, name, version })}">documentation</a>`}${
    version !== undefined &&
    tests !== undefined &&
    html` <a class="where" href="${indexHref(root, index, name, version)}#tests">tests</a> ${stateBadge(tests)}`
  }`
}

function pager(view: IndexView, frame: Frame): Html {
  return html`<nav class="pager" aria-label="More projects">
${view.after !== undefined && html`<a href="${indexHref(frame.root, view.name)}">First page</a>`}
${view.next !== undefined && html`<a class="button" rel="next" href="${indexPageHref(frame.root, view.name, view.next)}">More projects</a>`}
</nav>`
}

function about(view: IndexView, frame: Frame): Html {
  const upstream = view.upstream === undefined ? undefined : outsideHref(view.upstream)
  const facts: readonly (readonly [string, Html | undefined])[] = [
    ['Simple API', html`<a href="${simpleHref(frame.root, view.name)}">+simple/</a>`],
    [
      'Upstream',
      view.upstream === undefined
        ? undefined
        : upstream === undefined
          ? html`${view.upstream}`
          : html`<a href="${upstream}" rel="noreferrer">${view.upstream}</a>`,
    ],
    [
      'Bases',
      view.type === 'mirror' ? undefined : view.bases.length === 0 ? html`none` : indexLinks(view.bases, frame),
    ],
    [
      'Files may be replaced',
      view.type === 'mirror'
        ? undefined
        : html`${view.volatile ? 'yes, this index is volatile' : 'no, uploads are final'}`,
    ],
    ['May upload', view.type === 'mirror' ? undefined : html`${view.aclUpload.join(', ') || 'nobody'}`],
    [
      'Also taken from mirrors',
      view.mirrorWhitelist.length === 0 ? undefined : html`${view.mirrorWhitelist.join(', ')}`,
    ],
  ]
  return html`<dl class="facts">
${facts.map(([label, value]) => value !== undefined && html`<div><dt>${label}</dt><dd>${value}</dd></div>\n`)}</dl>`
}

function indexLinks(names: readonly string[], frame: Frame): Html {
  return html`${names.map((name, at) => html`${at > 0 && ', '}<a href="${indexHref(frame.root, name)}">${name}</a>`)}`
}
