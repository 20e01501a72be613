/** The folder to build in: a fresh copy of what Git knows of the project, so that stray files do not get into archives. */
import { execFile } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import type { Session } from '../session.ts'
import { type WorkFolder, workFolder } from './work-folder.ts'

export interface ExportOptions {
  /** False builds in the project's own folder. */
  readonly vcs: boolean
  /** Leaves the `.git` folder out, and everything outside the project's own folder. */
  readonly setupdirOnly: boolean
}

/** The list of files of one repository. */
const LIST_BYTES_MAX = 256 * 1024 * 1024

/** A temporary copy of the versioned files; the folder itself without Git, and where `options.vcs` is off. */
export async function exportVersioned(session: Session, folder: string, options: ExportOptions): Promise<WorkFolder> {
  const root = options.vcs ? await repositoryOf(session, folder) : undefined
  if (root === undefined) return { path: folder, async [Symbol.asyncDispose]() {} }
  const { out } = session
  await using unfinished = new AsyncDisposableStack()
  const work = unfinished.use(await workFolder(session, 'devpi-'))
  const from = options.setupdirOnly ? folder : root
  const copy = join(work.path, basename(from))
  await mkdir(copy)
  for (const file of await versionedFiles(session, from)) {
    await mkdir(dirname(join(copy, file)), { recursive: true })
    await cp(join(from, file), join(copy, file), { verbatimSymlinks: true, recursive: true })
  }
  if (options.setupdirOnly) {
    out.warn('not copying vcs repository metadata for .git')
  } else {
    await cp(join(root, '.git'), join(copy, '.git'), { verbatimSymlinks: true, recursive: true })
    out.info(`copied repo ${join(root, '.git')} to ${join(copy, '.git')}`)
  }
  const finished = unfinished.move()
  return { path: join(copy, relative(from, folder)), [Symbol.asyncDispose]: () => finished.disposeAsync() }
}

async function repositoryOf(session: Session, folder: string): Promise<string | undefined> {
  try {
    return (await git(session, folder, 'rev-parse', '--show-toplevel')).trim() || undefined
  } catch {
    // No Git on this machine, or no repository: then there is nothing to export.
    return undefined
  }
}

/** The files Git tracks that are there; a deletion that is not committed yet counts. */
async function versionedFiles(session: Session, folder: string): Promise<string[]> {
  const list = async (...flags: string[]) =>
    (await git(session, folder, 'ls-files', '-z', ...flags)).split('\0').filter(Boolean)
  const deleted = new Set(await list('--deleted'))
  return (await list()).filter((file) => !deleted.has(file))
}

async function git({ context }: Session, cwd: string, ...args: string[]): Promise<string> {
  const env = { ...context.env } as NodeJS.ProcessEnv
  const { stdout } = await promisify(execFile)('git', args, { cwd, env, maxBuffer: LIST_BYTES_MAX })
  return stdout
}
