/** Rules for wheels, beyond being a sound zip (PEP 427 and "Binary distribution format"). */

import { linesOf } from '../lib/lines.ts'
import { isStemOf } from '../pep/filename.ts'
import type { CoreMetadata } from '../pep/metadata.ts'
import type { ProjectName } from '../pep/name.ts'
import { entryPointsFault } from './entry-points.ts'
import { quoted, type Rule } from './fault.ts'
import type { RecordRow } from './wheel-record.ts'

export interface SeenWheel {
  /** As its filename says. */
  readonly project: ProjectName
  readonly version: string
  /** Of files, with their sizes; folders are left out. */
  readonly sizes: ReadonlyMap<string, number>
  /** The folders at the top that end in `.dist-info`. */
  readonly infoFolders: readonly string[]
  /** RECORD's rows, or what is wrong with it. */
  readonly record?: readonly RecordRow[] | string
  /** The texts of other files in the one folder, by their names in it: WHEEL and entry_points.txt, where they are there. */
  readonly texts: ReadonlyMap<string, string>
  readonly metadata?: CoreMetadata
}

const REBUILD = 'build the wheel again with a current build tool'
const REPACK = 'change wheels with "wheel unpack" and "wheel pack", which write RECORD anew'
/** Not listed in RECORD, or without hash: it cannot hash itself, and signatures come after it. */
const UNRECORDED = ['RECORD', 'RECORD.jws', 'RECORD.p7s']
const WEAK_HASHES = /^(?:md5|sha1|sha224)=/

/** METADATA itself is looked for where it is read. */
export const WHEEL_RULES: readonly Rule<SeenWheel>[] = [
  {
    refuses: 'A wheel with more than one .dist-info folder, or with none',
    fix: REBUILD,
    fault: ({ infoFolders: [folder, ...more] }) => {
      if (folder === undefined) return 'it has no .dist-info folder'
      return more.length > 0
        ? `it has more than one .dist-info folder: ${[folder, ...more].slice(0, 3).map(quoted).join(', ')}${others(more.slice(1))}`
        : undefined
    },
  },
  {
    refuses: 'A .dist-info folder of another project or version than the filename says',
    fix: 'build the wheel again: renaming a file does not change what it is',
    fault: ({ infoFolders: [folder], project, version }) =>
      folder === undefined || isStemOf(folder.slice(0, -'.dist-info'.length), project, version)
        ? undefined
        : `its ${quoted(folder)} belongs to another release than its filename says`,
  },
  ...['METADATA', 'WHEEL', 'RECORD'].map(
    (name): Rule<SeenWheel> => ({
      refuses: `A wheel without ${name}`,
      fix: REBUILD,
      fault: ({ infoFolders, sizes }) =>
        infoFolders.length !== 1 || sizes.has(`${infoFolders[0]}/${name}`)
          ? undefined
          : `it has no ${name} in its .dist-info folder`,
    }),
  ),
  {
    refuses: 'A WHEEL file that names no Wheel-Version of 1.x, the only one that installers read',
    fix: REBUILD,
    fault: ({ texts }) => {
      const text = texts.get('WHEEL')
      if (text === undefined) return undefined
      const version = wheelVersionIn(text)
      if (version === undefined) return 'its WHEEL names no Wheel-Version'
      return /^1\.\d{1,9}$/.test(version) ? undefined : `its Wheel-Version ${quoted(version)} is not 1.x`
    },
  },
  {
    refuses: 'A RECORD that is no list of paths, hashes and sizes',
    fix: REPACK,
    fault: ({ record }) => (typeof record === 'string' ? `its RECORD cannot be read: ${record}` : undefined),
  },
  {
    refuses: 'A RECORD with hashes weaker than sha256, or without them',
    fix: REPACK,
    fault: (wheel) => {
      const row = rowsOf(wheel).find(
        ({ path, hash }) => !isUnrecorded(wheel, path) && (hash === '' || WEAK_HASHES.test(hash)),
      )
      return row && `its RECORD has no hash of sha256 or better for ${quoted(row.path)}`
    },
  },
  {
    refuses: 'A file that RECORD does not list: it would be installed, and stay when the project is uninstalled',
    fix: REPACK,
    isForm: true,
    fault: (wheel) => {
      // Without rows all would be missing, and RECORD's own fault is told already.
      if (typeof wheel.record !== 'object') return undefined
      const listed = new Set(rowsOf(wheel).map(({ path }) => path))
      const missing = [...wheel.sizes.keys()].filter((path) => !listed.has(path) && !isUnrecorded(wheel, path))
      return missing[0] && `its RECORD does not list ${quoted(missing[0])}${others(missing)}`
    },
  },
  {
    refuses: 'A RECORD that lists files which are not there',
    fix: REPACK,
    isForm: true,
    fault: (wheel) => {
      const absent = rowsOf(wheel).filter(({ path }) => !wheel.sizes.has(path) && !isUnrecorded(wheel, path))
      return absent[0] && `its RECORD lists ${quoted(absent[0].path)}${others(absent)}, and it is not there`
    },
  },
  {
    refuses: 'A RECORD with another size of a file than it has',
    fix: REPACK,
    fault: (wheel) => {
      const wrong = rowsOf(wheel).find(
        ({ path, size }) => size !== '' && wheel.sizes.has(path) && Number(size) !== wheel.sizes.get(path),
      )
      return (
        wrong &&
        `its RECORD says that ${quoted(wrong.path)} has ${wrong.size} bytes, and it has ${wheel.sizes.get(wrong.path)}`
      )
    },
  },
  {
    refuses: 'A RECORD that lists a file twice',
    fix: REPACK,
    isForm: true,
    fault: (wheel) => {
      const seen = new Set<string>()
      const twice = rowsOf(wheel).find(({ path }) => seen.size === seen.add(path).size)
      return twice && `its RECORD lists ${quoted(twice.path)} twice`
    },
  },
  {
    refuses: 'An entry_points.txt that cannot be read',
    fix: 'write groups in brackets and lines of "name = module:object"',
    isForm: true,
    fault: ({ texts }) => {
      const fault = entryPointsFault(texts.get('entry_points.txt') ?? '')
      return fault && `its entry_points.txt cannot be read: ${fault}`
    },
  },
  {
    refuses: 'A command of a wheel that would replace the Python interpreter of the environment',
    fix: 'give the command another name',
    fault: ({ sizes, texts }) => {
      const script = [...sizes.keys()].find((path) => /^[^/]+\.data\/scripts\/pythonw?[\d.]*(?:\.exe)?$/i.test(path))
      if (script !== undefined) return `its ${quoted(script)} would replace Python itself`
      const command = commandsOf(texts.get('entry_points.txt') ?? '').find((name) => /^pythonw?[\d.]*$/i.test(name))
      return command && `its command ${quoted(command)} would replace Python itself`
    },
  },
  {
    refuses:
      'A licence file that the metadata (2.4 and later) names and the wheel does not hold in .dist-info/licenses',
    fix: 'add the file, or take it out of "license-files"',
    isForm: true,
    fault: ({ metadata, infoFolders: [folder], sizes }) => {
      const missing = licenceFiles(metadata).find((path) => !sizes.has(`${folder}/licenses/${path}`))
      return missing && folder !== undefined ? `it does not hold its licence file ${quoted(missing)}` : undefined
    },
  },
]

/** Those that have to be there: before metadata 2.4, tools wrote the field each in its own way (PEP 639). */
export function licenceFiles(metadata: CoreMetadata | undefined): readonly string[] {
  const minor = Number(/^2\.(\d+)$/.exec(metadata?.metadataVersion ?? '')?.[1] ?? 0)
  const files = metadata?.fields.license_file ?? []
  return minor < 4 || typeof files === 'string' ? [] : files
}

/** The value of the first header of that name; `undefined` where none is. */
function wheelVersionIn(text: string): string | undefined {
  for (const line of linesOf(text)) {
    if (/^Wheel-Version:/i.test(line)) return line.slice(line.indexOf(':') + 1).trim()
  }
  return undefined
}

function rowsOf({ record }: SeenWheel): readonly RecordRow[] {
  return typeof record === 'object' ? record : []
}

function isUnrecorded({ infoFolders: [folder] }: SeenWheel, path: string): boolean {
  return UNRECORDED.some((name) => path === `${folder}/${name}`)
}

function others(found: readonly unknown[]): string {
  return found.length > 1 ? ` and ${found.length - 1} more` : ''
}

function commandsOf(text: string): string[] {
  let isCommands = false
  const names: string[] = []
  for (const line of linesOf(text)) {
    const group = /^\s*\[([^\]]*)\]/.exec(line)?.[1]?.trim()
    if (group !== undefined) isCommands = group === 'console_scripts' || group === 'gui_scripts'
    const name = /^([^=]+)=/.exec(line)?.[1]?.trim()
    if (isCommands && name !== undefined) names.push(name)
  }
  return names
}
