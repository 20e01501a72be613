/**
 * A release uploaded from here to an index elsewhere, as `devpi push NAME==VERSION pypi:REPO` asks for: the forms are
 * those of twine, so that any index takes them.
 */
import type { BlobStore } from '../../blob/blob-store.ts'
import { reasonOf } from '../../lib/reason.ts'
import { readDescription } from '../../mirrors/describe-file.ts'
import { beyondScope, type Principal, uploadOf } from '../../model/access.ts'
import { Problem } from '../../model/errors.ts'
import { fileAddress } from '../../model/file-address.ts'
import type { UserName } from '../../model/names.ts'
import type { File, Release } from '../../model/records.ts'
import { fileTypeOf, pythonTagOf } from '../../pep/filename.ts'
import type { OutgoingPolicy } from '../../upstream/outgoing-policy.ts'
import { type OutwardFields, OutwardForms } from './outward-form.ts'
import { elsewhereOf, type PushOrder } from './push-order.ts'
import {
  type ActionRow,
  fetchRelease,
  findPushed,
  heldRelease,
  type PushedRelease,
  type Pusher,
  retained,
} from './pushed-release.ts'

export interface OutwardPushesOptions {
  readonly pusher: Pusher
  readonly userAgent: string
  readonly policy: OutgoingPolicy
  /** Whether the operator named the user: the user's pushes may go to this machine and to private networks. */
  readonly isNamed: (user: UserName) => boolean
}

/** Pushes under way are counted: each holds a connection, and as long as the other side likes. */
export class OutwardPushes {
  readonly #options: OutwardPushesOptions
  #running = 0

  constructor(options: OutwardPushesOptions) {
    this.#options = options
  }

  /**
   * Uploads the release to the address that the order names, one form after the other: the registration where it is
   * asked for, the archives, the documentation. Gives devpi's action log, with the status that each form was answered
   * with; what gets no answer is a row with -1, and the last one.
   *
   * devpi does this for anybody who may read the index, logged in or not, so that strangers can make the server send
   * requests to addresses that only it can reach, and read the answers. Here it is for those whom `may_push_out` lists, and goes no nearer than
   * the policy of outgoing requests says; redirects are not followed, and what was sent as credentials goes to the address given and nowhere else.
   *
   * Throws `login-required`, `busy`, what `elsewhereOf`, `findRelease` and `fetchRelease` do.
   */
  async push(who: Principal, from: string, order: PushOrder): Promise<ActionRow[]> {
    const { pusher, userAgent, policy, isNamed } = this.#options
    const found = await findPushed(pusher, who, from, order)
    if (who.name === undefined) {
      throw new Problem('login-required', 'no permission to push elsewhere without login', { hint: 'log in first' })
    }
    const action = uploadOf('push-elsewhere', found.source, found.project)
    if (!pusher.may(who, action)) {
      const why = beyondScope(who, action) ?? 'whoever runs the server can list you in may_push_out'
      throw new Problem('not-allowed', `no permission to push elsewhere: ${why}`)
    }
    const elsewhere = elsewhereOf(order)
    if (this.#running >= pusher.limits.outwardPushes) {
      throw new Problem('busy', 'Cannot push now: as many releases as may be are on their way already', {
        hint: 'push again in a minute',
        retrySeconds: 60,
      })
    }
    this.#running++
    try {
      await using _kept = await retained(pusher, found)
      await fetchRelease(pusher, found)
      const release = await pusher.catalog.read((reader) => heldRelease(reader, found, order))
      const reach = isNamed(who.name) ? await policy.reachOf(elsewhere.url.hostname) : undefined
      await using forms = new OutwardForms(elsewhere, { ...pusher, userAgent, policy, reach: reach ?? 'public' })
      return await pushForms(pusher, release, order, elsewhere.registers, forms)
    } finally {
      this.#running--
    }
  }
}

/** Whether every form that mattered was taken: devpi goes by the last one. */
export function isTaken(rows: readonly ActionRow[]): boolean {
  return isDone(rows.at(-1)?.[0])
}

async function pushForms(
  pusher: Pusher,
  release: PushedRelease,
  { name, version }: PushOrder,
  registers: boolean,
  forms: OutwardForms,
): Promise<ActionRow[]> {
  const { source, files, documentation } = release
  const metadata = { name: release.project, ...release.metadata, version }
  const rows: ActionRow[] = []
  if (registers) {
    const { status, text } = await answered(() => forms.send({ ':action': 'submit', ...metadata }))
    if (status === NO_ANSWER) return [[status, 'exception on register:', text]]
    rows.push([status, 'register', name, version])
    // The public index has given up registrations, and says so with 410.
    if (!isDone(status) && status !== 410) return rows
  }
  for (const file of files) {
    const { status, text } = await answered(async () => forms.send(await uploadFields(pusher, file, metadata), file))
    if (status === NO_ANSWER) return [...rows, [status, 'exception on release upload:', text]]
    rows.push([status, 'upload', fileAddress(source.name, file.addressHash, file.filename), isDone(status) ? '' : text])
  }
  if (documentation === undefined) return rows
  const named = { ...documentation, filename: `${metadata.name}.zip` }
  const { status, text } = await answered(() => forms.send({ ':action': 'doc_upload', ...metadata }, named))
  if (status === NO_ANSWER) return [...rows, [status, 'exception on documentation upload:', text]]
  return [...rows, [status, 'docfile', String(metadata.name)]]
}

/** The archive's own metadata goes before that of the release, which may be another archive's, or a mirror's few words. */
async function uploadFields(
  pusher: { readonly blobs: BlobStore; readonly limits: Pusher['limits'] },
  file: File,
  metadata: Release['metadata'],
): Promise<OutwardFields> {
  const described = await readDescription(pusher, file)
  // An index that looks into the archive refuses a form that says other Pythons.
  const { yanked: _yanked, requires_python, ...known } = metadata
  const fields: Release['metadata'] = {
    ...known,
    ...(described?.metadata.fields ?? (requires_python !== undefined && { requires_python })),
  }
  return {
    ':action': 'file_upload',
    ...fields,
    // Indexes read the standard's spelling, devpi its own.
    ...(fields.provides_extras !== undefined && { provides_extra: fields.provides_extras }),
    filetype: fileTypeOf(file.filename) ?? 'sdist',
    pyversion: pythonTagOf(file.filename),
    sha256_digest: file.digest,
  }
}

const NO_ANSWER = -1

async function answered(
  send: () => Promise<{ readonly status: number; readonly text: string }>,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    return await send()
  } catch (error) {
    return { status: NO_ANSWER, text: reasonOf(error) }
  }
}

function isDone(status: number | undefined): boolean {
  return status === 200 || status === 201
}
