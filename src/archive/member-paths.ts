/**
 * Checks the paths of an archive's members: an installer must unpack them below one folder, with the same result
 * everywhere.
 */
import { quoted, type Rule } from './fault.ts'

/** A member's path as written, and what stands there. */
export interface MemberPath {
  readonly path: string
  readonly isFolder: boolean
}

/** Folders and the name in a path: the deepest that people pack have some 30. */
const PARTS_MOST = 50
/** Of the whole path: macOS unpacks no longer one. */
const CHARACTERS_MOST = 1024

/** Whether a path has more parts or characters than anybody unpacks. */
export function isTooLong(path: string): boolean {
  if (path.length > CHARACTERS_MOST) return true
  let parts = 1
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) parts++
  return parts > PARTS_MOST + (path.endsWith('/') ? 1 : 0)
}

const REBUILD = 'build the file again from a folder with ordinary names'

/** Zip and tar alike. */
export const PATH_RULES: readonly Rule<readonly MemberPath[]>[] = [
  {
    refuses: 'A member without a name',
    fix: REBUILD,
    fault: (members) => (members.some(({ path }) => path === '') ? 'it has a member without a name' : undefined),
  },
  {
    refuses: `A member whose name has more than ${PARTS_MOST} parts or ${CHARACTERS_MOST} characters`,
    fix: 'pack with shorter paths',
    fault: first(({ path }) => isTooLong(path), `has more than ${PARTS_MOST} parts or ${CHARACTERS_MOST} characters`),
  },
  {
    refuses: 'A member whose name is an absolute path',
    fix: 'pack with paths relative to the project',
    fault: first(({ path }) => path.startsWith('/'), 'is an absolute path'),
  },
  {
    refuses: 'A member whose name begins with a drive letter',
    fix: 'pack with paths relative to the project',
    fault: first(({ path }) => /^[a-z]:/i.test(path), 'begins with a drive letter'),
  },
  {
    refuses: 'A member whose name has a backslash',
    fix: 'write "/" between folders, on Windows too',
    fault: first(({ path }) => path.includes('\\'), 'has a backslash'),
  },
  {
    refuses: 'A member whose name has control characters, as line feeds or a NUL',
    fix: 'rename the file',
    fault: first(({ path }) => /\p{Cc}/u.test(path), 'has control characters'),
  },
  {
    refuses: 'A member whose name climbs out of the folder it is unpacked in, by ".."',
    fix: 'pack with paths below the project',
    fault: first(({ path }) => path.split('/').includes('..'), 'climbs out of its folder'),
  },
  {
    refuses: 'A member whose name has an empty part or a ".", so that two names can mean one file',
    fix: 'pack with plain paths: "folder/file"',
    fault: first(
      ({ path }) => /\/\/|(?:^|\/)\.(?:\/|$)/.test(path) && path !== './',
      'is not plain: it has "//" or "/./"',
    ),
  },
  {
    refuses: 'A member that is a file and, by the names of others, a folder as well',
    fix: REBUILD,
    fault: (members) => {
      const folder = fileWithMembers(members)
      return folder === undefined ? undefined : `its member ${quoted(folder)} is a file and a folder at once`
    },
  },
]

/**
 * A file below which another member stands. Of sorted paths that end in a slash, those below a path follow right behind it: so
 * no list is made of each member's folders, of which there may be as many as characters.
 */
function fileWithMembers(members: readonly MemberPath[]): string | undefined {
  const inOrder = members
    .map(({ path, isFolder }) => ({ isFolder, path: path.endsWith('/') ? path : `${path}/` }))
    .sort((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)))
  let above: string | undefined
  for (const { path, isFolder } of inOrder) {
    if (above !== undefined && path.length > above.length && path.startsWith(above)) return above.slice(0, -1)
    if (!isFolder) above = path
  }
  return undefined
}

function first(isWrong: (member: MemberPath) => boolean, what: string): Rule<readonly MemberPath[]>['fault'] {
  return (members) => {
    const found = members.find((member) => member.path !== '' && isWrong(member))
    return found && `the name of its member ${quoted(found.path)} ${what}`
  }
}
