/**
 * An HTML sanitizer with an allow-list: the remaining HTML cannot run, load, submit, style or imitate the page around it.
 */
import sanitize from 'sanitize-html'
import { HtmlDepth } from '../../lib/html-depth.ts'
import { type Html, raw } from '../html.ts'
import { outsideHref } from '../links.ts'

/** Every element that can be left. */
export const README_TAGS: readonly string[] = [
  ...[
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'p',
    'div',
    'br',
    'hr',
    'pre',
    'blockquote',
    'figure',
    'figcaption',
    'details',
    'summary',
  ],
  ...['ul', 'ol', 'li', 'dl', 'dt', 'dd', 'table', 'caption', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td'],
  ...[
    'a',
    'abbr',
    'b',
    'cite',
    'code',
    'del',
    'dfn',
    'em',
    'i',
    'ins',
    'kbd',
    'mark',
    'q',
    's',
    'samp',
    'small',
    'span',
    'strong',
  ],
  ...['sub', 'sup', 'u', 'var'],
]

/** Every attribute that can be left, by element; `*` for all. */
export const README_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  '*': ['id'],
  a: ['href', 'rel', 'title', 'class'],
  abbr: ['title'],
  details: ['open'],
  div: ['class'],
  ol: ['start'],
  pre: ['tabindex'],
  td: ['colspan', 'rowspan', 'class'],
  th: ['colspan', 'rowspan', 'class'],
}

/** Ids get this in front, so that they are never one of the page's own. */
export const ID_PREFIX = 'readme-'

/** Browsers stop at 512; nobody reads a list in a list that deep. */
const NESTING_MAX = 60

/**
 * Cleans HTML made from a README. Headings go one level down, as the page has the first. Addresses are absolute http, https or
 * mailto, or point into the README itself. Images would be loaded from elsewhere: their text stands for them, linked where
 * there is no link around it. Throws `HtmlTooDeep`.
 */
export function cleanReadme(dirty: string): Html {
  const ids = new Set<string>()
  let openAnchors = 0
  const depth = new HtmlDepth()
  const clean = sanitize(dirty, {
    allowedTags: [...README_TAGS],
    allowedAttributes: Object.fromEntries(Object.entries(README_ATTRIBUTES).map(([tag, names]) => [tag, [...names]])),
    allowedClasses: { a: ['image'], div: ['admonition', 'line'], td: CELL_CLASSES, th: CELL_CLASSES },
    allowedSchemes: ['http', 'https', 'mailto'],
    allowProtocolRelative: false,
    nestingLimit: NESTING_MAX,
    parseStyleAttributes: false,
    onOpenTag: (tag) => {
      depth.enter()
      if (tag === 'a') openAnchors++
    },
    onCloseTag: (tag) => {
      depth.leave()
      if (tag === 'a') openAnchors--
    },
    transformTags: {
      img: (_tag, image) => imageText(image, openAnchors > 0),
      '*': (tag, attributes) => {
        const id = ownId(attributes.id, ids)
        const kept = { ...attributes }
        delete kept.id
        if (id !== undefined) kept.id = id
        if (tag === 'a') return anchor(kept, openAnchors > 1)
        if (tag === 'td' || tag === 'th') return { tagName: tag, attribs: cell(kept) }
        if (tag === 'ol' && !/^\d{1,6}$/.test(kept.start ?? '')) delete kept.start
        // A long line scrolls, and what scrolls must be reachable by keyboard.
        if (tag === 'pre') kept.tabindex = '0'
        if (tag === 'span' && kept.class === 'literal') return { tagName: 'code', attribs: kept }
        return { tagName: RENAMED[tag] ?? tag, attribs: kept }
      },
    },
  })
  return raw(clean)
}

const CELL_CLASSES = ['align-left', 'align-center', 'align-right']

const RENAMED: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  h1: 'h2',
  h2: 'h3',
  h3: 'h4',
  h4: 'h5',
  h5: 'h6',
  center: 'div',
  section: 'div',
  article: 'div',
  tt: 'code',
  strike: 's',
})

type Attributes = Record<string, string>

function ownId(id: string | undefined, taken: Set<string>): string | undefined {
  const own = id === undefined ? '' : id.toLowerCase().replace(/\s+/g, '-').slice(0, 200)
  if (own === '' || taken.has(own)) return undefined
  taken.add(own)
  return ID_PREFIX + own
}

function anchor(attributes: Attributes, isNested: boolean): { tagName: string; attribs: Attributes } {
  const { href = '', title, id, class: kind } = attributes
  const kept: Attributes = { ...(id !== undefined && { id }) }
  const target = href.trim()
  const address =
    target.startsWith('#') && target.length > 1 ? `#${ID_PREFIX}${target.slice(1).toLowerCase()}` : outsideHref(target)
  if (address === undefined || isNested) return { tagName: 'span', attribs: kept }
  kept.href = address
  kept.rel = 'nofollow noopener noreferrer'
  if (title !== undefined) kept.title = title
  if (kind !== undefined) kept.class = kind
  return { tagName: 'a', attribs: kept }
}

function imageText(image: Attributes, isLinked: boolean): { tagName: string; attribs: Attributes; text: string } {
  const href = outsideHref(image.src ?? '')
  const text =
    image.alt?.trim() ||
    href
      ?.split(/[?#]/)[0]
      ?.split('/')
      .findLast((part) => part !== '') ||
    'image'
  if (isLinked || href === undefined) return { tagName: 'span', attribs: {}, text }
  return { tagName: 'a', attribs: { href, class: 'image' }, text }
}

/** Markdown says a column's alignment as a style, older HTML as an attribute. */
function cell(attributes: Attributes): Attributes {
  const { style = '', align = '', colspan, rowspan, id } = attributes
  const side = /^(?:text-align:\s*)?(left|center|right)\s*;?$/i.exec((style || align).trim())?.[1]?.toLowerCase()
  return {
    ...(id !== undefined && { id }),
    ...(side !== undefined && { class: `align-${side}` }),
    ...(/^\d{1,2}$/.test(colspan ?? '') && { colspan: colspan as string }),
    ...(/^\d{1,2}$/.test(rowspan ?? '') && { rowspan: rowspan as string }),
  }
}
