/**
 * Finds the core metadata in a distribution archive and, on the way, whether the archive is whole: METADATA in a wheel
 * (PEP 427), PKG-INFO in an sdist (PEP 517, PEP 643). Only what is needed of a zip is read; a tar.gz is read to its end.
 */

import { isStemOf, parseFilename } from '../pep/filename.ts'
import { ArchiveError, type ArchiveLimits, type ArchiveSource, WatchedSource } from './source.ts'
import { readTarGz } from './tar-archive.ts'
import { readZip } from './zip-archive.ts'

export { ArchiveError, type ArchiveLimits, type ArchiveSource }

/** A metadata file's bytes, unchanged, and its path in the archive. */
export interface ArchivedMetadata {
  readonly bytes: Buffer
  readonly path: string
}

/**
 * The metadata of the archive named `filename`; `undefined` for kinds that carry none or that cannot be read here (eggs,
 * installers, bz2 and xz). Throws `ArchiveError` for an archive that is cut short, damaged, a compression bomb, or without
 * its one metadata file; errors of `source` pass through.
 */
export async function readArchiveMetadata(
  filename: string,
  source: ArchiveSource,
  limits: ArchiveLimits,
): Promise<ArchivedMetadata | undefined> {
  const parsed = parseFilename(filename)
  const watched = new WatchedSource(source)
  if (parsed?.kind === 'wheel') {
    return await readZip(watched, limits, {
      name: 'METADATA',
      isPlace: (path) => /^[^/]+\.dist-info\/METADATA$/.test(path),
      isRight: (path) => isStemOf(path.slice(0, path.indexOf('.dist-info/')), parsed.project, parsed.version),
    })
  }
  if (parsed?.kind !== 'sdist') return undefined
  // At the top as well: what is packed by hand may have no folder of its own, and devpi takes it.
  const wanted = {
    name: 'PKG-INFO',
    isPlace: (path: string) => /^(?:[^/]+\/)?PKG-INFO$/.test(path),
    isRight: () => true,
  }
  switch (parsed.format) {
    case 'zip':
      return await readZip(watched, limits, wanted)
    case 'tar.gz':
    case 'tgz':
      return await readTarGz(watched, limits, wanted)
    default:
      return undefined
  }
}
