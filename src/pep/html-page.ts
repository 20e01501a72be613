/** An index's HTML page read as a stream, whichever of the two pages of PEP 503 it is. */
import { createRequire } from 'node:module'
import type { Parser } from 'htmlparser2'
import { HtmlDepth, HtmlTooDeep } from '../lib/html-depth.ts'
import { checkApiVersion, readStamp } from './file-facts.ts'

/** A link's text is a name; more of it is not kept. */
const LINK_TEXT_MAX = 1000

/** What a page with nothing on it is made of. */
const BLANK_TAGS = new Set(['html', 'head', 'meta', 'title', 'body'])

/** An element's attributes: names in lower case, values decoded. */
export type Attributes = Readonly<Record<string, string>>

/** An HTML page as a stream of links, with what is known of the page besides. Throws `SyntaxError` for a page that is no index. */
export class HtmlPage {
  readonly metas = new Map<string, string>()
  lastStamp: number | undefined
  onBase: (href: string) => void = () => {}
  /** The text of `<title>`, as it stands there. */
  title = ''
  /** The text of the first `<h1>`. */
  heading = ''
  /** Nothing for people is on the page: no title or text, no picture, form, script or link, and it leads nowhere by itself. */
  isBlank = true
  /** The page opened `<html>` or `<body>`. */
  hasFrame = false
  private opened: 'html' | 'body' | undefined
  private closed = new Set<string>()
  private link: Attributes | undefined
  private linkText = ''
  private isInTitle = false
  private isInHeading = false
  private headings = 0
  private hasBase = false
  private readonly depth = new HtmlDepth()
  private readonly parser: Parser
  private readonly onLink: (attributes: Attributes, text: string) => void

  constructor(onLink: (attributes: Attributes, text: string) => void) {
    this.onLink = onLink
    // Loaded with the first page from elsewhere: a server without mirrors reads none.
    const { Parser } = createRequire(import.meta.url)('htmlparser2') as typeof import('htmlparser2')
    this.parser = new Parser({
      onopentag: (tag, attributes) => this.open(tag, attributes),
      onclosetag: (tag, isImplied) => this.close(tag, isImplied),
      ontext: (text) => {
        if (this.link !== undefined && this.linkText.length < LINK_TEXT_MAX) this.linkText += text
        if (this.isInTitle && this.title.length < LINK_TEXT_MAX) this.title += text
        if (this.isInHeading && this.heading.length < LINK_TEXT_MAX) this.heading += text
        if (this.isBlank && text.trim() !== '') this.isBlank = false
      },
      oncomment: (text) => {
        this.lastStamp ??= readStamp(/^\s*SERIAL (\d+)\s*$/.exec(text)?.[1])
      },
    })
  }

  /** Whether the end of what was opened, `</html>` or else `</body>`, has been seen. */
  get isComplete(): boolean {
    return this.opened === undefined ? this.closed.size > 0 : this.closed.has(this.opened)
  }

  write(text: string): void {
    try {
      this.parser.write(text)
    } catch (error) {
      if (!(error instanceof HtmlTooDeep)) throw error
      throw new SyntaxError(`Cannot read index page: ${error.message}`, { cause: error })
    }
  }

  end(): void {
    this.parser.end()
  }

  private open(tag: string, attributes: Attributes): void {
    this.depth.enter()
    if (!BLANK_TAGS.has(tag) || attributes['http-equiv']?.toLowerCase() === 'refresh') this.isBlank = false
    if (tag === 'a') {
      this.endLink()
      this.link = attributes
      return
    }
    if (tag === 'title') this.isInTitle = true
    if (tag === 'h1') this.isInHeading = ++this.headings === 1
    if (tag === 'html' || (tag === 'body' && this.opened === undefined)) this.opened = tag
    if (tag === 'base' && !this.hasBase && attributes.href !== undefined) {
      this.hasBase = true
      this.onBase(attributes.href)
    }
    if (tag === 'meta' && attributes.name?.toLowerCase().startsWith('pypi:')) {
      const name = attributes.name.toLowerCase()
      if (name === 'pypi:repository-version') checkApiVersion(attributes.content)
      this.metas.set(name, attributes.content ?? '')
    }
    if (tag === 'input' && attributes.type?.toLowerCase() === 'password') {
      throw new SyntaxError('Cannot read index page: it is a form that asks for a password')
    }
    this.hasFrame = this.opened !== undefined
  }

  private close(tag: string, isImplied: boolean): void {
    this.depth.leave()
    if (tag === 'a') this.endLink()
    if (tag === 'title') this.isInTitle = false
    if (tag === 'h1') this.isInHeading = false
    if (!isImplied && (tag === 'html' || tag === 'body')) this.closed.add(tag)
  }

  private endLink(): void {
    if (this.link === undefined) return
    const [link, text] = [this.link, this.linkText]
    this.link = undefined
    this.linkText = ''
    this.onLink(link, text)
  }
}
