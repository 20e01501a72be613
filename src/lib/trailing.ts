/** Removes the characters at the end of a text, in linear time. */

/**
 * `text` without the `character`s at its end. A pattern such as `/\/+$/` begins anew at each of them where something else stands
 * behind, and takes time by the square of their number.
 */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length
  while (end > 0 && text[end - 1] === character) end--
  return text.slice(0, end)
}
