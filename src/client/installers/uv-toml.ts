/** uv's configuration: which file it is, and the `index-url` in it. */
import { platform } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'smol-toml'
import type { ConfigSurroundings } from './pip-conf.ts'

/** The file: the virtual environment's, UV_CONFIG_FILE, or the user's (uv's "Configuration files"). */
export function uvPath({ env, home, venv }: ConfigSurroundings): string {
  if (venv !== undefined) return join(venv, 'uv.toml')
  if (env.UV_CONFIG_FILE) return env.UV_CONFIG_FILE
  const base = platform() === 'win32' ? env.APPDATA : env.XDG_CONFIG_HOME
  return join(base || join(home, '.config'), 'uv', 'uv.toml')
}

/** The `index-url` of uv.toml's text. Throws `SyntaxError` for text that is not TOML. */
export function uvIndex(text: string): string | undefined {
  const value = parsed(text)['index-url']
  return typeof value === 'string' && value !== '' ? value : undefined
}

/**
 * The text with `index-url` set: on its line, or above the first table. Nothing else changes.
 * Throws `SyntaxError` for text that is not TOML, or in which the line cannot be found.
 */
export function withUvIndex(text: string, index: URL): string {
  const before = parsed(text)
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const lines = text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/)
  const line = `index-url = ${JSON.stringify(index.href)}`
  const firstTable = lines.findIndex((known) => /^\s*\[/.test(known))
  const top = firstTable === -1 ? lines.length : firstTable
  const at = lines.slice(0, top).findIndex((known) => /^\s*(?:index-url|"index-url"|'index-url')\s*=/.test(known))
  if (at === -1) lines.splice(0, 0, line)
  else lines[at] = line
  const changed = lines.join(newline) + newline
  if (!isDeepStrictEqual({ ...parsed(changed) }, { ...before, 'index-url': index.href })) {
    throw new SyntaxError('Cannot set "index-url" in uv.toml: its line cannot be told from the rest; set it by hand')
  }
  return changed
}

function parsed(text: string): Record<string, unknown> {
  try {
    return parse(text)
  } catch (error) {
    const [reason] = (error as Error).message.split('\n')
    throw new SyntaxError(`Cannot read uv.toml: ${reason}; repair the file first`)
  }
}
