/** The frame of every page for people: header with search, breadcrumbs, one `main`, footer. No script, no outside resource. */
import { type Html, html } from './html.ts'
import { homeHref, searchHref } from './links.ts'

export interface Crumb {
  readonly label: string
  /** Absent on the page itself. */
  readonly href?: string
}

export interface PageOptions {
  readonly title: string
  readonly root: string
  readonly version: string
  /** From the first thing below the server's root; empty on the home page. */
  readonly crumbs: readonly Crumb[]
  /** Shown in the search field. */
  readonly query?: string
  /** As wide as the window, for what has margins of its own. */
  readonly isWide?: boolean
  /** What stands in `main`, its `h1` included. */
  readonly body: Html
}

/** A whole page as text. Fits a policy of `default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'`. */
export function page(options: PageOptions): string {
  const title = options.title === PRODUCT ? PRODUCT : `${options.title} · ${PRODUCT}`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="${options.root}+static/style.css">
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header class="top">
<div class="wrap">
<a class="brand" href="${homeHref(options.root)}">${MARK}<span>${PRODUCT}</span></a>
<form class="search" role="search" action="${searchHref(options.root)}" method="get">
<label class="hidden" for="query">Search projects</label>
<input id="query" type="search" name="query" value="${options.query}" placeholder="Search projects" autocomplete="off" spellcheck="false">
<button type="submit">Search</button>
</form>
</div>
</header>
${options.crumbs.length > 0 && breadcrumbs(options)}
<main id="content" class="${options.isWide ? 'wide' : 'wrap'}" tabindex="-1">
${options.body}
</main>
<footer class="bottom">
<div class="wrap">${PRODUCT} ${options.version}</div>
</footer>
</body>
</html>
`.toString()
}

const PRODUCT = 'Airlock'

/** A round hatch: the mark in the header and, as a data address, the tab's icon. */
const MARK = html`<svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false"><circle cx="12" cy="12" r="10" fill="none" stroke="currentColor" stroke-width="2.4"/><circle cx="12" cy="12" r="4.6" fill="none" stroke="currentColor" stroke-width="2.4"/><path d="M12 2v5.4M12 16.6V22M2 12h5.4M16.6 12H22" stroke="currentColor" stroke-width="2.4"/></svg>`
const ICON = `data:image/svg+xml,${encodeURIComponent(
  MARK.toString().replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"').replaceAll('currentColor', '#0f6a73'),
)}`

function breadcrumbs(options: PageOptions): Html {
  return html`<nav class="crumbs" aria-label="Breadcrumbs">
<ol class="wrap">
<li><a href="${homeHref(options.root)}">Home</a></li>
${options.crumbs.map((crumb) =>
  crumb.href === undefined
    ? html`<li><span aria-current="page">${crumb.label}</span></li>\n`
    : html`<li><a href="${crumb.href}">${crumb.label}</a></li>\n`,
)}</ol>
</nav>`
}
