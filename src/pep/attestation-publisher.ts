/** The signer of an attestation: a Trusted Publisher's identity, from its Fulcio certificate (PEP 740's `publisher`). */
import { withoutTrailing } from '../lib/trailing.ts'

/** A publisher in provenance: a kind, and the identifying fields of that kind. */
export type AttestationPublisher = { readonly kind: string } & Readonly<Record<string, string | null | undefined>>

/** From a certificate whose chain holds: the subject's alternative name, and Fulcio's extensions by object identifier. */
export interface CertificateClaims {
  readonly subject: string | undefined
  readonly issuer: string | undefined
  /** Values as they stand in the extension, by dotted identifier. */
  readonly extensions: ReadonlyMap<string, Uint8Array>
}

// https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
const BUILD_SIGNER_URI = '1.3.6.1.4.1.57264.1.9'
const SOURCE_REPOSITORY_URI = '1.3.6.1.4.1.57264.1.12'
const SOURCE_REPOSITORY_REF = '1.3.6.1.4.1.57264.1.14'
const BUILD_CONFIG_URI = '1.3.6.1.4.1.57264.1.18'

const GITHUB = 'https://token.actions.githubusercontent.com'
const GITLAB = 'https://gitlab.com'
const GOOGLE = 'https://accounts.google.com'
const CIRCLECI = 'https://oidc.circleci.com'

/**
 * The publisher in the words of the public index where it knows the kind; any other issuer is its own kind, with the
 * certificate's subject as `identity`. An environment is in no certificate: `null`, which says that it is not known.
 */
export function publisherOf(claims: CertificateClaims): AttestationPublisher {
  const text = (id: string) => derText(claims.extensions.get(id))
  const source = text(SOURCE_REPOSITORY_URI)
  const config = text(BUILD_CONFIG_URI) ?? claims.subject
  switch (claims.issuer) {
    case GITHUB: {
      const repository = below(source, 'https://github.com/')
      const workflow = repository && between(config, `https://github.com/${repository}/.github/workflows/`)
      if (repository && workflow) return { kind: 'GitHub', repository, workflow, environment: null }
      break
    }
    case GITLAB: {
      const repository = below(source, 'https://gitlab.com/')
      const workflow_filepath = repository && between(config, `https://gitlab.com/${repository}//`)
      if (repository && workflow_filepath) return { kind: 'GitLab', repository, workflow_filepath, environment: null }
      break
    }
    case GOOGLE:
      if (claims.subject !== undefined) return { kind: 'Google', email: claims.subject }
      break
    case CIRCLECI: {
      const place = /\/projects\/([^/]+)\/pipeline-definitions\/([^/]+)$/.exec(text(BUILD_SIGNER_URI) ?? '')
      if (place === null) break
      const [, project_id, pipeline_definition_id] = place
      const ref = text(SOURCE_REPOSITORY_REF)
      return {
        kind: 'CircleCI',
        project_id,
        pipeline_definition_id,
        ...(source !== undefined && { vcs_origin: source }),
        ...(ref !== undefined && { vcs_ref: ref }),
      }
    }
  }
  return {
    kind: claims.issuer ?? 'unknown',
    ...(claims.subject !== undefined && { identity: claims.subject }),
    ...(source !== undefined && { repository: source }),
  }
}

/** For people, in one line: `GitHub acme/widget (release.yml)`. */
export function publisherText(publisher: AttestationPublisher): string {
  const who = publisher.repository ?? publisher.email ?? publisher.vcs_origin ?? publisher.identity
  const how = publisher.workflow ?? publisher.workflow_filepath
  return [publisher.kind, who, how && `(${how})`].filter((part) => typeof part === 'string' && part !== '').join(' ')
}

/** Where people look at the repository; `undefined` where none is told that is on a known forge. */
export function publisherUrl({ kind, repository }: AttestationPublisher): string | undefined {
  if (typeof repository !== 'string' || !/^[\w.-]+(\/[\w.-]+)+$/.test(repository)) return undefined
  if (kind === 'GitHub') return `https://github.com/${repository}`
  return kind === 'GitLab' ? `https://gitlab.com/${repository}` : undefined
}

/** Whether two descriptions name the same publisher; what only one of them tells (an environment, claims) does not count. */
export function isSamePublisher(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(a).filter((key) => b[key] !== undefined && b[key] !== null && a[key] !== null)
  const told = keys.filter((key) => typeof a[key] === 'string' && key !== 'environment')
  return a.kind === b.kind && told.length > 1 && told.every((key) => folded(key, a[key]) === folded(key, b[key]))
}

/** Whether an index's word on who signed cannot be true; of kinds that are not known here nothing can be said. */
export function contradicts(said: AttestationPublisher, signed: AttestationPublisher): boolean {
  const isKnown = KINDS.includes(said.kind) || KINDS.includes(signed.kind)
  return isKnown && !isSamePublisher(said, signed)
}

const KINDS = ['GitHub', 'GitLab', 'Google', 'CircleCI']

/** Forges and mail hosts do not tell capitals apart in names of repositories and accounts. */
function folded(key: string, value: unknown): unknown {
  return typeof value === 'string' && (key === 'repository' || key === 'email') ? value.toLowerCase() : value
}

function below(url: string | undefined, host: string): string | undefined {
  return url?.startsWith(host) ? withoutTrailing(url.slice(host.length), '/') : undefined
}

/** What stands between `start` and the `@` before the commit or branch. */
function between(url: string | undefined, start: string): string | undefined {
  if (url?.startsWith(start) !== true) return undefined
  const end = url.indexOf('@', start.length)
  return end < 0 ? undefined : url.slice(start.length, end)
}

/** A UTF8String in DER (X.690 §8.1.3); `undefined` for anything else. */
function derText(value: Uint8Array | undefined): string | undefined {
  if (value === undefined || value[0] !== 0x0c || value[1] === undefined) return undefined
  const first = value[1]
  const digits = first < 0x80 ? 0 : first & 0x7f
  if (digits > 2) return undefined
  const length = digits === 0 ? first : value.subarray(2, 2 + digits).reduce((sum, byte) => sum * 256 + byte, 0)
  const text = value.subarray(2 + digits)
  return text.length === length ? Buffer.from(text).toString('utf8') : undefined
}
