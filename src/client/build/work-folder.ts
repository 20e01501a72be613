/** A temporary folder for one command, deleted at its end. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Session } from '../session.ts'

export interface WorkFolder extends AsyncDisposable {
  readonly path: string
}

/** Makes the folder below the system's temporary one, and says where. Disposing removes it with all that is in it. */
export async function workFolder({ out }: Session, prefix: string): Promise<WorkFolder> {
  const path = await mkdtemp(join(tmpdir(), prefix))
  out.info(`using workdir ${path}`)
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  }
}
