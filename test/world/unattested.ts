/** A stand-in for attestations in tests about other things. */
import type { Publishing } from '../../src/publish/publishing.ts'

export const unattested: Publishing['provenances'] = {
  read: async () => undefined,
  verify: async () => {
    throw new Error('Cannot verify: this test has no attestations')
  },
}
