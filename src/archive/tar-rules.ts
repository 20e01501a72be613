/** Rules for source archives: unpacking must write below one folder and nowhere else (PEP 721). */
import { quoted, type Rule } from './fault.ts'
import { PATH_RULES } from './member-paths.ts'
import type { TarListing, TarMember } from './tar-listing.ts'

const REBUILD = 'build it again with a current build tool'

/** A bomb, too many members and what is no gzipped tar are refused before, while the listing is read. */
export const TAR_RULES: readonly Rule<TarListing>[] = [
  {
    refuses: 'A tar.gz that is a zip as well',
    fix: REBUILD,
    fault: ({ isZip }) => (isZip ? 'it is a tar and a zip at once' : undefined),
  },
  {
    refuses: 'Bytes behind the end of the gzip',
    fix: REBUILD,
    fault: ({ hasBytesBehind, isZip }) =>
      hasBytesBehind && !isZip ? 'it has bytes behind the end of its gzip' : undefined,
  },
  {
    refuses: 'A tar without its end, two blocks of zeros: it was cut short before it was compressed',
    fix: REBUILD,
    fault: ({ hasEnd }) => (hasEnd ? undefined : 'its tar has no end, as if it was cut short'),
  },
  {
    refuses: 'Members behind the end of the tar',
    fix: REBUILD,
    fault: ({ hasMore }) => (hasMore ? 'it has something behind the end of its tar' : undefined),
  },
  {
    refuses: 'A member whose pax header and own header give two sizes',
    fix: REBUILD,
    fault: ({ hasTwoSizes }) => (hasTwoSizes ? 'a member of it has two sizes' : undefined),
  },
  {
    refuses: 'A pax header that gives all members one name, size or target',
    fix: REBUILD,
    fault: ({ hasGlobalName }) =>
      hasGlobalName ? 'a header of it gives all members the same name or size' : undefined,
  },
  {
    refuses: 'A sparse file, with holes',
    fix: 'pack without --sparse',
    fault: member(({ isSparse }) => isSparse, 'is a sparse file'),
  },
  {
    refuses: 'A device or a pipe in a tar',
    fix: 'leave it out',
    fault: member(
      ({ type }) => ['character-device', 'block-device', 'fifo'].includes(type ?? ''),
      'is a device or a pipe',
    ),
  },
  {
    refuses: 'A kind of member that installers do not know, as GNU tar has them for sparse files and volumes',
    fix: 'pack in the pax or ustar format',
    fault: member(({ type, isSparse }) => type == null && !isSparse, 'is of a kind that installers do not know'),
  },
  {
    refuses: 'A symbolic link to an absolute path or out of the archive',
    fix: 'pack the file in its place',
    fault: member(
      ({ type, path, linkTo = '' }) => type === 'symlink' && leaves(path.split('/').slice(0, -1), linkTo),
      'is a symbolic link that leaves the archive',
    ),
  },
  {
    refuses: 'A hard link whose target is not an earlier file of the archive',
    fix: 'pack the file in its place',
    fault: ({ members }) => {
      const files = new Set<string>()
      const wrong = members.find(({ type, path, linkTo = '' }) => {
        if (type === 'file' || type === 'link') files.add(path)
        return type === 'link' && (path === linkTo || !files.has(linkTo.replace(/^(?:\.\/)+/, '')))
      })
      return wrong && `its member ${quoted(wrong.path)} is a hard link to what is no file of it`
    },
  },
  {
    refuses: 'A member of a tar whose name is not UTF-8',
    fix: 'rename the file, or pack in the pax format',
    fault: member(({ path }) => path.includes('\ufffd'), 'has a name that is not UTF-8'),
  },
  ...PATH_RULES.map((rule): Rule<TarListing> => ({ ...rule, fault: ({ members }) => rule.fault(members) })),
]

function member(isWrong: (member: TarMember) => boolean, what: string): Rule<TarListing>['fault'] {
  return ({ members }) => {
    const found = members.find(isWrong)
    return found && `its member ${quoted(found.path)} ${what}`
  }
}

/** Whether a link from within `folder` ends outside of the first folder, where installers unpack nothing. */
function leaves(folder: readonly string[], target: string): boolean {
  if (target === '' || target.startsWith('/') || target.includes('\\') || /^[a-z]:/i.test(target)) return true
  let depth = folder.length
  for (const part of target.split('/')) {
    if (part === '..') depth--
    else if (part !== '' && part !== '.') depth++
    if (depth < 1) return true
  }
  return false
}
