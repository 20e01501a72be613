/**
 * Chooses the `Authorization` header of a request. Credentials go only to their own scheme, host and port, also after
 * redirects.
 */
import { open } from 'node:fs/promises'
import type { MirrorAccess } from '../config/upstream-settings.ts'
import { reasonOf } from '../lib/reason.ts'
import { Problem } from '../model/errors.ts'
import { readNetrc } from './netrc.ts'

export interface CredentialSources {
  /** As its owner wrote it, user and password included. */
  readonly mirrorUrl: URL
  /** From the server's own environment. */
  readonly access?: MirrorAccess | undefined
  /** A file, which may be missing. */
  readonly netrc?: string | undefined
}

/** A netrc file or a token of more than this is none. */
const FILE_BYTES = 256 * 1024

export class UpstreamCredentials {
  readonly #origin: string
  readonly #isSecure: boolean
  readonly #sources: CredentialSources

  constructor(sources: CredentialSources) {
    this.#origin = sources.mirrorUrl.origin
    this.#isSecure = sources.mirrorUrl.protocol === 'https:'
    this.#sources = sources
  }

  /**
   * The value of the header for a request to `url`; `undefined` where there is none to send. An address that names user
   * and password itself (a page may) gets those. The mirror's own host gets what the environment has for the mirror, else
   * what its `mirror_url` has. netrc is last; it names hosts alone, so what it has goes only over TLS, or to the mirror's
   * own host as its URL has it. Files are read anew each time: tokens that live for hours are replaced in place.
   * Throws `upstream-failed` for a file that cannot be read.
   */
  async headerFor(url: URL): Promise<string | undefined> {
    if (url.username !== '' || url.password !== '') return basicOf(url)
    const { mirrorUrl, access, netrc } = this.#sources
    const isOwn = url.origin === this.#origin
    if (isOwn && access !== undefined) {
      const token = access.token ?? (access.tokenFile && (await readSecret(access.tokenFile)))
      if (token) return `Bearer ${token}`
      const password = access.password ?? (access.passwordFile && (await readSecret(access.passwordFile)))
      const username = access.username ?? decoded(mirrorUrl.username)
      if (password !== undefined || access.username !== undefined) return basic(username, password ?? '')
    }
    if (isOwn && (mirrorUrl.username !== '' || mirrorUrl.password !== '')) return basicOf(mirrorUrl)
    if (netrc === undefined || (!isOwn && (url.protocol !== 'https:' || !this.#isSecure))) return undefined
    const entry = readNetrc(await readText(netrc, isNone)).get(url.hostname.replace(/^\[|\]$/g, ''))
    return entry && basic(entry.login, entry.password)
  }
}

/** Without user and password: what goes into messages and onto the wire. */
export function withoutUserinfo(url: URL): URL {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  return bare
}

function basicOf({ username, password }: URL): string {
  return basic(decoded(username), decoded(password))
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/** A URL may have a bare `%`. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

async function readSecret(path: string): Promise<string> {
  return (await readText(path)).trim()
}

/** Without a netrc there is none; that of a home which is somebody else's is none either. */
function isNone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** Empty where `isAbsent` says so of the error. The path is the operator's and may be told; what is in the file may not. */
async function readText(path: string, isAbsent: (error: unknown) => boolean = () => false): Promise<string> {
  try {
    await using file = await open(path)
    const { bytesRead, buffer } = await file.read(Buffer.alloc(FILE_BYTES), 0, FILE_BYTES)
    return buffer.toString('utf8', 0, bytesRead)
  } catch (error) {
    if (isAbsent(error)) return ''
    throw new Problem('upstream-failed', `Cannot read the credentials of the mirror: ${reasonOf(error)}`, {
      hint: "the path comes from the server's environment",
      cause: error,
    })
  }
}
