/** The lines of a text, one at a time: a list of all of them would take several times the memory of the text. */

/** Without their ends, which are `\r\n`, `\n` or `\r`. A text that ends a line has an empty one behind it, as with `split`. */
export function* linesOf(text: string): Generator<string> {
  let feed = text.indexOf('\n')
  let carriage = text.indexOf('\r')
  let start = 0
  while (feed >= 0 || carriage >= 0) {
    const isFeed = carriage < 0 || (feed >= 0 && feed < carriage)
    const end = isFeed ? feed : carriage
    yield text.slice(start, end)
    start = end + (!isFeed && feed === end + 1 ? 2 : 1)
    // Looked for again only when it is behind: a text without one of them is not searched at each line.
    if (feed >= 0 && feed < start) feed = text.indexOf('\n', start)
    if (carriage >= 0 && carriage < start) carriage = text.indexOf('\r', start)
  }
  yield text.slice(start)
}
