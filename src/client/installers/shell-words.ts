/** Words as a shell reads them, for options that carry options of another program. */

/** Splits at spaces outside quotes (POSIX shell, "Quoting"; nothing is expanded); `undefined` for a quote that is never closed. */
export function shellWords(text: string): readonly string[] | undefined {
  const words: string[] = []
  const piece = /(\s+)|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/y
  let word: string | undefined
  while (piece.lastIndex < text.length) {
    const found = piece.exec(text)
    if (found === null) return undefined
    const [, space, single, double, escaped, plain] = found
    if (space === undefined) {
      word = (word ?? '') + (single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain)
    } else if (word !== undefined) {
      words.push(word)
      word = undefined
    }
  }
  return word === undefined ? words : [...words, word]
}
