/** A release copied from one index to another of this server: new rows for the same bytes, all of them or none. */
import { indexAsWritten } from '../../catalog/accounts.ts'
import { listAttachments, saveAttachment } from '../../catalog/attachments.ts'
import type { Reader, Writer } from '../../catalog/catalog.ts'
import { listFiles, saveFile } from '../../catalog/files.ts'
import { listReleases, saveRelease } from '../../catalog/projects.ts'
import { beyondScope, type Principal, signatureOf, uploadOf } from '../../model/access.ts'
import { noSuchIndex, Problem } from '../../model/errors.ts'
import { fileAddress } from '../../model/file-address.ts'
import {
  type Attachment,
  devpiTime,
  type File,
  type IndexRecord,
  isMirror,
  type LogEntry,
} from '../../model/records.ts'
import type { ProjectName } from '../../pep/name.ts'
import { carryProvenance } from '../attestations.ts'
import { checkTakesUploads } from '../status-checks.ts'
import { type PushOrder, targetOf } from './push-order.ts'
import {
  type ActionRow,
  fetchRelease,
  findPushed,
  heldRelease,
  type PushedRelease,
  type Pusher,
  retained,
} from './pushed-release.ts'

/**
 * Pushes a release of the index `from` to the index that the order names, as `devpi push` does: registration, archives,
 * results of tests and documentation, with their histories and upload times. Gives devpi's action log.
 *
 * Throws what `findRelease`, `fetchRelease` and `targetOf` do; `no-such-index` and `login-required` or `push-refused`
 * (both 401) about the target; `file-exists` when the target is not volatile and has one of the files, be it the same.
 */
export async function pushRelease(
  pusher: Pusher,
  who: Principal,
  from: string,
  order: PushOrder,
): Promise<ActionRow[]> {
  const { catalog, clock } = pusher
  const found = await findPushed(pusher, who, from, order)
  const name = targetOf(order)
  await catalog.read((reader) => openTarget(pusher, reader, who, name, found.project))
  // To be here when the release is copied, as its files are.
  for (const filename of isMirror(found.source) ? found.listed : []) {
    await pusher.provenances.read(found.source, found.project, filename)
  }
  await using _kept = await retained(pusher, found)
  await fetchRelease(pusher, found)
  return await catalog.write(async (writer) => {
    // Read and decided again: what was found before may have changed while files were fetched.
    const target = await openTarget(pusher, writer, who, name, found.project)
    await checkTakesUploads(writer, target, found.project)
    const release = await heldRelease(writer, found, order)
    const by = signatureOf(who)
    const entry: LogEntry = {
      what: 'push',
      ...(by !== undefined && { who: by }),
      when: devpiTime(clock.now()),
      src: release.source.name,
      dst: target.name,
    }
    await register(writer, target, release, order.version)
    return [
      [200, 'register', order.name, order.version, '->', target.name],
      ...(await storeFiles(writer, target, release, order.version, entry)),
      ...(await storeDocumentation(writer, target, release, order, entry)),
    ]
  })
}

async function openTarget(
  { may }: Pusher,
  reader: Reader,
  who: Principal,
  name: string,
  project: ProjectName,
): Promise<IndexRecord> {
  const target = await indexAsWritten(reader, name)
  if (target === undefined) throw noSuchIndex(name)
  const action = uploadOf('upload', target, project)
  if (may(who, action)) return target
  const beyond = beyondScope(who, action)
  if (beyond !== undefined) throw new Problem('not-allowed', `no permission to push to ${name}: ${beyond}`)
  if (who.name === undefined) {
    throw new Problem('login-required', `user None cannot upload to '${name}'`, { hint: 'log in first' })
  }
  throw new Problem('push-refused', `user '${who.name}' cannot upload to '${name}'`, {
    hint: target.options.type === 'mirror' ? 'it is a mirror' : `acl_upload of ${name} says who may`,
  })
}

/** What is registered at the target already stays where the pushed release does not say otherwise (devpi's rule). */
async function register(writer: Writer, target: IndexRecord, release: PushedRelease, version: string): Promise<void> {
  const { project } = release
  const known = (await listReleases(writer, target, project)).find((each) => each.version === version)
  const metadata = { name: project, ...known?.metadata, ...release.metadata, version }
  await saveRelease(writer, target, { project, version, metadata })
}

async function storeFiles(
  writer: Writer,
  target: IndexRecord,
  { source, project, files, results }: PushedRelease,
  version: string,
  entry: LogEntry,
): Promise<ActionRow[]> {
  const rows: ActionRow[] = []
  const there = await listFiles(writer, target, project)
  for (const file of files) {
    const before = replaceable(target, there, file.filename)
    // Where a mirror's file came from, and under which hash, is the mirror's business.
    const { id: _id, index: _index, origin: _origin, ...facts } = file
    const yanked = file.yanked ?? (before?.digest === file.digest ? before.yanked : undefined)
    const copy = {
      ...facts,
      version,
      addressHash: file.digest,
      log: history(before, file, entry),
      ...(yanked !== undefined && { yanked }),
    }
    await saveFile(writer, target, copy, before === undefined ? 'uploaded' : 'replaced')
    await carryProvenance(writer, source, target, file)
    rows.push([200, 'store_releasefile', fileAddress(target.name, copy.addressHash, copy.filename)])
    const own = results.filter((each) => each.ofFile?.id === file.id)
    if (own.length === 0) continue
    const stored = (await listFiles(writer, target, project)).find((each) => each.filename === file.filename)!
    for (const result of own) {
      await saveAttachment(writer, target, {
        ...copied(result, version, entry),
        addressHash: stored.addressHash,
        ofFile: stored,
      })
      rows.push([200, 'store_toxresult', fileAddress(target.name, stored.addressHash, result.filename)])
    }
  }
  return rows
}

async function storeDocumentation(
  writer: Writer,
  target: IndexRecord,
  { project, documentation }: PushedRelease,
  { name, version }: PushOrder,
  entry: LogEntry,
): Promise<ActionRow[]> {
  if (documentation === undefined) return []
  const before = replaceable(target, await listAttachments(writer, target, project), documentation.filename)
  const log = history(before, documentation, entry)
  await saveAttachment(writer, target, { ...copied(documentation, version, entry), log })
  return [[200, 'store_doczip', name, version, '->', target.name]]
}

/** What has the name at the target. Throws `file-exists` where that may not be replaced, even by the same content. */
function replaceable<Stored extends File | Attachment>(
  target: IndexRecord,
  there: readonly Stored[],
  filename: string,
): Stored | undefined {
  const before = there.find((each) => each.filename === filename)
  if (before === undefined || target.options.volatile) return before
  throw new Problem('file-exists', `${filename} already exists in non-volatile index`)
}

function copied(attachment: Attachment, version: string, entry: LogEntry) {
  const { id: _id, index: _index, ofFile: _ofFile, ...facts } = attachment
  return { ...facts, version, log: history(undefined, attachment, entry) }
}

/** How often something was replaced is told of each index by itself; all else travels along. */
function history(
  replaced: { readonly log: readonly LogEntry[] } | undefined,
  pushed: { readonly log: readonly LogEntry[] },
  entry: LogEntry,
): readonly LogEntry[] {
  const travelled = [...pushed.log.filter((each) => each.what !== 'overwrite'), entry]
  if (replaced === undefined) return travelled
  const times = replaced.log.reduce((sum, each) => sum + (each.what === 'overwrite' ? (each.count ?? 0) : 0), 0)
  return [{ what: 'overwrite', when: entry.when, count: times + 1 }, ...travelled]
}
