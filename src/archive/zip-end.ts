/** Finds a zip's end record, which locates everything else, without the zip library. */

const END_SIGNATURE = Buffer.from('PK\x05\x06', 'latin1')
const END_BYTES = 22
/** Stands before the end record where there are more members or bytes than that can count. */
export const ZIP64_LOCATOR_BYTES = 20
/** As much of a zip's end as can hold its end record, with the longest comment. */
export const ZIP_END_BYTES = ZIP64_LOCATOR_BYTES + END_BYTES + 0xffff

/**
 * Where in the last bytes of a zip its end record begins, where all of it that a reader needs is among them; `undefined`
 * where it may lie before them, or is no zip's end.
 */
export function findZipEnd(tail: Buffer): number | undefined {
  const at = tail.lastIndexOf(END_SIGNATURE)
  return at < ZIP64_LOCATOR_BYTES || at + END_BYTES > tail.length ? undefined : at
}
