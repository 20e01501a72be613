/** The environment that programs under test see: the variables they need, and none of the person or the machine that runs the test. */

export type Env = Readonly<Record<string, string>>

/** Where the machine keeps its certificates; and NODE_EXTRA_CA_CERTS, which Node reads at its start only. */
const CERTIFICATES = [
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'PIP_CERT',
  'CURL_CA_BUNDLE',
  'NODE_EXTRA_CA_CERTS',
]

/** Programs as Debian and macOS lay them out; `first` is looked through before them. */
export function cleanPath(...first: string[]): string {
  return [...first, '/usr/local/bin', '/usr/bin', '/bin', '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':')
}

/** HOME and every cache below `home`; UTF-8; certificates passed on; no proxies, no settings of pip, uv or a server. */
export function cleanEnv(home: string, more: Env = {}): Env {
  const env: Record<string, string> = {
    PATH: cleanPath(),
    HOME: home,
    TMPDIR: home,
    XDG_CACHE_HOME: `${home}/.cache`,
    XDG_CONFIG_HOME: `${home}/.config`,
    XDG_DATA_HOME: `${home}/.local/share`,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
  }
  for (const name of CERTIFICATES) {
    const value = process.env[name]
    if (value !== undefined) env[name] = value
  }
  return { ...env, ...more }
}
