/** Addresses of provenance objects: next to their file, like `.metadata`. */

const ENDING = '.provenance'

export function provenanceAddress(fileAddress: string): string {
  return fileAddress + ENDING
}

/** The file that the last part of an address asks the provenance of; `undefined` where it asks for something else. */
export function attestedFilename(lastPart: string): string | undefined {
  return lastPart.endsWith(ENDING) && lastPart.length > ENDING.length ? lastPart.slice(0, -ENDING.length) : undefined
}
