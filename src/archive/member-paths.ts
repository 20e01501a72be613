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

const REBUILD = 'build the file again from a folder with ordinary names'

/** Zip and tar alike. */
export const PATH_RULES: readonly Rule<readonly MemberPath[]>[] = [
  {
    refuses: 'A member without a name',
    fix: REBUILD,
    fault: (members) => (members.some(({ path }) => path === '') ? 'it has a member without a name' : undefined),
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
      const files = new Set(members.filter(({ isFolder }) => !isFolder).map(({ path }) => path))
      const folder = members.flatMap(({ path }) => parentsOf(path)).find((parent) => files.has(parent))
      return folder === undefined ? undefined : `its member ${quoted(folder)} is a file and a folder at once`
    },
  },
]

/** `a/b` and `a` for `a/b/c`. */
function parentsOf(path: string): string[] {
  const parts = path.replace(/\/$/, '').split('/')
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'))
}

function first(isWrong: (member: MemberPath) => boolean, what: string): Rule<readonly MemberPath[]>['fault'] {
  return (members) => {
    const found = members.find((member) => member.path !== '' && isWrong(member))
    return found && `the name of its member ${quoted(found.path)} ${what}`
  }
}
