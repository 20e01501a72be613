/** The index of this machine for Python packages: from pip's configuration, otherwise the product's default. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { DEFAULT_UPSTREAM } from '../../src/config/settings.ts'

const run = promisify(execFile)

/** Ends in a slash. May hold credentials. */
export async function configuredIndex(): Promise<string> {
  const told = process.env.PIP_INDEX_URL ?? (await pipSetting()) ?? DEFAULT_UPSTREAM
  return told.endsWith('/') ? told : `${told}/`
}

async function pipSetting(): Promise<string | undefined> {
  try {
    const { stdout } = await run('python3', ['-m', 'pip', 'config', 'get', 'global.index-url'], { timeout: 30_000 })
    return stdout.trim() === '' ? undefined : stdout.trim()
  } catch {
    // Exit code 1 says that the key is not set; no pip at all means the same.
    return undefined
  }
}
