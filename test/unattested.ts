/** What a publisher knows of attestations in tests that are about something else. */
import type { Publisher } from '../src/publish/publish.ts'

export const unattested: Publisher['provenances'] = {
  read: async () => undefined,
  verify: async () => {
    throw new Error('Cannot verify: this test has no attestations')
  },
}
