/** Uploads of small wheels into new servers. */
import { uploadRequest } from '../load/upload-request.ts'
import type { Peer } from '../peers/peer.ts'
import { measure, type Sample } from './measured-load.ts'

export interface UploadScenario {
  readonly key: string
  readonly title: string
  readonly uploaders: number
  readonly withPassword: boolean
}

/** Wheels of one round. */
const UPLOADS_PER_SECOND_ASKED = 250
/** Before the first round of each server, after which its code is compiled; further rounds only make their projects. */
const WARM_UPS = 300
const PROJECTS = 20
const PASSWORD_SHARE = 0.2
const MOST_SECONDS = 300

export const UPLOADS: readonly UploadScenario[] = [
  { key: 'upload-sequence', title: 'Uploads, one after another', uploaders: 1, withPassword: false },
  { key: 'upload-eight', title: 'Uploads, eight at once', uploaders: 8, withPassword: false },
  { key: 'upload-password', title: 'Uploads with a password, one after another', uploaders: 1, withPassword: true },
]

/** One round: as many uploads as `seconds` stand for, none of them seen before. `undefined` where the server takes none. */
export async function measureUploads(
  peer: Peer,
  scenario: UploadScenario,
  round: number,
  seconds: number,
): Promise<Sample | undefined> {
  const { port, upload } = peer
  const headers = scenario.withPassword ? upload?.passwordHeaders : upload?.headers
  if (upload === undefined || headers === undefined) return undefined
  const requestsOf = (part: string, count: number) =>
    Array.from({ length: count }, (_, at) => {
      const file = {
        project: `${scenario.key}-${at % PROJECTS}`,
        version: `${round}.${part}.${at}`,
        tag: 'py3-none-any',
      }
      return uploadRequest(port, upload.path, headers, file)
    })
  const load = { port, connections: scenario.uploaders, mostSeconds: MOST_SECONDS, status: 200 }
  // Where each costs a hash of the password, a few tell as much.
  const share = scenario.withPassword ? PASSWORD_SHARE : 1
  await measure(peer, { ...load, requests: requestsOf('0', round === 1 ? Math.round(WARM_UPS * share) : PROJECTS) })
  const count = Math.max(PROJECTS, Math.round(UPLOADS_PER_SECOND_ASKED * seconds * share))
  return await measure(peer, { ...load, requests: requestsOf('1', count) })
}
