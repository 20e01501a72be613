/** The error page for people. */

import type { Frame } from '../browse/views.ts'
import { html } from './html.ts'
import { page } from './layout.ts'
import { homeHref } from './links.ts'

export interface ProblemView {
  /** The HTTP status, shown as it is. */
  readonly status: number
  /** A few words: `No such index`. */
  readonly title: string
  readonly message: string
  /** What can be done about it. */
  readonly hint?: string
}

export function problemPage(view: ProblemView, frame: Frame): string {
  return page({
    title: view.title,
    root: frame.root,
    version: frame.version,
    crumbs: [{ label: view.title }],
    body: html`<div class="problem">
<p class="status">${view.status}</p>
<h1>${view.title}</h1>
<p class="lead">${view.message}</p>
${view.hint !== undefined && html`<p><strong>Hint:</strong> ${view.hint}</p>`}
<p class="jump"><a class="button" href="${homeHref(frame.root)}">All indexes</a></p>
</div>`,
  })
}
