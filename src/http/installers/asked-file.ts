/** Finds the file at an address, or throws the reason why there is none. */
import type { AskedAddress } from '../../indexes/asked-address.ts'
import type { OpenIndex } from '../../indexes/open-index.ts'
import type { LocatedFile, PackageIndex } from '../../indexes/package-index.ts'
import { Problem } from '../../model/errors.ts'
import type { IndexRecord } from '../../model/records.ts'

/** What is asked for a file, and the indexes it may lie on. */
export type AskedIndexes = Pick<OpenIndex, 'record' | 'chain'> & { readonly index: PackageIndex }

/** Gone (`file-deleted`) where something was, else never heard of (`no-such-file`). */
export async function fileAt(
  { record, chain, index }: AskedIndexes,
  address: AskedAddress,
  filename: string,
): Promise<{ readonly located: LocatedFile; readonly record: IndexRecord }> {
  const located = await index.at(address, filename)
  if (located === 'deleted') throw new Problem('file-deleted', 'file existed, deleted in later serial')
  if (located === undefined) throw new Problem('no-such-file', `no such file: ${filename} on ${record.name}`)
  return { located, record: chain.find((each) => each.name === located.file.index)! }
}
