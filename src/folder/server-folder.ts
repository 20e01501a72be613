/**
 * The folder that holds everything a server keeps. `docs/format.md` is its specification; all paths are made here.
 *
 *   DIR/airlock.json        what this is: format version, uuid, when it was made; written last when it is initialised
 *   DIR/catalog.db          the catalog (with -wal and -shm beside it)
 *   DIR/blobs/sha256/ab/…   the blobs
 *   DIR/drafts/             what is not finished; cleared at start
 *   DIR/mirrors/ID.names    the list of all projects of a mirror's upstream
 *   DIR/secret              what signs login tokens, mode 0600
 *   DIR/lock                held by the process that may write
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { renameDurably, syncFile, syncFolder } from '../lib/durable.ts'
import { Problem } from '../model/errors.ts'
import { keepSecretFile } from './secret-file.ts'

/** Raised when an older program could not read the folder any more. */
export const FORMAT = 1

export interface Identity {
  readonly format: number
  readonly uuid: string
  readonly created: string
}

export class ServerFolder {
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  get catalog(): string {
    return join(this.root, 'catalog.db')
  }
  get mirrors(): string {
    return join(this.root, 'mirrors')
  }
  get drafts(): string {
    return join(this.root, 'drafts')
  }

  /**
   * Who the folder is; `undefined` for one that is new or was not initialised to the end. Throws `directory-too-new`
   * for a newer format and `directory-not-ours` for a folder that holds something else.
   */
  async identity(): Promise<Identity | undefined> {
    const text = await readIfThere(join(this.root, 'airlock.json'))
    if (text === undefined) {
      await this.#refuseForeign()
      return undefined
    }
    const identity = parseIdentity(text.toString('utf8'), this.root)
    if (identity.format > FORMAT) {
      throw new Problem(
        'directory-too-new',
        `Cannot open server folder "${this.root}": its format is ${identity.format}, this program knows formats up to ${FORMAT}`,
        { hint: 'start the version of Airlock that wrote it, or a newer one' },
      )
    }
    return identity
  }

  /** Marks the folder as ready. */
  async establish(now: Date): Promise<Identity> {
    const identity: Identity = { format: FORMAT, uuid: randomUUID().replaceAll('-', ''), created: now.toISOString() }
    await writeDurably(join(this.root, 'airlock.json'), `${JSON.stringify(identity, null, 2)}\n`, 0o644)
    return identity
  }

  /**
   * Takes over what was put together in a folder below this one, its `airlock.json` last: before that, this one is not
   * initialised. Nothing may have either of them open. Throws `directory-in-use` where something is here already.
   */
  async takeOver(made: ServerFolder): Promise<void> {
    await this.refuseHeld()
    for (const name of ['blobs', 'catalog.db', 'airlock.json'])
      await renameDurably(join(made.root, name), join(this.root, name))
    await syncFolder(this.root)
  }

  /** Throws `directory-in-use` where a catalog or blobs are here, initialised or not, and `directory-not-ours`. */
  async refuseHeld(): Promise<void> {
    const isInitialised = (await this.identity()) !== undefined
    const names = await namesIn(this.root)
    if (!isInitialised && !names.some((name) => name === 'blobs' || name.startsWith('catalog.db'))) return
    throw new Problem('directory-in-use', `The path '${this.root}' already contains devpi-server data.`, {
      hint: isInitialised
        ? 'choose another folder with --serverdir'
        : 'it was not initialised to the end; remove it, or choose another folder with --serverdir',
    })
  }

  /** The secret that signs login tokens, made on first use. `path` is for a file elsewhere. Throws `setting-invalid`. */
  async secret(path?: string): Promise<Uint8Array> {
    if (path !== undefined) return (await keepSecretFile(path)).secret
    const own = join(this.root, 'secret')
    const found = await readIfThere(own)
    if (found === undefined) {
      const made = randomBytes(32).toString('base64')
      await writeDurably(own, `${made}\n`, 0o600)
      return Buffer.from(made)
    }
    const trimmed = found.toString('latin1').trim()
    if (trimmed.length < 32) {
      throw new Problem(
        'setting-invalid',
        `Cannot use secret file "${own}": it has ${trimmed.length} characters, at least 32 are needed`,
      )
    }
    return Buffer.from(trimmed, 'latin1')
  }

  /** Makes sure that one process at a time writes here. The lock goes with the process, however it ends. Throws `directory-in-use`. */
  async lock(): Promise<AsyncDisposable> {
    await mkdir(this.root, { recursive: true })
    const database = new DatabaseSync(join(this.root, 'lock'))
    try {
      database.exec(
        'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS held (by INTEGER); COMMIT',
      )
      database.exec('BEGIN EXCLUSIVE')
    } catch (error) {
      database.close()
      throw new Problem(
        'directory-in-use',
        `Cannot use server folder "${this.root}": another process serves it or works on it`,
        {
          hint: 'stop that one first, or choose another --serverdir',
          cause: error,
        },
      )
    }
    return { [Symbol.asyncDispose]: async () => database.close() }
  }

  async #refuseForeign(): Promise<void> {
    const names = await namesIn(this.root)
    if (names.includes('.nodeinfo') || names.includes('.serverversion')) {
      throw new Problem(
        'directory-not-ours',
        `Cannot use server folder "${this.root}": it holds the data of a devpi-server`,
        {
          hint: 'choose another --serverdir for Airlock',
        },
      )
    }
    const known = ['airlock.json', 'airlock.toml', 'blobs', 'drafts', 'mirrors', 'secret', '.secret', 'lock']
    const foreign = names.filter(
      (name) => !known.includes(name) && !name.startsWith('catalog.db') && !name.startsWith('lock-'),
    )
    if (foreign.length > 0) {
      throw new Problem(
        'directory-not-ours',
        `Cannot use server folder "${this.root}": it is no server folder and holds "${foreign[0]}"`,
        {
          hint: 'choose an empty or new folder with --serverdir',
        },
      )
    }
  }
}

function parseIdentity(text: string, root: string): Identity {
  try {
    const parsed = JSON.parse(text) as Identity
    if (Number.isInteger(parsed.format) && typeof parsed.uuid === 'string') return parsed
  } catch {
    // Told below, together with JSON that says something else.
  }
  throw new Problem('directory-not-ours', `Cannot use server folder "${root}": its airlock.json is damaged`, {
    hint: 'restore the file from a backup',
  })
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true })
  const temporary = `${path}.new`
  await using file = await open(temporary, 'w', mode)
  await file.writeFile(text)
  await file.chmod(mode)
  await syncFile(file.fd, temporary)
  await renameDurably(temporary, path)
  await syncFolder(join(path, '..'))
}
