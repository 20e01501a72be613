/** Builds the address and request options of an upstream from the mirror's record and the server's environment. */
import { mirrorLabel, type UpstreamSettings } from '../config/upstream-settings.ts'
import type { Limits } from '../model/limits.ts'
import type { UserName } from '../model/names.ts'
import type { MirrorRecord } from '../model/records.ts'
import type { OutgoingRules } from './outgoing-policy.ts'
import type { UpstreamPlace } from './request.ts'

export interface PlaceOptions {
  readonly limits: Limits
  readonly userAgent: string
  /** Absent: the environment says nothing. */
  readonly environment?: UpstreamSettings
  /** Only whom the operator named may create indexes (`restrict_modify`). */
  readonly hasNamedOwners?: boolean
  readonly outgoing: OutgoingRules
  /** Whether the operator named the user: the user's mirrors may be of this machine and of private networks. */
  readonly isNamed: (user: UserName) => boolean
}

/** devpi allows a mirror without URL; it knows nothing and nobody to ask. */
const NOWHERE = 'http://mirror-url-is-not-set.invalid/'

/**
 * Credentials of the environment and of netrc are for mirrors of root alone, unless only named users may create indexes:
 * anybody else could make a mirror of the same address, and read through it what the server may read.
 */
export function placeOf({ name, user, options }: MirrorRecord, given: PlaceOptions): UpstreamPlace {
  const { limits, userAgent, environment, hasNamedOwners = false, outgoing, isNamed } = given
  const isTrusted = user === 'root' || hasNamedOwners
  const access = isTrusted ? environment?.mirrors[mirrorLabel(name)] : undefined
  return {
    url: options.mirror_url ?? NOWHERE,
    limits,
    userAgent,
    outgoing,
    mayBeNear: isNamed(user),
    ...(access !== undefined && { access }),
    ...(isTrusted && environment?.netrc !== undefined && { netrc: environment.netrc }),
    ...(environment?.authorities !== undefined && { authorities: environment.authorities }),
    ...(options.mirror_forbidden_is_absent === true && { forbiddenIsAbsent: true }),
  }
}
