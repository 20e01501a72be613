/** What clients of upload sessions send, read from JSON (PEP 694). Keys that are not known are passed over, as a later minor version may have them. */
import { Problem } from '../../model/errors.ts'
import { asFilename, matchesProject, matchesVersion, parseFilename } from '../../pep/filename.ts'
import { asProjectName, type ProjectName } from '../../pep/name.ts'
import { asVersion } from '../../pep/version.ts'

/** The one way in which files are sent. */
export const MECHANISM = 'http-post-bytes'

/** By hashlib's name: what the platform calls it, and whether it is good enough to stand alone. */
export const SESSION_HASHES: ReadonlyMap<string, { readonly name: string; readonly isSecure: boolean }> = new Map(
  (
    [
      ['md5', 'md5', false],
      ['sha1', 'sha1', false],
      ['sha224', 'sha224', true],
      ['sha256', 'sha256', true],
      ['sha384', 'sha384', true],
      ['sha512', 'sha512', true],
      ['sha3_224', 'sha3-224', true],
      ['sha3_256', 'sha3-256', true],
      ['sha3_384', 'sha3-384', true],
      ['sha3_512', 'sha3-512', true],
      ['blake2b', 'blake2b512', true],
      ['blake2s', 'blake2s256', true],
    ] as const
  ).map(([key, name, isSecure]) => [key, { name, isSecure }]),
)

export interface SessionOrder {
  /** As it was sent. */
  readonly name: string
  readonly project: ProjectName
  readonly version: string
}

export interface FileOrder {
  readonly filename: string
  readonly sizeBytes: number
  /** hashlib names to hex digests in lower case; at least one secure. */
  readonly hashes: Readonly<Record<string, string>>
}

/** Throws `bad-request` for another API version, before anything else of the body is looked at. */
export function checkUploadVersion(body: Readonly<Record<string, unknown>>): void {
  const meta = body.meta as { 'api-version'?: unknown } | null | undefined
  const version = typeof meta === 'object' ? meta?.['api-version'] : undefined
  if (typeof version === 'string' && /^2\.\d{1,9}$/.test(version)) return
  throw new Problem('bad-request', 'Cannot read the request: "meta" has no "api-version" 2.0', {
    hint: 'send {"meta": {"api-version": "2.0"}, …}',
  })
}

/** The release a session is to be for. Throws `bad-request`, `metadata-invalid`. */
export function readSessionOrder(body: Readonly<Record<string, unknown>>): SessionOrder {
  const name = textOf(body, 'name')
  const version = textOf(body, 'version')
  const project = asProjectName(name)
  if (project === undefined) {
    throw new Problem('metadata-invalid', `Cannot open a session: "${name.slice(0, 200)}" is not a project name`)
  }
  if (asVersion(version) === undefined) {
    throw new Problem('metadata-invalid', `Cannot open a session: "${version.slice(0, 200)}" is not a PEP 440 version`)
  }
  return { name, project, version }
}

/** A file that is to come. Throws `bad-request`, `mechanism-unknown`, `file-invalid`, `too-large`. */
export function readFileOrder(
  body: Readonly<Record<string, unknown>>,
  { project, version }: Pick<SessionOrder, 'project' | 'version'>,
  { uploadBytes }: { readonly uploadBytes: number },
): FileOrder {
  const filename = textOf(body, 'filename')
  const { size: sizeBytes, mechanism } = body
  if (mechanism !== MECHANISM) {
    const said = typeof mechanism === 'string' ? `"${mechanism.slice(0, 100)}"` : 'none'
    throw new Problem(
      'mechanism-unknown',
      `Cannot take "${filename.slice(0, 200)}" by the mechanism ${said}: it is "${MECHANISM}"`,
    )
  }
  if (!Number.isSafeInteger(sizeBytes) || (sizeBytes as number) < 0) {
    throw new Problem('bad-request', 'Cannot read the request: write "size" as a whole number of bytes')
  }
  if ((sizeBytes as number) > uploadBytes) {
    throw new Problem('too-large', `Cannot accept the file: it has more than ${uploadBytes} bytes`, {
      hint: 'the server setting max_request_body_size allows larger ones',
    })
  }
  if (asFilename(filename) === undefined || parseFilename(filename) === undefined) {
    throw new Problem('file-invalid', `'${filename.slice(0, 200)}' is not a valid archive name`)
  }
  if (!matchesProject(filename, project) || !matchesVersion(filename, version, project)) {
    throw new Problem('file-invalid', `filename '${filename}' is not one of ${project} ${version}`, {
      hint: 'a session is for one release; open another for this file',
    })
  }
  return { filename, sizeBytes: sizeBytes as number, hashes: readHashes(body.hashes) }
}

/** For how many more seconds a session is wanted; `undefined` for as long as it may be. Throws `bad-request`. */
export function readExtension(body: Readonly<Record<string, unknown>>): number | undefined {
  const seconds = body['extend-for']
  if (seconds === undefined || seconds === null) return undefined
  if (typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds > 0) return seconds
  throw new Problem('bad-request', 'Cannot extend the session: write "extend-for" as a whole number of seconds')
}

function readHashes(given: unknown): Record<string, string> {
  const entries = typeof given === 'object' && given !== null ? Object.entries(given) : []
  const hashes: Record<string, string> = {}
  for (const [name, value] of entries) {
    if (!SESSION_HASHES.has(name)) {
      throw new Problem('bad-request', `Cannot check the hash "${name.slice(0, 100)}"`, {
        hint: `send some of ${[...SESSION_HASHES.keys()].join(', ')}`,
      })
    }
    if (typeof value !== 'string' || !/^(?:[0-9a-f]{2}){16,64}$/i.test(value)) {
      throw new Problem('bad-request', `Cannot read the request: write the hash "${name}" in hex digits`)
    }
    hashes[name] = value.toLowerCase()
  }
  if (!Object.keys(hashes).some((name) => SESSION_HASHES.get(name)?.isSecure)) {
    throw new Problem('bad-request', 'Cannot read the request: "hashes" has no secure hash', {
      hint: 'send at least the sha256',
    })
  }
  return hashes
}

function textOf(body: Readonly<Record<string, unknown>>, key: string): string {
  const value = body[key]
  if (typeof value === 'string' && value !== '') return value
  throw new Problem('bad-request', `Cannot read the request: write "${key}" as text`)
}
