/** Decides whether an sdist's metadata is final, that is, valid for every wheel built from it (PEP 643). */
import type { CoreMetadata } from './metadata.ts'

/** What resolvers read. */
const READ = ['requires-dist', 'requires-python', 'provides-extra', 'name', 'version']
const FIRST_WITH_DYNAMIC = [2, 2] as const

/**
 * PEP 658 lets an index serve an sdist's metadata only where this is so. Before version 2.2 everything may change when the
 * wheel is built, since then what `Dynamic` names.
 */
export function isFinal({ metadataVersion, fields }: CoreMetadata): boolean {
  const [major = 0, minor = 0] = metadataVersion.split('.').map(Number)
  const [wantedMajor, wantedMinor] = FIRST_WITH_DYNAMIC
  if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) return false
  const dynamic = typeof fields.dynamic === 'string' ? [fields.dynamic] : (fields.dynamic ?? [])
  return !dynamic.some((name) => READ.includes(name.trim().toLowerCase()))
}
