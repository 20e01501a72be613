/** Parses the request to add a trusted publisher to an index. */
import { withoutTrailing } from '../../lib/trailing.ts'
import { Problem } from '../../model/errors.ts'
import type { Limits } from '../../model/limits.ts'
import type { PublisherSpec, TrustedPublisher } from '../../model/tokens.ts'
import { asProjectName, type ProjectName } from '../../pep/name.ts'
import { issuerAddress } from './issuer-address.ts'

export type AskedPublisher = Pick<TrustedPublisher, 'issuer' | 'spec' | 'projects'>
type Fields = Readonly<Record<string, unknown>>

const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com'
const GITLAB_ISSUER = 'https://gitlab.com'
const KEYS = {
  github: ['owner', 'repository', 'workflow', 'environment', 'owner_id'],
  gitlab: ['namespace', 'project', 'ci_config_path', 'environment'],
  oidc: ['claims'],
} as const
/** Checked for every token, or another one each time: they tell nobody apart. */
const NO_IDENTITY = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'nonce']
const CLAIM_CHARACTERS_MAX = 1000

/**
 * `kind`, `issuer` (where it is not the usual one), the keys of the kind, and `projects` (a list of names) or
 * `all_projects: true`. Throws `bad-request`.
 */
export function readAskedPublisher(fields: Fields, limits: Limits): AskedPublisher {
  const { kind } = fields
  if (kind !== 'github' && kind !== 'gitlab' && kind !== 'oidc') throw refused('kind must be github, gitlab or oidc')
  const known: readonly string[] = ['kind', 'issuer', 'projects', 'all_projects', ...KEYS[kind]]
  const unknown = Object.keys(fields).find((key) => !known.includes(key))
  if (unknown !== undefined) throw refused(`"${unknown}" is not known for ${kind}; there are ${known.join(', ')}`)
  const spec = kind === 'github' ? github(fields) : kind === 'gitlab' ? gitlab(fields) : oidc(fields, limits)
  const projects = readProjects(fields, limits)
  return { issuer: readIssuer(kind, fields), spec, ...(projects !== undefined && { projects }) }
}

function github(fields: Fields): PublisherSpec {
  return {
    kind: 'github',
    owner: text(fields, 'owner', /^[\w-]{1,100}$/, 'the name of a user or an organisation'),
    repository: text(fields, 'repository', /^[\w.-]{1,100}$/, 'the name of the repository, without its owner'),
    workflow: text(fields, 'workflow', /^[^/\\@\s]{1,200}\.ya?ml$/, 'a file below .github/workflows, as release.yml'),
    ...environment(fields),
    ...(fields.owner_id !== undefined && { owner_id: text(fields, 'owner_id', /^\d{1,20}$/, 'a number, as text') }),
  }
}

function gitlab(fields: Fields): PublisherSpec {
  const withPath = { ci_config_path: '.gitlab-ci.yml', ...fields }
  return {
    kind: 'gitlab',
    namespace: text(fields, 'namespace', /^[\w.-]+(\/[\w.-]+){0,20}$/, 'a user, or groups as GROUP/SUBGROUP'),
    project: text(fields, 'project', /^[\w.-]{1,255}$/, 'the name of the project, without its groups'),
    ci_config_path: text(withPath, 'ci_config_path', /^[^/@\s][^@\s]{0,250}\.ya?ml$/, 'a path, as .gitlab-ci.yml'),
    ...environment(fields),
  }
}

function oidc({ claims }: Fields, { scopeNames }: Limits): PublisherSpec {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    throw refused('claims must be an object, as {"sub": "…"}')
  }
  const entries = Object.entries(claims)
  if (entries.length === 0 || entries.length > scopeNames) throw refused('claims must name at least one claim')
  for (const [name, value] of entries) {
    if (NO_IDENTITY.includes(name)) throw refused(`the claim "${name}" tells nobody apart`)
    if (typeof value !== 'string' || value === '' || value.length > CLAIM_CHARACTERS_MAX) {
      throw refused(`the claim "${name}" must be text`)
    }
  }
  return { kind: 'oidc', claims: Object.fromEntries(entries) as Record<string, string> }
}

/** Everybody can have a build there: of such an issuer a claim like `ref` alone would trust the whole world. */
const OF_EVERYBODY: Readonly<Record<string, 'github' | 'gitlab'>> = {
  [GITHUB_ISSUER]: 'github',
  [GITLAB_ISSUER]: 'gitlab',
}

function readIssuer(kind: PublisherSpec['kind'], { issuer }: Fields): string {
  const usual = { github: GITHUB_ISSUER, gitlab: GITLAB_ISSUER, oidc: undefined }[kind]
  if (issuer === undefined && usual !== undefined) return usual
  const address = typeof issuer === 'string' ? issuerAddress(issuer) : undefined
  if (address === undefined) {
    throw refused('issuer must be an https address, as its tokens name it in "iss" (http only on this machine)')
  }
  const own = OF_EVERYBODY[withoutTrailing(address, '/')]
  if (own !== undefined && own !== kind) throw refused(`publishers of ${address} are of kind ${own}`)
  return address
}

/** Every project has to be asked for by name of the option: left out by mistake, it would be too much. */
function readProjects({ projects, all_projects }: Fields, { scopeNames }: Limits): readonly ProjectName[] | undefined {
  if (all_projects === true && projects === undefined) return undefined
  const isList = Array.isArray(projects) && projects.length > 0 && projects.length <= scopeNames
  if (!isList || all_projects !== undefined) {
    throw refused('say for which projects: a list projects, or all_projects true for every one of the index')
  }
  const names = projects.map((each: unknown) => {
    const name = typeof each === 'string' ? asProjectName(each) : undefined
    if (name === undefined) throw refused(`${JSON.stringify(each)?.slice(0, 200)} is not a valid project name`)
    return name
  })
  return [...new Set(names)]
}

function environment(fields: Fields): { readonly environment?: string } {
  if (fields.environment === undefined) return {}
  return { environment: text(fields, 'environment', /^[^\p{Cc}]{1,255}$/u, 'one line of text') }
}

function text(fields: Fields, key: string, form: RegExp, what: string): string {
  const value = fields[key]
  if (typeof value === 'string' && form.test(value)) return value
  throw refused(`${key} must be ${what}`)
}

function refused(why: string): Problem {
  return new Problem('bad-request', `Cannot add a publisher: ${why}`)
}
