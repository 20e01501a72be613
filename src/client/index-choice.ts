/** Which server and index a command talks to: found by asking `+api`, chosen by `use`, `--index` or DEVPI_INDEX. */
import { existsSync } from 'node:fs'
import { asDirectory, asHttpUrl, below, splitCredentials, withoutSecret } from './client-url.ts'
import { Unreachable } from './connection.ts'
import { messageOf, type Reply, resultOf } from './reply.ts'
import type { UserSecret } from './secret-table.ts'
import type { Session } from './session.ts'
import type { Endpoints } from './state.ts'

export interface IndexChoiceOptions {
  /** A PEM file to show to the server; empty to stop showing one. */
  readonly certificate?: string | undefined
  /** `use --pip-set-trusted`, which `auto` turns into `yes` for places that pip would not trust. */
  readonly trust?: { choice: 'yes' | 'no' | 'auto' } | undefined
}

const DEPRECATED = [
  'take a look at devpi-tokens and/or devpi-lockdown instead.',
  "If that doesn't work for you,",
  'let us know by filing an issue with details of your usecase.',
].join(' ')

/** Asks the server at `given` (a URL, `USER/NAME` or `NAME`; without it the index in use) and remembers its endpoints. */
export async function chooseIndex(session: Session, given?: string, options: IndexChoiceOptions = {}): Promise<void> {
  const { out, state } = session
  const { url, credentials } = splitCredentials(asDirectory(session.indexUrl(given)))
  const { trust } = options
  // devpi's list of hosts that are not worth a word; pip itself trusts the whole of 127.0.0.0/8 and says nothing either.
  if (trust?.choice === 'auto' && url.protocol === 'http:' && !['localhost', '127.0.0.0'].includes(url.hostname)) {
    out.line('Warning: insecure http host, trusted-host will be set for pip')
    trust.choice = 'yes'
  }
  if (credentials) {
    if (credentials[1] === '') throw out.failure('When using basic auth, you have to provide username and password.')
    out.info(`Using basic authentication for '${url.href}'.`)
    out.warn('The password is stored unencrypted!')
  } else if (given?.includes('://') && state.basicAuthFor(url)) {
    out.info(`Using existing basic auth for '${url.href}'.`)
    out.warn('The password is stored unencrypted!')
  }
  const certificate = options.certificate ? session.path(options.certificate) : undefined
  if (certificate !== undefined && !existsSync(certificate)) {
    throw out.failure(`The client certificate at '${certificate}' doesn't exist.`)
  }
  if (certificate === undefined && state.certificateFor(url)) out.info(`Using existing client cert for '${url.href}'.`)

  const reply = await askServer(session, url, { credentials, certificate, trust })
  await state.setEndpoints(endpointsOf(session, reply, url))
  const { authstatus } = resultOf(reply)
  if (Array.isArray(authstatus) && !['ok', 'noauth'].includes(String(authstatus[0]))) await state.dropLogin()
  if (credentials) {
    out.warn(`Use of basic authentication is deprecated, ${DEPRECATED}`)
    await state.setBasicAuth(credentials)
  }
  if (certificate !== undefined) {
    out.warn(`Use of client side certificates is deprecated, ${DEPRECATED}`)
    await state.setCertificate(certificate)
  } else if (options.certificate === '') {
    out.warn(`Removing stored client cert for '${url.href}'.`)
    await state.setCertificate(undefined)
  }
}

/** Applies `--index` and DEVPI_INDEX for this command only; `url` is what `use` was given, which comes before them. */
export async function chooseFromEnvironment(session: Session, url: string | undefined): Promise<void> {
  const { out, state, options, context } = session
  const fromEnvironment = context.env.DEVPI_INDEX || undefined
  if (fromEnvironment !== undefined) {
    const shown = withoutSecretText(fromEnvironment)
    out.debug(`Got DEVPI_INDEX from environment: ${shown}`)
    if (url !== undefined) {
      out.info(`Using index URL from command line instead of DEVPI_INDEX (${shown}) from environment.`)
      return
    }
    if (asHttpUrl(fromEnvironment)) {
      state.keepsIndex = false
      await chooseIndex(session, fromEnvironment)
    }
  }
  const wanted = options.index ?? fromEnvironment
  if (wanted === undefined) return
  if (!state.root && !asHttpUrl(wanted)) {
    throw out.failure(
      fromEnvironment === undefined
        ? `invalid URL: ${wanted.replace(/\/*$/, '/')}`
        : options.index === undefined
          ? `No server set and DEVPI_INDEX from environment is not a full valid URL: ${wanted}`
          : `No server set and neither the --index URL (${options.index}) nor the DEVPI_INDEX from environment (${fromEnvironment}) is a full valid URL.`,
    )
  }
  if (options.index === undefined) out.info(`Using DEVPI_INDEX from environment: ${withoutSecretText(wanted)}`)
  state.keepsIndex = false
  // A bare name given beside DEVPI_INDEX is an index next to the one in use.
  const sibling = fromEnvironment !== undefined && !wanted.includes('/') && state.index
  await chooseIndex(session, sibling ? new URL(encodeURIComponent(wanted), sibling).href : wanted)
}

async function askServer(
  session: Session,
  url: URL,
  given: { credentials: UserSecret | undefined; certificate: string | undefined; trust: IndexChoiceOptions['trust'] },
): Promise<Reply> {
  const { out, state } = session
  const ask = {
    method: 'GET',
    url: below(url, '+api'),
    refusal: 'reply',
    verify: true,
    ...(given.credentials && { basicAuth: given.credentials }),
    ...(given.certificate !== undefined && { certificate: given.certificate }),
  } as const
  try {
    const reply = await session.api({ ...ask, login: state.loginFor(url) })
    // A login that the server refuses must not keep anybody from finding it.
    const last = reply.status === 403 ? await session.api({ ...ask, login: undefined }) : reply
    if (last.status < 400) return last
    throw out.failure(`${last.method} ${last.url.href}\n${last.status} ${last.reason}${messageOf(last)}`)
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    if (given.trust === undefined) throw out.unreachable(error)
    given.trust.choice = 'yes'
    const reply = await session.api({ ...ask, verify: false, refusal: 'end' })
    out.line('Warning: https certificate validation failed (self signed?), trusted-host will be set for pip')
    return reply
  }
}

function endpointsOf(session: Session, reply: Reply, url: URL): Endpoints {
  const result = resultOf(reply)
  const endpoint = (name: string) => {
    const value = result[name]
    return typeof value === 'string' ? (URL.parse(value, new URL('/', url))?.href ?? undefined) : undefined
  }
  const login = endpoint('login')
  if (login === undefined) {
    const answer = `its answer to ${reply.url.href} names no login address`
    throw session.out.failure(`Cannot use '${url.href}': the server there does not speak devpi's protocol; ${answer}`)
  }
  const { features } = result
  return {
    login,
    index: endpoint('index'),
    simpleindex: endpoint('simpleindex'),
    pypisubmit: endpoint('pypisubmit'),
    features: Array.isArray(features) ? features.filter((feature) => typeof feature === 'string') : undefined,
  }
}

function withoutSecretText(text: string): string {
  const url = asHttpUrl(text)
  return url ? withoutSecret(url) : text
}
