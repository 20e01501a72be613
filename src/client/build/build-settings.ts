/** A project's own settings for uploads: `[tool.devpi.upload]` of pyproject.toml or `[devpi:upload]` of setup.cfg. */
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { asObject } from '../../lib/json-object.ts'
import { iniValue } from '../installers/ini-file.ts'
import type { Session } from '../session.ts'
import { readIfThere } from '../state-file.ts'

export interface BuildSettings {
  readonly sdist?: boolean
  readonly wheel?: boolean
  readonly noVcs?: boolean
  readonly setupdirOnly?: boolean
  readonly formats?: string
}

const KEYS = { sdist: 'sdist', wheel: 'wheel', 'no-vcs': 'noVcs', 'setupdir-only': 'setupdirOnly' } as const

/** Reads both files in `folder`; settings in both, and values that are no booleans, end the command with a sentence. */
export async function readBuildSettings(session: Session, folder: string): Promise<BuildSettings> {
  const fromToml = await readToml(session, join(folder, 'pyproject.toml'))
  const fromIni = await readIni(session, join(folder, 'setup.cfg'))
  if (fromToml && fromIni) throw session.out.failure('Got configuration in pyproject.toml and setup.cfg, choose one.')
  return fromToml ?? fromIni ?? {}
}

async function readToml({ out }: Session, path: string): Promise<BuildSettings | undefined> {
  const text = await readIfThere(path)
  if (text === undefined) return undefined
  let document: unknown
  try {
    document = parse(text)
  } catch (error) {
    throw out.failure(`Error loading ${path}:\n${(error as Error).message}`)
  }
  const section = asObject(asObject(asObject(document).tool).devpi).upload
  if (section === undefined) return undefined
  out.info(`detected tool.devpi.upload section in ${path}`)
  const settings: Partial<Record<(typeof KEYS)[keyof typeof KEYS], boolean>> = {}
  for (const [key, value] of Object.entries(asObject(section))) {
    if (key === 'formats') throw out.failure("The 'formats' option is deprecated and not supported in pyproject.toml.")
    if (!isKey(key)) continue
    out.info(
      `Got ${key}=${value === true ? 'True' : value === false ? 'False' : value} from pyproject.toml [tool.devpi.upload].`,
    )
    if (typeof value !== 'boolean') throw out.failure(`Got non-boolean '${value}' for '${key}', use true or false.`)
    settings[KEYS[key]] = value
  }
  return settings
}

async function readIni({ out }: Session, path: string): Promise<BuildSettings | undefined> {
  const text = await readIfThere(path)
  if (text === undefined || !/^\[devpi:upload\]/m.test(text)) return undefined
  out.info(`detected devpi:upload section in ${path}`)
  const settings: { -readonly [Key in keyof BuildSettings]: BuildSettings[Key] } = {}
  for (const key of [...Object.keys(KEYS), 'formats']) {
    const value = iniValue(text, { section: 'devpi:upload', name: key })
    if (value === undefined) continue
    out.info(`Got ${key}='${value}' from setup.cfg [devpi:upload].`)
    if (isKey(key)) settings[KEYS[key]] = truth(value) ?? unclear(out, value)
    else settings.formats = value
  }
  return settings
}

function unclear(out: Session['out'], value: string): never {
  throw out.failure(
    `Invalid truth value '${value}', use 'yes', 'true' or '1' for True, or 'no', 'false' or '0' for False.`,
  )
}

/** devpi's reading of an INI truth value; an empty one is false. */
function truth(value: string): boolean | undefined {
  if (/^(?:y|yes|t|true|on|1)$/i.test(value)) return true
  return /^(?:|n|no|f|false|off|0)$/i.test(value) ? false : undefined
}

function isKey(key: string): key is keyof typeof KEYS {
  return key in KEYS
}
