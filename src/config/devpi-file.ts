/** devpi-server's own configuration file: YAML, its options with dashes below the key `devpi-server`. */
import { existsSync, readFileSync } from 'node:fs'
import { platform } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { Problem } from '../model/errors.ts'

export interface DevpiFile {
  readonly path: string
  /** By the option's name with underscores. Every scalar is text, as devpi reads it: `600` and `yes` are what was written. */
  readonly values: Readonly<Record<string, unknown>>
}

/** More than any such file has; a larger one is not one. */
const BYTES_MAX = 1024 * 1024

/**
 * Every `devpi-server.yml` in the places where devpi looks (platformdirs' site and user folders), the one that counts
 * last.
 */
export function findDevpiFiles(env: Readonly<Record<string, string | undefined>>): string[] {
  return configFolders(env)
    .map((folder) => join(folder, 'devpi-server', 'devpi-server.yml'))
    .filter((path) => existsSync(path))
}

/** Throws `setting-invalid` for a file that cannot be read or is no mapping where devpi wants one. */
export function readDevpiFile(path: string): DevpiFile {
  const whole = asMapping(path, 'the file', parsed(path))
  const section = asMapping(path, 'the section "devpi-server"', whole['devpi-server'])
  return {
    path,
    values: Object.fromEntries(Object.entries(section).map(([name, value]) => [name.replaceAll('-', '_'), value])),
  }
}

function parsed(path: string): unknown {
  try {
    const text = readFileSync(path, 'utf8')
    if (text.length > BYTES_MAX) throw new RangeError(`it has more than ${BYTES_MAX} characters`)
    return parse(text, { schema: 'failsafe', maxAliasCount: 100 })
  } catch (error) {
    const reason = (error as Error).message
    throw new Problem('setting-invalid', `Cannot read settings from "${path}": ${reason}`, { cause: error })
  }
}

/** devpi takes a scalar for an empty mapping, and refuses a list. */
function asMapping(path: string, what: string, value: unknown): Record<string, unknown> {
  if (Array.isArray(value)) {
    throw new Problem('setting-invalid', `Cannot read settings from "${path}": ${what} must be a mapping, not a list`)
  }
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function configFolders(env: Readonly<Record<string, string | undefined>>): string[] {
  const home = env.HOME
  if (platform() === 'darwin') {
    const own = home === undefined ? [] : [join(home, 'Library', 'Application Support')]
    return ['/Library/Application Support', ...own]
  }
  const site = (env.XDG_CONFIG_DIRS || '/etc/xdg').split(':').filter((folder) => folder !== '')
  const own = env.XDG_CONFIG_HOME || (home === undefined ? undefined : join(home, '.config'))
  return own === undefined ? site : [...site, own]
}
