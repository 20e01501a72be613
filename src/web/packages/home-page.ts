/** The home page: users with their indexes, and the first steps while there is no stage. */
import type { Frame, HomeView, IndexLine, UserView } from '../../browse/views.ts'
import { type Html, html } from '../html.ts'
import { page } from '../layout.ts'
import { indexHref, userHref } from '../links.ts'
import { line, shellWord } from './install-lines.ts'

export function homePage(view: HomeView, frame: Frame): string {
  const hasStage = view.users.some((user) => user.indexes.some((index) => index.type === 'stage'))
  const body = html`<div class="hero">
<h1>Package index</h1>
<p>Python packages of this site, private and mirrored. Point installers at an index below.</p>
</div>
${view.users.map((user) => userSection(user, frame))}
${!hasStage && firstSteps(frame)}`
  return page({ title: 'Airlock', root: frame.root, version: frame.version, crumbs: [], body })
}

/** A page of one user's indexes. */
export function userPage(view: UserView, frame: Frame): string {
  const body = html`<h1>${view.name}</h1>
${description(view)}
<h2>Indexes</h2>
${indexTable(view.indexes, frame, `Indexes of ${view.name}`)}`
  return page({
    title: view.name,
    root: frame.root,
    version: frame.version,
    crumbs: [{ label: view.name }],
    body,
  })
}

/** `stage` or `mirror`, as a badge. */
export function typeBadge(type: IndexLine['type']): Html {
  return html`<span class="badge ${type}">${type}</span>`
}

/** Title and description of a user or an index, where it has them. */
export function description(of: { readonly title?: string; readonly description?: string }): Html {
  return html`${of.title !== undefined && html`<p class="lead">${of.title}</p>`}
${of.description !== undefined && html`<p class="said">${of.description}</p>`}`
}

function userSection(user: UserView, frame: Frame): Html {
  return html`<section>
<h2><a href="${userHref(frame.root, user.name)}">${user.name}</a>${user.title !== undefined && html` <small>${user.title}</small>`}</h2>
${indexTable(user.indexes, frame, `Indexes of ${user.name}`)}
</section>
`
}

function indexTable(indexes: readonly IndexLine[], frame: Frame, label: string): Html {
  if (indexes.length === 0) return html`<p class="empty">No indexes yet.</p>`
  return html`<ul class="list" aria-label="${label}">
${indexes.map(
  (
    index,
  ) => html`<li><span class="what"><a href="${indexHref(frame.root, index.name)}">${index.name}</a> ${typeBadge(index.type)}</span>
<span class="about">${index.title ?? index.description}</span></li>
`,
)}</ul>`
}

function firstSteps(frame: Frame): Html {
  const steps: readonly (readonly [string, string])[] = [
    ['Choose this server', `devpi use ${shellWord(frame.serverUrl)}`],
    ['Log in', 'devpi login root --password ""'],
    ['Create a stage that also serves what the mirror has', 'devpi index -c prod bases=root/pypi'],
    ['Use it', 'devpi use root/prod'],
    ['Upload your files', 'devpi upload dist/*'],
  ]
  return html`<section class="panel">
<h2>First steps</h2>
<p>There is no stage to upload to yet. These commands make one; <code>airlock</code> takes the same commands as <code>devpi</code>.</p>
<ol class="steps">
${steps.map(([what, command]) => html`<li>${what}${line('$', command)}</li>\n`)}</ol>
</section>`
}
