/** A client of an upstream on this machine, as a mirror of root has it. */
import { systemClock } from '../../src/lib/clock.ts'
import { withLimits } from '../../src/model/limits.ts'
import type { UpstreamOptions } from '../../src/upstream/request.ts'
import { Upstream } from '../../src/upstream/upstream.ts'
import { NEAR } from '../world/near.ts'

export function asking(url: string, more: Partial<UpstreamOptions> = {}): Upstream {
  return new Upstream({
    url,
    ...NEAR,
    limits: withLimits({}),
    clock: systemClock,
    userAgent: 'test',
    offline: false,
    ...more,
  })
}
