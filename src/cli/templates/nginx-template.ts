/** nginx before this server, with or without a cache of its own. Pure: settings in, text out. */
import type { Config } from '../../config/load.ts'

type Settings = Pick<
  Config,
  'listen' | 'unixSocket' | 'outsideUrl' | 'limits' | 'remoteUserHeader' | 'accelRedirect' | 'serverDir'
>

/** A file for nginx's `conf.d` or `sites-enabled`; `hostname` is the machine's, for where no outside URL is set. */
export function nginxSite(
  settings: Settings,
  { isCaching, hostname }: { readonly isCaching: boolean; readonly hostname: string },
): string {
  const outside = settings.outsideUrl
  // With a cache nginx asks without conditions, which the server would weigh, and has files of its own to send.
  const handOver = isCaching ? undefined : settings.accelRedirect
  const prefix = (outside?.pathname ?? '/').replace(/\/+$/, '')
  // Every header that the server believes is set here, so that none comes from the client.
  const headers = [
    ['Host', '$http_host'],
    ['Connection', '""'],
    ['X-Outside-Url', outside === undefined ? '$scheme://$http_host' : outside.href.replace(/\/+$/, '')],
    ['X-Real-IP', '$remote_addr'],
    ['X-Forwarded-For', '$proxy_add_x_forwarded_for'],
    ['X-Forwarded-Proto', '$scheme'],
    ['X-Forwarded-Host', '$http_host'],
    ['X-Forwarded-Port', '""'],
    ['X-Forwarded-Prefix', '""'],
    ['Forwarded', '""'],
    // Whether nginx sends files itself; set in any case, so that no client can say it does.
    ['X-Sendfile-Type', handOver === undefined ? '""' : 'X-Accel-Redirect'],
    // The name that a login of nginx's (auth_request, for example) found out belongs here; $remote_user is what the client says.
    ...(settings.remoteUserHeader === undefined ? [] : [[settings.remoteUserHeader, '""']]),
  ]
  return `${isCaching ? cache(prefix) : ''}upstream airlock {
    server ${upstreamOf(settings)};${settings.unixSocket === undefined ? '' : SOCKET_NOTE}
    keepalive 16;
}

server {
${listenLines(outside, hostname)}
    # The server's own limit for uploads, and nothing of them written to disk twice.
    client_max_body_size ${settings.limits.uploadBytes};
    proxy_request_buffering off;
    proxy_max_temp_file_size 0;
    proxy_read_timeout 300s;
    proxy_send_timeout 300s;

    gzip on;
    gzip_min_length 2000;
    gzip_proxied any;
    gzip_vary on;
    gzip_types text/plain text/css application/json application/vnd.pypi.simple.v1+json application/vnd.pypi.simple.v1+html;

${prefix === '' ? '    location / {' : `    location ~ ^${regexQuoted(prefix)}(/|$) {`}
        proxy_pass http://airlock;
        proxy_http_version 1.1;
${headers.map(([name, value]) => `        proxy_set_header ${name} ${value};\n`).join('')}${isCaching ? CACHED : ''}    }
${handOver === undefined ? '' : blobs(handOver, settings.serverDir)}}
`
}

const SOCKET_NOTE = ' # its user needs to be in the group of the socket, with --unix-socket-perms 660'

/** Only what says itself how long it may be kept is kept, and nothing that was asked for by name and password. */
function cache(prefix: string): string {
  return `proxy_cache_path /var/cache/nginx-airlock levels=1:2 keys_zone=airlock_cache:10m max_size=10g inactive=7d use_temp_path=off;

# Pages for installers, and files. All others depend on who asks.
map $uri $airlock_not_cached {
    default 1;
    ~^${regexQuoted(prefix)}/[^/]+/[^/]+/(\\+simple|simple|\\+f|\\+e|packages)/ 0;
}

`
}

const CACHED = `
        # How long is what the server says: files for good, pages of mirrors for minutes, pages of stages never.
        proxy_cache airlock_cache;
        proxy_cache_key "$scheme://$http_host$request_uri $http_x_devpi_absolute_urls";
        proxy_cache_bypass $airlock_not_cached $http_authorization $http_x_devpi_auth;
        proxy_no_cache $airlock_not_cached $http_authorization $http_x_devpi_auth;
        proxy_cache_revalidate on;
        proxy_cache_lock on;
        add_header X-Cached $upstream_cache_status;
`

/** Files that the server leaves to nginx. Of the server's answer nginx keeps few headers: all others are named here. */
function blobs(prefix: string, serverDir: string): string {
  const kept = ['ETag', 'Last-Modified', 'X-Content-Type-Options', 'Cache-Status', 'Vary', ...DEVPI_HEADERS]
  const variable = (name: string) => `$upstream_http_${name.toLowerCase().replaceAll('-', '_')}`
  return `
    # Files that the server leaves to nginx, whose user has to be able to read them.
    location ${prefix} {
        internal;
        alias "${`${serverDir}/blobs/sha256/`.replace(/["\\$]/g, '\\$&')}";
        sendfile on;
        tcp_nopush on;
        # What the client has already the server has looked at, by these.
        etag off;
        if_modified_since off;
${kept.map((name) => `        add_header ${name} ${variable(name)};\n`).join('')}        # A file that cannot be read is trouble, and no absence; the server sent nobody else here.
        error_page 403 404 = @airlock_blob_lost;
    }
    location @airlock_blob_lost {
        if ($upstream_http_x_accel_redirect = "") {
            return 404;
        }
        return 502;
    }
`
}

const DEVPI_HEADERS = [
  'X-Devpi-Api-Version',
  'X-Devpi-Server-Version',
  'X-Devpi-UUID',
  'X-Devpi-Primary-UUID',
  'X-Devpi-Master-UUID',
  'X-Devpi-Serial',
]

function listenLines(outside: URL | undefined, hostname: string): string {
  const host = outside?.hostname ?? hostname
  if (outside?.protocol !== 'https:') {
    return `    listen ${outside?.port || 80};\n    server_name ${host};\n`
  }
  return `    listen ${outside.port || 443} ssl;
    server_name ${host};
    # To be filled in: the certificate for this name.
    ssl_certificate /etc/nginx/ssl/${host}.crt;
    ssl_certificate_key /etc/nginx/ssl/${host}.key;
`
}

/** Where nginx finds the server: its socket, else the first address it listens on, which may be all of this machine's. */
function upstreamOf({ listen, unixSocket }: Settings): string {
  if (unixSocket !== undefined) return `"unix:${unixSocket.path.replace(/["\\]/g, '\\$&')}"`
  const { host, port } = listen[0]!
  if (['localhost', '0.0.0.0', '::', '*'].includes(host)) return `127.0.0.1:${port}`
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function regexQuoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
