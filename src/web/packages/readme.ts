/** A release's description as HTML that can stand in a page. */
import { MIMEType } from 'node:util'
import MarkdownIt from 'markdown-it'
import { type Html, html } from '../html.ts'
import { cleanReadme } from './readme-clean.ts'
import { htmlOfRst } from './readme-rst.ts'
import { withinTime } from './time-box.ts'

export interface Readme {
  readonly text: string
  /** Core metadata's Description-Content-Type, parameters included. */
  readonly contentType?: string
}

export interface ReadmeLimits {
  /** A longer text is shown as it is. */
  readonly readmeBytes: number
  /** A text that takes longer to render is shown as it is. */
  readonly readmeMs?: number
}

/** The markup a description is written in. Everything that is neither Markdown nor reStructuredText is plain. */
export type Markup = 'gfm' | 'commonmark' | 'rst' | 'plain'

/**
 * Renders a description. What is too long, takes too long or cannot be read in its markup is shown as plain text, escaped in
 * `<pre>`: a README is worth reading even so, and nothing in it may cost the page.
 */
export function renderReadme(description: Readme, limits: ReadmeLimits): Html {
  const { text } = description
  const markup = markupOf(description.contentType)
  if (markup === 'plain' || Buffer.byteLength(text) > limits.readmeBytes) return plain(text)
  try {
    return withinTime(limits.readmeMs ?? READ_MS, () =>
      cleanReadme(markup === 'rst' ? htmlOfRst(text) : MARKDOWN[markup].render(text)),
    )
  } catch {
    return plain(text)
  }
}

/**
 * Reads a Description-Content-Type. Absent means reStructuredText, and Markdown without a variant means GFM (core metadata
 * specification, "Description-Content-Type").
 */
export function markupOf(contentType: string | undefined): Markup {
  const given = contentType?.trim() ?? ''
  if (given === '' || given.toUpperCase() === 'UNKNOWN') return 'rst'
  let type: MIMEType
  try {
    type = new MIMEType(given)
  } catch {
    return 'plain'
  }
  if (type.essence === 'text/x-rst') return 'rst'
  if (type.essence !== 'text/markdown') return 'plain'
  return type.params.get('variant')?.toLowerCase() === 'commonmark' ? 'commonmark' : 'gfm'
}

/** Real READMEs take some ten milliseconds; all other requests wait meanwhile. */
const READ_MS = 400

const MARKDOWN = {
  gfm: withHeadingIds(new MarkdownIt('default', { html: true, linkify: true })),
  commonmark: withHeadingIds(new MarkdownIt('commonmark', { html: true, maxNesting: 100 })),
}
// Without a scheme a "setup.py" would become a link to Paraguay.
MARKDOWN.gfm.linkify.set({ fuzzyLink: false, fuzzyEmail: false })

function plain(text: string): Html {
  return html`<pre class="plain" tabindex="0">${text}</pre>`
}

type Markdown = InstanceType<typeof MarkdownIt>

/** Gives headings the ids that tables of contents in READMEs count on: GitHub's, numbered when they come again. */
function withHeadingIds(markdown: Markdown): Markdown {
  markdown.core.ruler.push('heading-ids', (state) => {
    const seen = new Map<string, number>()
    for (const [at, token] of state.tokens.entries()) {
      if (token.type !== 'heading_open') continue
      const words = (state.tokens[at + 1]?.children ?? []).map((child) =>
        child.type === 'text' || child.type === 'code_inline' ? child.content : '',
      )
      const slug = words
        .join('')
        .trim()
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
        .replace(/\s/g, '-')
      const times = seen.get(slug) ?? 0
      seen.set(slug, times + 1)
      token.attrSet('id', times === 0 ? slug : `${slug}-${times}`)
    }
  })
  return markdown
}
