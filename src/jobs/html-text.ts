/** The words of an HTML page, as a stream. */
import { StringDecoder } from 'node:string_decoder'
import { Parser } from 'htmlparser2'
import { HtmlDepth, HtmlTooDeep } from '../lib/html-depth.ts'

/** Elements without words of the page: code, and parts that every page repeats. */
const SKIPPED = new Set(['script', 'style', 'template', 'noscript', 'nav', 'header', 'footer', 'svg'])

/** Takes UTF-8; other encodings lose their special letters. What stands behind elements that are nested too deep is left out. */
export class HtmlText {
  readonly #decoder = new StringDecoder('utf8')
  readonly #depth = new HtmlDepth()
  readonly #parser: Parser
  readonly #limit: number
  #text = ''
  #skipping = 0
  #isOver = false

  /** `limitCharacters`: more of the text is left out. */
  constructor(limitCharacters: number) {
    this.#limit = limitCharacters
    this.#parser = new Parser({
      onopentag: (tag) => {
        this.#depth.enter()
        if (SKIPPED.has(tag)) this.#skipping++
        // Words of neighbouring cells and paragraphs stay apart.
        else this.#add(' ')
      },
      onclosetag: (tag) => {
        this.#depth.leave()
        if (SKIPPED.has(tag)) this.#skipping--
      },
      ontext: (text) => this.#add(text),
    })
  }

  write(chunk: Uint8Array): void {
    if (this.#isOver) return
    try {
      this.#parser.write(this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)))
    } catch (error) {
      if (!(error instanceof HtmlTooDeep)) throw error
      this.#isOver = true
    }
  }

  /** The text with its white space folded. */
  end(): string {
    if (!this.#isOver) this.#parser.end()
    return this.#text.replace(/\s+/g, ' ').trim()
  }

  #add(text: string): void {
    if (this.#skipping > 0 || this.#text.length >= this.#limit) return
    this.#text += text.slice(0, this.#limit - this.#text.length)
  }
}
