/** The words of an HTML page, as a stream. */
import { StringDecoder } from 'node:string_decoder'
import { Parser } from 'htmlparser2'

/** Elements without words of the page: code, and parts that every page repeats. */
const SKIPPED = new Set(['script', 'style', 'template', 'noscript', 'nav', 'header', 'footer', 'svg'])

/** Takes UTF-8; other encodings lose their special letters. */
export class HtmlText {
  readonly #decoder = new StringDecoder('utf8')
  readonly #parser: Parser
  readonly #limit: number
  #text = ''
  #skipping = 0

  /** `limitCharacters`: more of the text is left out. */
  constructor(limitCharacters: number) {
    this.#limit = limitCharacters
    this.#parser = new Parser({
      onopentag: (tag) => {
        if (SKIPPED.has(tag)) this.#skipping++
        // Words of neighbouring cells and paragraphs stay apart.
        else this.#add(' ')
      },
      onclosetag: (tag) => {
        if (SKIPPED.has(tag)) this.#skipping--
      },
      ontext: (text) => this.#add(text),
    })
  }

  write(chunk: Uint8Array): void {
    this.#parser.write(this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)))
  }

  /** The text with its white space folded. */
  end(): string {
    this.#parser.end()
    return this.#text.replace(/\s+/g, ' ').trim()
  }

  #add(text: string): void {
    if (this.#skipping > 0 || this.#text.length >= this.#limit) return
    this.#text += text.slice(0, this.#limit - this.#text.length)
  }
}
