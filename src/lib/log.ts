/** Every subsystem's logger: JSON lines on stderr, a readable form on a terminal. Secrets are redacted here, once. */
import { type Logger, pino, stdTimeFunctions } from 'pino'

export const SUBSYSTEMS = ['http', 'mirror', 'publish', 'jobs', 'catalog', 'blob'] as const
export type Log = Readonly<Record<(typeof SUBSYSTEMS)[number], Logger>>

const SECRETS = ['.password', '.secret', '.token', '.authorization', '.cookie', '["x-devpi-auth"]']
/** `err.request.headers.authorization` is the deepest that libraries hand out. */
const ABOVE = ['', '*', '*.*', '*.*.*']

/** Fields whose values never reach a log, wherever they stand. */
export const REDACTED = ABOVE.flatMap((above) => SECRETS.map((key) => `${above}${key}`.replace(/^\./, '')))

/**
 * `write` gets each line, newline included: JSON for programs, or a form for somebody at a terminal. `base` has fields that
 * every line carries.
 */
export function openLog(
  level: string,
  form: 'json' | 'readable',
  write: (line: string) => void,
  base: Readonly<Record<string, unknown>> | null = null,
): Log {
  const show = form === 'json' ? withoutUrlSecrets : (line: string) => readable(withoutUrlSecrets(line))
  const root = pino(
    { level, base, timestamp: stdTimeFunctions.isoTime, redact: { paths: REDACTED, censor: '[redacted]' } },
    { write: (line: string) => write(show(line)) },
  )
  return Object.fromEntries(SUBSYSTEMS.map((name) => [name, root.child({ subsystem: name })])) as unknown as Log
}

function readable(line: string): string {
  const { time, level, subsystem, msg, duration_ms, reason, err } = JSON.parse(line) as Record<string, unknown>
  const severity = Number(level) >= 50 ? ' ERROR' : Number(level) >= 40 ? ' warning' : ''
  const took = duration_ms === undefined ? '' : ` (${String(duration_ms)} ms)`
  const why = reason ?? (err as { stack?: string } | undefined)?.stack
  return `${String(time).slice(11, 19)} ${String(subsystem)}${severity}: ${String(msg)}${took}${why === undefined ? '' : `: ${String(why)}`}\n`
}

/** `http://user:secret@host` → `http://host`, also inside messages that come from libraries. */
export function withoutUrlSecrets(text: string): string {
  return text.replace(/(https?:\/\/)[^\s/?#"'\\]+@/gi, '$1')
}
