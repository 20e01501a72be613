/**
 * Decides whether a principal may upload to an index. It is apart from the readers of uploads, because it runs before the
 * upload is read.
 */
import { indexAsWritten } from '../catalog/accounts.ts'
import { beyondScope, type Principal, uploadOf } from '../model/access.ts'
import { noSuchIndex, Problem } from '../model/errors.ts'
import type { IndexRecord } from '../model/records.ts'
import type { Publishing } from './publishing.ts'

/**
 * Whether `who` may upload to the index at all, before a byte of the body is read. `named` says that the sender sent
 * credentials: somebody without a name then sent wrong ones, and is told that.
 * Throws `no-such-index`, `mirror-read-only`, `login-required`, `not-allowed`.
 */
export async function mayUpload(
  { catalog, may }: Publishing,
  who: Principal,
  name: string,
  named: boolean,
): Promise<IndexRecord> {
  const record = await catalog.read((reader) => indexAsWritten(reader, name))
  if (record === undefined) throw noSuchIndex(name)
  if (record.options.type === 'mirror') throw new Problem('mirror-read-only', 'cannot submit to mirror index')
  // Of which project the file is, the form will say.
  const action = uploadOf('upload', record, undefined)
  if (may(who, action)) return record
  const beyond = beyondScope(who, action)
  if (beyond !== undefined) throw new Problem('not-allowed', `no permission to submit to ${name}: ${beyond}`)
  if (who.name === undefined && named) {
    throw new Problem('login-required', `no permission to submit to ${name}: wrong user name or password`, {
      hint: 'send the right ones; a login token ends after ten hours, an API token when it expires or is revoked',
    })
  }
  if (who.name === undefined) {
    throw new Problem('login-required', `no permission to submit to ${name} without login`, {
      hint: 'send a user name and password, or log in first',
    })
  }
  throw new Problem('not-allowed', 'no permission to submit', {
    hint: `user ${who.name} is not in acl_upload of ${name}`,
  })
}
