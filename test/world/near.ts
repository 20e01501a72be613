/** What tests give to code that asks upstreams: theirs are all on this machine. */
import type { UpstreamPlace } from '../../src/upstream/request.ts'

/** Of one upstream. */
export const NEAR: Pick<UpstreamPlace, 'outgoing' | 'mayBeNear'> = {
  outgoing: { allow: [], ownPorts: [] },
  mayBeNear: true,
}

/** Of all users' upstreams. */
export const ALL_NAMED = { outgoing: NEAR.outgoing, isNamed: () => true }
