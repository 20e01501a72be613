/** The secret that signs login tokens, in a file that the setting `secretfile` names, by devpi's rules. */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFile, syncFolder } from '../lib/durable.ts'
import { Problem } from '../model/errors.ts'

const CHARACTERS_LEAST = 32
/** Fewer different characters than this are a pattern, not a secret. */
const DIFFERENT_LEAST = 6
const GROUP_AND_WORLD = 0o077
const WRITABLE_BY_OTHERS = 0o022

/**
 * Makes the file, with mode 0600, unless it is there. Throws `setting-invalid` when anybody but its owner can get at it
 * or put another in its place, and when it is too short or too simple.
 */
export async function keepSecretFile(path: string): Promise<{ readonly secret: Uint8Array; readonly isNew: boolean }> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (((await stat(folder)).mode & WRITABLE_BY_OTHERS) !== 0) {
    throw refusal(path, `its folder can be written by others`, `chmod go-w ${folder}`)
  }
  const isNew = await makeIfAbsent(path)
  if (((await stat(path)).mode & GROUP_AND_WORLD) !== 0) {
    throw refusal(path, 'others than its owner can read or write it', `chmod 600 ${path}`)
  }
  const text = (await readFile(path, 'latin1')).trim()
  const another = 'remove it and make another with: devpi-gen-secret'
  if (text.length < CHARACTERS_LEAST) {
    throw refusal(path, `it has ${text.length} characters, at least ${CHARACTERS_LEAST} are needed`, another)
  }
  if (new Set(text).size < DIFFERENT_LEAST) {
    throw refusal(path, `it repeats itself, at least ${DIFFERENT_LEAST} different characters are needed`, another)
  }
  return { secret: Buffer.from(text, 'latin1'), isNew }
}

async function makeIfAbsent(path: string): Promise<boolean> {
  try {
    await using file = await open(path, 'wx', 0o600)
    await file.writeFile(randomBytes(32).toString('base64'))
    await syncFile(file.fd, path)
    await syncFolder(dirname(path))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function refusal(path: string, why: string, hint: string): Problem {
  return new Problem('setting-invalid', `Cannot use secret file "${path}": ${why}`, { hint })
}
