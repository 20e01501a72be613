/** Finds the one metadata file of an archive. */
import { quoted } from './fault.ts'
import { ArchiveError } from './source.ts'

/** The metadata file looked for. */
export interface MetadataPlace {
  /** The file's name, for messages. */
  readonly name: string
  /** Whether a member with this path is such a file. */
  isPlace(path: string): boolean
  /** Whether such a file belongs to the release that the archive's filename tells. */
  isRight(path: string): boolean
}

/** Throws `ArchiveError` unless exactly one of `paths` is there, and it is the right one. */
export function checkPlaces(place: MetadataPlace, paths: readonly string[]): void {
  const [path, ...more] = paths
  if (path === undefined)
    throw new ArchiveError('no-metadata', `it contains no ${place.name} where installers look for it`)
  if (more.length > 0) {
    throw new ArchiveError(
      'no-metadata',
      `it contains more than one ${place.name}: ${quoted(path)} and ${quoted(more[0]!)}`,
    )
  }
  if (!place.isRight(path)) {
    throw new ArchiveError('no-metadata', `its ${quoted(path)} belongs to another release than its filename says`)
  }
}
