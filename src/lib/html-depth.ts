/** A bound on the nesting of HTML elements. */

/**
 * Browsers stop at 512, and pages of people stay below 50. A parser looks through all open elements at each end tag: without a
 * bound it takes time by the square of the page.
 */
export const HTML_DEPTH_MOST = 256

/** What `HtmlDepth` throws. */
export class HtmlTooDeep extends Error {
  override readonly name = 'HtmlTooDeep'
  constructor() {
    super(`it has elements nested deeper than ${HTML_DEPTH_MOST} levels`)
  }
}

/** Counts along with a parser that tells of each element's start and end. */
export class HtmlDepth {
  #depth = 0

  /** An element was opened. Throws `HtmlTooDeep`. */
  enter(): void {
    if (++this.#depth > HTML_DEPTH_MOST) throw new HtmlTooDeep()
  }

  /** One was closed. */
  leave(): void {
    this.#depth--
  }
}
