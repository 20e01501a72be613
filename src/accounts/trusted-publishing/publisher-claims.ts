/**
 * Compares the claims of an OIDC token with a trusted publisher. Every rule compares whole values; no rule matches a
 * prefix.
 */
import type { PublisherIdentity } from '../../model/access.ts'
import type { PublisherSpec, TrustedPublisher } from '../../model/tokens.ts'

type Claims = PublisherIdentity['claims']
type Github = Extract<PublisherSpec, { kind: 'github' }>
type Gitlab = Extract<PublisherSpec, { kind: 'gitlab' }>

/** The claims that are text, numbers or truth values, as text. */
export function textClaims(payload: Readonly<Record<string, unknown>>): Claims {
  const said = Object.entries(payload).filter(
    ([name, value]) => name !== 'jti' && ['string', 'number', 'boolean'].includes(typeof value),
  )
  return Object.fromEntries(said.map(([name, value]) => [name, String(value)]))
}

/** The token's issuer must be the publisher's; that is not looked at here. */
export function isMatching({ spec }: Pick<TrustedPublisher, 'spec'>, claims: Claims): boolean {
  switch (spec.kind) {
    case 'github':
      return isGithub(spec, claims)
    case 'gitlab':
      return isGitlab(spec, claims)
    case 'oidc':
      return Object.entries(spec.claims).every(([name, value]) => Object.hasOwn(claims, name) && claims[name] === value)
  }
}

/** What a refusal tells of a token: what publishers are configured by. */
export function toldClaims(claims: Claims): string {
  const told = TOLD.flatMap((name) => (claims[name] === undefined ? [] : [`${name}=${claims[name].slice(0, 200)}`]))
  return told.join(', ')
}

const TOLD = ['repository', 'job_workflow_ref', 'project_path', 'ci_config_ref_uri', 'environment', 'sub']

/**
 * As PyPI decides: `job_workflow_ref` is the file that runs, also when others call it, at the very revision of the build.
 * Names of owners and repositories are the same in any case. A workflow that strangers' pull requests start with the
 * repository's own rights (`pull_request_target`) publishes nothing.
 */
function isGithub(spec: Github, claims: Claims): boolean {
  const { repository = '', job_workflow_ref: ref = '' } = claims
  const wanted = `${spec.owner}/${spec.repository}`
  if (!isSameText(repository, wanted) || !isSameText(claims.repository_owner, spec.owner)) return false
  if (spec.owner_id !== undefined && claims.repository_owner_id !== spec.owner_id) return false
  if (spec.environment !== undefined && !isSameText(claims.environment, spec.environment)) return false
  if (claims.event_name === 'pull_request_target') return false
  return isAtRevision(ref, `${repository}/.github/workflows/${spec.workflow}`, [claims.ref, claims.sha])
}

/** `ci_config_ref_uri` is `HOST/GROUP/PROJECT//PATH@REF`. */
function isGitlab(spec: Gitlab, claims: Claims): boolean {
  const { project_path: path = '', ci_config_ref_uri: uri = '' } = claims
  if (!isSameText(path, `${spec.namespace}/${spec.project}`)) return false
  if (spec.environment !== undefined && claims.environment !== spec.environment) return false
  const withoutHost = uri.slice(uri.indexOf('/') + 1)
  return isAtRevision(withoutHost, `${path}//${spec.ci_config_path}`, [claims.ref_path, claims.sha])
}

/** `FILE@REVISION`, at one of these revisions. */
function isAtRevision(text: string, file: string, revisions: readonly (string | undefined)[]): boolean {
  return revisions.some((revision) => revision !== undefined && revision !== '' && text === `${file}@${revision}`)
}

function isSameText(a: string | undefined, b: string): boolean {
  return a !== undefined && a.toLowerCase() === b.toLowerCase()
}
