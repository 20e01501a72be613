/**
 * Rules for zips: every program must read the same files from it. Places that repeat a fact agree, and the zip contains
 * nothing but members. The public index has the same rules for uploads.
 */
import { quoted, type Rule } from './fault.ts'
import { PATH_RULES } from './member-paths.ts'
import type { ListedMember, LocalHeader, ZipListing } from './zip-listing.ts'

const STORED = 0
const DEFLATED = 8
/** uv installs members packed so, and wheels for it alone are usual on private indexes. */
const ZSTANDARD = 93
const ENCRYPTED = 0x1 | 0x40 | 0x2000
const DESCRIPTOR = 0x8
const UTF8 = 0x800
const REGULAR = 0o100000
const FOLDER = 0o040000
const SYMBOLIC_LINK = 0o120000
/** Extra fields that change what a member is called or how long it is: zip64, Unicode path. */
const DECIDING_EXTRAS = [0x0001, 0x7075]
/** The sizes of a data descriptor: with and without signature, with sizes of 4 and of 8 bytes. */
const DESCRIPTOR_BYTES = [12, 16, 20, 24]
const REZIP = 'build it again with a current build tool, and do not change it afterwards'

/** Compression bombs, too many members and what is no zip at all are refused before, while the listing is read. */
export const ZIP_RULES: readonly Rule<ZipListing>[] = [
  {
    refuses: 'A zip that is a tar as well',
    fix: REZIP,
    fault: ({ head }) => (isTar(head) ? 'it is a zip and a tar at once' : undefined),
  },
  {
    refuses: 'A comment at the end of a zip',
    fix: REZIP,
    fault: ({ end }) => (end.commentBytes > 0 ? `it has a comment of ${end.commentBytes} bytes` : undefined),
  },
  {
    refuses: 'End records of a zip that contradict each other, as those of zip64 may',
    fix: REZIP,
    fault: ({ end }) => (end.agrees ? undefined : 'the records at its end contradict each other'),
  },
  {
    refuses: 'A directory of a zip with more or fewer entries than the end record says, or with other bytes beside it',
    fix: REZIP,
    fault: ({ end, directoryEndsAt, members }) =>
      directoryEndsAt === end.at && end.directoryAt + end.directoryBytes === end.at && members.length === end.members
        ? undefined
        : 'its directory does not end where the end record begins',
  },
  {
    refuses: 'Two members of the same name',
    fix: REZIP,
    fault: ({ members }) => {
      const seen = new Set<string>()
      const twice = members.find(({ path }) => seen.size === seen.add(path.replace(/\/$/, '')).size)
      return twice && `it contains ${quoted(twice.path)} twice`
    },
  },
  {
    refuses: 'A member whose name is not UTF-8',
    fix: 'rename the file, or pack with a tool that writes UTF-8',
    fault: member(({ isText }) => !isText, 'has a name that is not UTF-8'),
  },
  {
    refuses: 'A member with two names, by the Unicode Path field',
    fix: REZIP,
    fault: ({ members }) => {
      const found = members.find(({ path, otherPath }) => otherPath !== undefined && otherPath !== path)
      return found && `its member ${quoted(found.path)} is also named ${quoted(found.otherPath!)}`
    },
  },
  {
    refuses: 'A member with the same deciding extra field twice (zip64, Unicode Path)',
    fix: REZIP,
    fault: member(({ extras, local }) => isTwice(extras) || isTwice(local?.extras ?? []), 'has an extra field twice'),
  },
  {
    refuses: 'A member with a comment',
    fix: REZIP,
    fault: member(({ hasComment }) => hasComment, 'has a comment'),
  },
  {
    refuses: 'An encrypted member',
    fix: 'pack without a password',
    fault: member(({ flags, local }) => ((flags | (local?.flags ?? 0)) & ENCRYPTED) !== 0, 'is encrypted'),
  },
  {
    refuses: 'A member that is neither stored, nor deflated, nor (for uv) packed with Zstandard',
    fix: 'pack with deflate, which every installer reads',
    fault: member(
      ({ method }) => ![STORED, DEFLATED, ZSTANDARD].includes(method),
      'is compressed by a method that installers do not know',
    ),
  },
  {
    refuses: 'A symbolic link in a zip',
    fix: 'pack the file that the link points to in its place',
    fault: member(({ kind }) => kind === SYMBOLIC_LINK, 'is a symbolic link'),
  },
  {
    refuses: 'A device, a pipe or another special file in a zip',
    fix: 'leave it out',
    fault: member(({ kind }) => ![0, REGULAR, FOLDER, SYMBOLIC_LINK].includes(kind), 'is a special file'),
  },
  {
    refuses: 'A folder with bytes in it',
    fix: REZIP,
    fault: member(({ path, sizeBytes }) => path.endsWith('/') && sizeBytes > 0, 'is a folder and holds bytes'),
  },
  {
    refuses: 'A member without a header of its own',
    fix: REZIP,
    fault: member(({ local }) => local === undefined, 'has no header where the directory says'),
  },
  {
    refuses: 'A member that has another name in its header than in the directory',
    fix: REZIP,
    fault: ({ members }) => {
      const found = members.find(({ rawPath, local }) => local !== undefined && local.rawPath !== rawPath)
      const name = Buffer.from(found?.local?.rawPath ?? '', 'latin1').toString('utf8')
      return found && `its member ${quoted(found.path)} is called ${quoted(name)} in its own header`
    },
  },
  {
    refuses: 'A member that is packed in another way by its header than by the directory',
    fix: REZIP,
    fault: member(
      ({ method, flags, local }) =>
        local !== undefined && (local.method !== method || ((local.flags ^ flags) & (DESCRIPTOR | UTF8 | 0x1)) !== 0),
      'is packed in another way by its header than by the directory',
    ),
  },
  {
    refuses: 'A member that has another size or checksum in its header than in the directory',
    fix: REZIP,
    fault: member(
      (each) => each.local !== undefined && !agreesOnSize(each, each.local),
      'has another size or checksum in its header than in the directory',
    ),
  },
  {
    refuses: 'Bytes before the first member, between two members or behind the last that belong to none',
    fix: REZIP,
    fault: (listing) => {
      const { hidden } = spans(listing)
      // A member without header is told by a rule of its own.
      return hidden === undefined || listing.members.some(({ local }) => local === undefined)
        ? undefined
        : `it has bytes at ${hidden} that belong to no member`
    },
  },
  {
    refuses: 'Members that overlap, or reach into the directory',
    fix: REZIP,
    fault: (listing) => (spans(listing).overlap ? 'its members overlap' : undefined),
  },
  ...PATH_RULES.map(
    (rule): Rule<ZipListing> => ({
      ...rule,
      fault: ({ paths }) => rule.fault(paths),
    }),
  ),
]

/** A tar's first header has its mark at a fixed place. */
function isTar(head: Buffer): boolean {
  return head.length === 512 && head.toString('latin1', 257, 262) === 'ustar'
}

function member(isWrong: (member: ListedMember) => boolean, what: string): Rule<ZipListing>['fault'] {
  return ({ members }) => {
    const found = members.find(isWrong)
    return found && `its member ${quoted(found.path)} ${what}`
  }
}

function isTwice(extras: readonly number[]): boolean {
  return DECIDING_EXTRAS.some((id) => extras.indexOf(id) !== extras.lastIndexOf(id))
}

/** With a descriptor behind the bytes the header has zeros, or the truth. */
function agreesOnSize(member: ListedMember, local: LocalHeader): boolean {
  const mayBeZero = (member.flags & DESCRIPTOR) !== 0
  const same = (a: number | undefined, b: number) => a === b || (mayBeZero && (a === 0 || a === undefined))
  return (
    same(local.packedBytes, member.packedBytes) &&
    same(local.sizeBytes, member.sizeBytes) &&
    same(local.crc, member.crc)
  )
}

/** Goes through the members as they lie in the file, up to the directory. */
function spans({ members, end }: ZipListing): { hidden?: number; overlap: boolean } {
  const inOrder = members.filter(({ local }) => local !== undefined).sort((a, b) => a.headerAt - b.headerAt)
  let at = 0
  let hidden: number | undefined
  let mayDescribe = false
  let overlap = false
  for (const next of [...inOrder.map(({ headerAt }) => headerAt), end.directoryAt].entries()) {
    const [number, start] = next
    if (start < at) overlap = true
    const isFilled = start <= at || (mayDescribe && DESCRIPTOR_BYTES.includes(start - at))
    if (!isFilled) hidden ??= at
    const found = inOrder[number]
    if (found === undefined) break
    at = Math.max(at, found.local!.dataAt + found.packedBytes)
    mayDescribe = (found.flags & DESCRIPTOR) !== 0
  }
  return { ...(hidden !== undefined && { hidden }), overlap }
}
