/** `devpi upload`: sends distribution files to the index in use, building them first when none are named. */
import { statSync } from 'node:fs'
import { forgetExpiredLogin } from '../api.ts'
import { beginSession } from '../begin-session.ts'
import { isAttestationFile } from '../build/attestation-files.ts'
import { type BuildOptions, build } from '../build/build.ts'
import { repackDocumentation } from '../build/documentation.ts'
import {
  archivesBelow,
  type FileToSend,
  inOrder,
  NotUploadable,
  onlyLatest,
  readFileToSend,
} from '../build/upload-files.ts'
import { sha256Of, uploadForm } from '../build/upload-form.ts'
import { workFolder } from '../build/work-folder.ts'
import { asDirectory } from '../client-url.ts'
import { Unreachable } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { progressBar } from '../progress.ts'
import { messageOf } from '../reply.ts'
import type { GenericOptions, Session } from '../session.ts'

export interface UploadOptions extends GenericOptions, BuildOptions {
  readonly fromDir?: boolean
  readonly onlyLatest?: boolean
  readonly dryRun?: boolean
  /** False for `--no-docs`. */
  readonly docs?: boolean
}

export async function upload(context: CliContext, paths: readonly string[], options: UploadOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const { out, state } = session
  const index = session.requireIndex()
  if (options.index === undefined && state.pypisubmit === undefined) {
    throw out.failure(`The current index ${index.href} does not support upload.\nMost likely, it is a mirror.`)
  }
  const target = options.index !== undefined || state.pypisubmit === undefined ? asDirectory(index) : state.pypisubmit
  const all = await readAll(session, paths.length > 0 ? paths : await build(session, options), options)
  const found = all.filter(({ action }) => options.docs !== false || action === 'file_upload')
  const files = inOrder(options.onlyLatest ? onlyLatest(found) : found)
  const sent = []
  for (const file of files) {
    await send(session, file, target, options.dryRun === true)
    sent.push({ filename: file.filename, name: file.name, version: file.version, index: target.href })
  }
  if (options.json) out.json(sent)
}

/** Everything is read before anything is sent: a wrong name at the end of a list must not leave half of it uploaded. */
async function readAll(session: Session, paths: readonly string[], options: UploadOptions): Promise<FileToSend[]> {
  const { out } = session
  const all = paths.map((given) => ({ given, path: session.path(given) }))
  for (const { given, path } of all) {
    const entry = statSync(path, { throwIfNoEntry: false })
    if (entry === undefined) throw out.failure(`path does not exist: ${given}`)
    if (entry.isDirectory() && !options.fromDir)
      throw out.failure(`${given}: is a directory but --from-dir not specified`)
    if (!entry.isDirectory() && !entry.isFile()) throw out.failure(`is not a file: ${given}`)
  }
  const files: FileToSend[] = []
  try {
    for (const { path } of all) {
      // As with twine and uv, `dist/*` may name them: they go with their archives.
      if (isAttestationFile(path)) continue
      if (statSync(path).isFile()) files.push(await readFileToSend(path))
      else files.push(...(await readFolder(session, path)))
    }
  } catch (error) {
    if (!(error instanceof NotUploadable)) throw error
    throw out.failure(error.message)
  }
  return files
}

/** In a folder, archives that are no distributions are passed over with a word. */
async function readFolder({ out, options }: Session, path: string): Promise<FileToSend[]> {
  const files: FileToSend[] = []
  for (const archive of (await archivesBelow(path)).toSorted()) {
    try {
      files.push(await readFileToSend(archive))
    } catch (error) {
      if (!(error instanceof NotUploadable)) throw error
      out.error(`${archive.slice(path.length + 1)}: does not contain PKGINFO, skipping`)
      if (options.verbose) out.line(error.message)
    }
  }
  return files
}

/** devpi takes documentation as a zip only. */
async function repacked(session: Session, file: FileToSend, work: string): Promise<FileToSend> {
  const { repackAs = file.filename } = file
  const path = await repackDocumentation(session, file.path, repackAs, work)
  session.out.info(`repackaged ${file.filename} to ${repackAs}`)
  return { ...file, path, filename: repackAs, sizeBytes: statSync(path).size }
}

async function send(session: Session, given: FileToSend, target: URL, isDryRun: boolean): Promise<void> {
  const { out, state } = session
  await using work = given.repackAs === undefined || isDryRun ? undefined : await workFolder(session, 'devpi-')
  const file = work ? await repacked(session, given, work.path) : given
  const message = `${file.action} of ${file.filename} to ${target.href}`
  if (isDryRun) return out.line(`skipped: ${message}`)
  using progress = progressBar(session.context.stderr, file.filename, file.sizeBytes)
  const digest = file.action === 'file_upload' ? ([['sha256_digest', await sha256Of(file.path)]] as const) : []
  const fields = [...file.fields, ...digest, [':action', file.action], ['protocol_version', '1']] as const
  const reply = await session.connection
    .send({
      method: 'POST',
      url: target,
      body: uploadForm(file, fields, (sentBytes) => progress.at(sentBytes)),
      login: state.loginFor(target),
      basicAuth: state.basicAuthFor(target),
      certificate: state.certificateFor(target),
    })
    .catch((error: unknown) => {
      progress[Symbol.dispose]()
      throw error instanceof Unreachable ? out.failure(`${error.message}\nPOST to ${target.href} FAILED`) : error
    })
  progress[Symbol.dispose]()
  if (reply.status === 200 && reply.method === 'POST') return out.info(message)
  await forgetExpiredLogin(reply, state, out)
  out.error(`${reply.status} FAIL ${message}`)
  const rows = reply.json?.type === 'actionlog' && Array.isArray(reply.json.result) ? reply.json.result : undefined
  if (rows) for (const row of rows) out.error(`  ${typeof row === 'string' ? row : JSON.stringify(row)}`)
  else out.error(reply.reason || messageOf(reply).slice(2))
  throw out.failure(`POST to ${target.href} FAILED`)
}
