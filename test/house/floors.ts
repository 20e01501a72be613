/**
 * The rooms of `src` and the floors that they lie on. A folder imports from itself and from folders on lower floors; inside
 * a folder, a room imports from rooms named before it.
 */

/** Folders, ground first. Those of one floor do not import each other. */
export const FLOORS: readonly (readonly string[])[] = [
  ['lib'],
  ['pep'],
  ['archive'],
  ['model'],
  ['config', 'locks'],
  ['blob', 'catalog', 'folder'],
  ['upstream', 'names'],
  ['indexes'],
  ['mirrors'],
  ['browse'],
  ['accounts', 'publish', 'jobs', 'transfer'],
  ['http', 'web', 'client'],
  ['cli'],
  ['compose'],
]

/** These import everything, the lowest first. */
export const TOP = ['worker.ts', 'main.ts']

/** Rooms of a folder, ground first; `.` stands for the folder's own files. Where it is not named, they may lie above and below. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  blob: ['.', 'files'],
  catalog: ['.', 'sqlite'],
  accounts: ['login', 'tokens', 'trusted-publishing', '.'],
  publish: ['.', 'manage', 'sessions', 'push'],
  transfer: ['devpi', 'osv'],
  http: ['door', 'installers', 'accounts', 'uploaders', 'people', 'operators'],
  web: ['.', 'packages'],
  client: ['.', 'installers', 'warm', 'build', 'tox', 'commands'],
  cli: ['templates', 'serve', 'operate', 'devpi'],
}

/** The client is a program of its own: all that it shares with the server are words, standards and formats. */
export const CLIENT_KNOWS = ['client', 'lib', 'pep', 'archive', 'model', 'config', 'locks']

/** They ask the rooms between them and the catalog, where a gate stands. */
export const ASK_NO_ROWS = ['http', 'web']

/** A place in `src`: its folder, and the room inside it. */
export interface Place {
  readonly folder: string
  /** `.` for the folder's own files. */
  readonly room: string
}

/** `undefined` for what lies elsewhere. */
export function placeOf(path: string): Place | undefined {
  const [first, folder, ...rest] = path.split('/')
  if (first !== 'src' || folder === undefined) return undefined
  return { folder: folder.replace(/\.(test|contract|bench)\.ts$/, '.ts'), room: rest.length > 1 ? rest[0]! : '.' }
}

/** Counted from 0, the ground; `undefined` for a folder that nobody put on a floor. */
export function floorOf(folder: string): number | undefined {
  const floor = FLOORS.findIndex((folders) => folders.includes(folder))
  if (floor >= 0) return floor
  const top = TOP.indexOf(folder)
  return top < 0 ? undefined : FLOORS.length + top
}
