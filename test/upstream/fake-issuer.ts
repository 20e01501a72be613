/** An issuer of OIDC tokens on this machine: discovery, keys, tokens as asked for, and GitHub's address where a build gets its own. */
import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { listen } from '../world/listener.ts'

export interface FakeIssuer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`: what `iss` says. */
  readonly url: string
  /** Paths asked for, oldest first. */
  readonly asked: readonly string[]
  /** What discovery and the key set say; to be changed by tests that want them wrong. */
  readonly pages: { discovery: unknown; keys: unknown; status: number }
  /** A token with these claims besides `iss`, `aud`, `iat`, `exp` (five minutes) and `jti`; `undefined` leaves one out. */
  token(claims: Readonly<Record<string, unknown>>): Promise<string>
  /** A new key takes the place of the one before. */
  rotate(): Promise<void>
  /** The environment of a build of GitHub: what it asks for its token is answered with these claims and the audience asked for. */
  githubBuild(claims: () => Promise<string> | Readonly<Record<string, unknown>>): Readonly<Record<string, string>>
}

const REQUEST_TOKEN = 'what the runner gave to the build'

/** Its tokens are for the audience `airlock` unless told. */
export async function startFakeIssuer(): Promise<FakeIssuer> {
  const asked: string[] = []
  let made = await makeKey()
  let build: () => Promise<string> | Readonly<Record<string, unknown>> = () => ({})
  const pages: FakeIssuer['pages'] = { discovery: {}, keys: { keys: [made.jwk] }, status: 200 }
  const listener = await listen(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://issuer.invalid')
    asked.push(url.pathname)
    const answer = await pageAt(url, request.headers.authorization)
    response.writeHead(answer === undefined ? 404 : pages.status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? {}))
  })
  pages.discovery = { issuer: listener.url, jwks_uri: `${listener.url}/keys` }

  async function pageAt(url: URL, authorization: string | undefined): Promise<unknown> {
    if (url.pathname === '/.well-known/openid-configuration') return pages.discovery
    if (url.pathname === '/keys') return pages.keys
    if (url.pathname !== '/build' || authorization?.toLowerCase() !== `bearer ${REQUEST_TOKEN}`) return undefined
    const wanted = await build()
    return {
      value: typeof wanted === 'string' ? wanted : await token({ aud: url.searchParams.get('audience'), ...wanted }),
    }
  }

  async function token(claims: Readonly<Record<string, unknown>>): Promise<string> {
    const now = Math.floor(Date.now() / 1000)
    const usual = { iss: listener.url, aud: 'airlock', iat: now, exp: now + 300, jti: randomUUID() }
    return await new SignJWT({ ...usual, ...claims } as JWTPayload)
      .setProtectedHeader({ alg: 'ES256', kid: made.jwk.kid as string })
      .sign(made.privateKey)
  }

  return {
    url: listener.url,
    asked,
    pages,
    token,
    rotate: async () => {
      made = await makeKey()
      pages.keys = { keys: [made.jwk] }
    },
    githubBuild: (claims) => {
      build = claims
      return {
        GITHUB_ACTIONS: 'true',
        ACTIONS_ID_TOKEN_REQUEST_URL: `${listener.url}/build?api-version=2.0`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
      }
    },
    [Symbol.asyncDispose]: () => listener.close(),
  }
}

/** What GitHub says of a build of `.github/workflows/WORKFLOW` in the main branch. */
export function githubClaims(repository: string, workflow: string): Record<string, string> {
  const [owner = ''] = repository.split('/')
  return {
    sub: `repo:${repository}:ref:refs/heads/main`,
    repository,
    repository_owner: owner,
    repository_owner_id: '4242',
    ref: 'refs/heads/main',
    sha: '9f0d2b4c6a8e0f1d3b5c7a9e1f3d5b7c9a0e2f4d',
    event_name: 'release',
    workflow_ref: `${repository}/.github/workflows/${workflow}@refs/heads/main`,
    job_workflow_ref: `${repository}/.github/workflows/${workflow}@refs/heads/main`,
  }
}

async function makeKey() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: randomUUID(), use: 'sig', alg: 'ES256' } }
}
