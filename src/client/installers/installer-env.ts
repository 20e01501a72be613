/** Passes the index to installers that a command starts, in their environment, which overrides configuration files. */
import { withCredentials } from '../client-url.ts'
import type { Session } from '../session.ts'

/** Hosts whose plain http pip takes without being told (its "secure origins"). */
const TRUSTED_ANYWAY = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** The environment that leads pip and uv to the simple index `index`, and lets them use its plain http. */
export function installerEnv({ context }: Session, index: URL): Record<string, string> {
  const isOpen = index.protocol === 'http:' && !TRUSTED_ANYWAY.test(index.hostname)
  const hosts = (known: string | undefined) => [...(known ? [known] : []), index.hostname].join(' ')
  return {
    PIP_INDEX_URL: index.href,
    UV_DEFAULT_INDEX: index.href,
    ...(isOpen && {
      PIP_TRUSTED_HOST: hosts(context.env.PIP_TRUSTED_HOST),
      UV_INSECURE_HOST: hosts(context.env.UV_INSECURE_HOST),
    }),
  }
}

/** `url` with the login in it that its server, or the web server in front, wants to see. */
export function withLogin({ state }: Session, url: URL): URL {
  const credentials = state.basicAuthFor(url) ?? state.loginFor(url)
  return credentials ? withCredentials(url, credentials) : url
}
