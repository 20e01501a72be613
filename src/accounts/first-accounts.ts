import { createIndex, findIndex, findUser, saveUser } from '../catalog/accounts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Clock } from '../lib/clock.ts'
import type { MirrorOptions } from '../model/index-options.ts'
import { indexName, userName } from '../model/names.ts'
import { timestamp } from '../model/records.ts'
import type { Passwords } from './login/passwords.ts'

/**
 * What a new server begins with: root, with the empty password unless told otherwise, and root/pypi with devpi's five
 * keys. Doing it again changes nothing that is there.
 */
export async function createFirstAccounts(
  { catalog, passwords, clock }: { readonly catalog: Catalog; readonly passwords: Passwords; readonly clock: Clock },
  wanted: {
    readonly rootPassword: string
    readonly rootPasswordHash?: string
    readonly pypi?: { readonly url: string; readonly pages: string }
  },
): Promise<void> {
  const passwordHash = wanted.rootPasswordHash ?? (await passwords.hash(wanted.rootPassword))
  const root = userName('root')
  await catalog.write(async (writer) => {
    if ((await findUser(writer, root)) === undefined) {
      await saveUser(writer, { name: root, created: timestamp(clock.now()), passwordHash }, 'created')
    }
    const pypi = indexName('root', 'pypi')
    if (wanted.pypi === undefined || (await findIndex(writer, pypi)) !== undefined) return
    const options: MirrorOptions = {
      type: 'mirror',
      volatile: false,
      title: 'PyPI',
      mirror_url: wanted.pypi.url,
      mirror_web_url_fmt: wanted.pypi.pages,
    }
    await createIndex(writer, pypi, root, options)
  })
}
