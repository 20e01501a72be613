/** The installers' configuration files that `devpi use --set-cfg` writes and `devpi use` shows. */
import { statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { asHttpUrl, withoutSecret } from '../client-url.ts'
import { readIfThere, replaceFile } from '../state-file.ts'
import { iniValue, withIniValue } from './ini-file.ts'
import { type ConfigSurroundings, pipIndex, pipPlaces, withPipIndex } from './pip-conf.ts'
import { uvIndex, uvPath, withUvIndex } from './uv-toml.ts'

export interface IndexToSet {
  /** The simple index, with user and password where a web server in front asks for them. */
  readonly simple: URL
  /** The index itself, for pip's search. */
  readonly search: URL
  readonly trusted: boolean
}

export interface ConfigFile {
  readonly path: string
  read(text: string): string | undefined
  change(text: string, index: IndexToSet): string
}

const EASY_INSTALL = { section: 'easy_install', name: 'index_url' }
const BUILDOUT = { section: 'buildout', name: 'index' }

/** pip's and uv's files, and outside a virtual environment those of setuptools and buildout, in the order devpi shows them. */
export function configFiles(surroundings: ConfigSurroundings): readonly ConfigFile[] {
  const files: ConfigFile[] = [
    { path: pipPlaces(surroundings).path, read: pipIndex, change: withPipIndex },
    { path: uvPath(surroundings), read: uvIndex, change: (text, { simple }) => withUvIndex(text, simple) },
  ]
  if (surroundings.venv !== undefined) return files
  const ini = (path: string, key: { section: string; name: string }): ConfigFile => ({
    path,
    read: (text) => iniValue(text, key) || undefined,
    change: (text, { simple }) => withIniValue(text, key, simple.href),
  })
  const { home } = surroundings
  return [
    ...files,
    ini(join(home, '.pydistutils.cfg'), EASY_INSTALL),
    ini(join(home, '.buildout', 'default.cfg'), BUILDOUT),
  ]
}

/**
 * Sets the index in one file. The first time, the file as it was is kept beside it as `…-bak`.
 * With a password in the address the file is made readable for its owner alone.
 * False, and nothing done, where the path is no ordinary file: `PIP_CONFIG_FILE=/dev/null` is how pip is told to have none.
 */
export async function setIndex(file: ConfigFile, index: IndexToSet): Promise<boolean> {
  const known = statSync(file.path, { throwIfNoEntry: false })
  if (known !== undefined && !known.isFile()) return false
  const old = await readIfThere(file.path)
  const changed = file.change(old ?? '', index)
  const usual = known === undefined ? 0o644 : known.mode & 0o777
  const mode = index.simple.password === '' ? usual : usual & 0o700
  await mkdir(dirname(file.path), { recursive: true })
  if (old !== undefined && (await readIfThere(`${file.path}-bak`)) === undefined)
    await replaceFile(`${file.path}-bak`, old, mode)
  if (changed !== old) await replaceFile(file.path, changed, mode)
  return true
}

/** `PATH: INDEX` without secrets, or what is missing. */
export async function describeConfig(file: ConfigFile): Promise<string> {
  const text = await readIfThere(file.path)
  if (text === undefined) return `${file.path}: no config file exists`
  const index = file.read(text)
  if (index === undefined) return `${file.path}: no index server configured`
  const url = asHttpUrl(index)
  return `${file.path}: ${url ? withoutSecret(url) : index}`
}
