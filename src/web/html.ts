/** HTML as a value: `html` escapes whatever is put into it, so a page can only say what its data says. */

/** Finished HTML text. Only `html` and `raw` make it; everything else is text and gets escaped. */
export class Html {
  readonly #text: string

  /** @internal Use `html` or `raw`. */
  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** What may stand in a placeholder. `undefined` and `false` leave nothing behind, arrays are joined without a separator. */
export type HtmlValue = Html | string | number | false | undefined | readonly HtmlValue[]

/**
 * Builds HTML from a template, escaping every value that is not `Html` already.
 *
 * Placeholders stand in text or inside a quoted attribute; anywhere else in a tag escaping would not protect, so that throws
 * `TypeError`, as does finished HTML inside an attribute.
 */
export function html(template: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const places = placesOf(template)
  let text = template[0] ?? ''
  for (const [at, value] of values.entries()) {
    text += places[at] === 'attribute' ? attributeText(value) : contentText(value)
    text += template[at + 1] ?? ''
  }
  return new Html(text)
}

/** Marks text as HTML that needs no escaping. Only for what a sanitizer or this program made. */
export function raw(text: string): Html {
  return new Html(text)
}

type Place = 'content' | 'attribute'

/** Templates are constants of the program: each is looked through once. */
const known = new WeakMap<TemplateStringsArray, readonly Place[]>()

function placesOf(template: TemplateStringsArray): readonly Place[] {
  let places = known.get(template)
  if (places === undefined) {
    places = findPlaces(template)
    known.set(template, places)
  }
  return places
}

function findPlaces(template: TemplateStringsArray): Place[] {
  const places: Place[] = []
  let state: 'content' | 'tag' | '"' | "'" = 'content'
  for (const part of template.slice(0, -1)) {
    for (const character of part) {
      if (state === 'content') state = character === '<' ? 'tag' : 'content'
      else if (state !== 'tag') state = character === state ? 'tag' : state
      else if (character === '>') state = 'content'
      else if (character === '"' || character === "'") state = character
    }
    if (state === 'tag') {
      throw new TypeError(`Cannot put a value after ${JSON.stringify(part.slice(-40))}: quote the attribute`)
    }
    places.push(state === 'content' ? 'content' : 'attribute')
  }
  return places
}

function contentText(value: HtmlValue): string {
  if (value instanceof Html) return value.toString()
  if (Array.isArray(value)) return (value as readonly HtmlValue[]).map(contentText).join('')
  return escaped(value)
}

function attributeText(value: HtmlValue): string {
  if (value instanceof Html) throw new TypeError('Cannot put finished HTML into an attribute: pass the text itself')
  if (Array.isArray(value)) return (value as readonly HtmlValue[]).map(attributeText).join('')
  return escaped(value)
}

function escaped(value: HtmlValue): string {
  if (value === undefined || value === false) return ''
  return String(value).replace(/[&<>"'\0]/g, (character) => ESCAPES[character] ?? '')
}

/** NUL is no character in HTML and is left out. */
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
