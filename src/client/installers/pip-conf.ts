/** pip's configuration: which file it is, and the index, the search address and the trusted host in it. */
import { existsSync } from 'node:fs'
import { homedir, platform } from 'node:os'
import { join } from 'node:path'
import { iniValue, withIniList, withIniValue } from './ini-file.ts'

/** Where configuration files lie depends on these alone. */
export interface ConfigSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** The virtual environment whose files are meant, instead of the user's. */
  readonly venv: string | undefined
}

export interface PipPlaces {
  /** The file to read and write. */
  readonly path: string
  /** Set when it lies where pip looked for it in former times, with the place it should move to. */
  readonly moveTo?: string
}

const INDEX = { section: 'global', name: 'index_url' }
const TRUSTED = { section: 'global', name: 'trusted-host' }
const SEARCH = { section: 'search', name: 'index' }

/** The file that pip reads: the environment's own, PIP_CONFIG_FILE, the former place if it exists, or the user's (pip's "Location"). */
export function pipPlaces({ env, home, venv }: ConfigSurroundings): PipPlaces {
  const name = platform() === 'win32' ? 'pip.ini' : 'pip.conf'
  if (venv !== undefined) return { path: join(venv, name) }
  if (env.PIP_CONFIG_FILE) return { path: env.PIP_CONFIG_FILE }
  const legacy = join(home, platform() === 'win32' ? 'pip' : '.pip', name)
  const current = join(userConfigDir(env, home), 'pip', name)
  return existsSync(legacy) ? { path: legacy, moveTo: current } : { path: current }
}

/** The index in pip.conf's text. */
export function pipIndex(text: string): string | undefined {
  return iniValue(text, INDEX) || undefined
}

/** The text with the index and the search address set, and its host trusted or no longer trusted. */
export function withPipIndex(text: string, index: { simple: URL; search: URL; trusted: boolean }): string {
  const host = index.simple.hostname
  const hosts = (iniValue(text, TRUSTED) ?? '').split(/\s+/).filter((known) => known !== '')
  const others = hosts.filter((known) => known !== host)
  const wanted = index.trusted ? (hosts.includes(host) ? hosts : [...hosts, host]) : others
  // New keys are put right below the section's header, so the index is set last to stand first.
  let changed = wanted.length === hosts.length ? text : withIniList(text, TRUSTED, wanted)
  changed = withIniValue(changed, INDEX, index.simple.href)
  return withIniValue(changed, SEARCH, index.search.href)
}

function userConfigDir(env: ConfigSurroundings['env'], home: string): string {
  if (platform() === 'win32') return env.APPDATA ?? join(homedir(), 'AppData', 'Roaming')
  const library = join(home, 'Library', 'Application Support')
  if (platform() === 'darwin' && existsSync(join(library, 'pip'))) return library
  return env.XDG_CONFIG_HOME || join(home, '.config')
}
