/** `airlock token`: API tokens of a user. The secret alone goes to stdout, so that scripts can take it from there. */
import { type Command, InvalidArgumentError } from 'commander'
import { asObject } from '../../lib/json-object.ts'
import { beginSession } from '../begin-session.ts'
import { below } from '../client-url.ts'
import type { runCommand } from '../command-run.ts'
import type { CliContext } from '../context.ts'
import { shownValue } from '../output.ts'
import { resultOf } from '../reply.ts'
import type { GenericOptions, Session } from '../session.ts'

interface TokenOptions extends GenericOptions {
  readonly user?: string
}

interface CreateOptions extends Omit<TokenOptions, 'index'> {
  /** Here not the index in use, but those that the token is for. */
  readonly index?: readonly string[]
  readonly project?: readonly string[]
  readonly action?: readonly string[]
  /** Seconds. */
  readonly expires?: number
  readonly note?: string
}

type Shown = Readonly<Record<string, unknown>>

/** `addOptions` adds what every client command has. */
export function addTokenCommands(
  group: Command,
  addOptions: (command: Command) => Command,
  run: ReturnType<typeof runCommand>,
): void {
  const add = (words: string, description: string) =>
    addOptions(group.command(words).description(description)).option('--user <user>', 'whose tokens, for root')
  add('create', 'make a token, and show its secret this one time')
    .option('--index <index>', 'index that it is for; can be given more than once (default: every index)', listed)
    .option('--project <project>', 'project that it is for; can be given more than once (default: every one)', listed)
    .option('--action <action>', 'read, upload or delete; can be given more than once (default: read, upload)', listed)
    .option('--expires <span>', 'how long it lives, as 90m, 12h, 30d or 52w (default: for ever)', seconds)
    .option('--note <text>', 'what it is for')
    .action(run(create))
  add('list', 'show the tokens, without their secrets').action(run(list))
  add('revoke <id>', 'end a token').action(run(revoke))
}

async function create(context: CliContext, { index, ...options }: CreateOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const url = tokensOf(session, options.user)
  const owner = url.pathname.split('/').at(-2)!
  const { project, action, expires, note } = options
  const reply = await session.api({
    method: 'POST',
    url,
    type: 'token',
    send: {
      ...(index !== undefined && { indexes: index.map((each) => (each.includes('/') ? each : `${owner}/${each}`)) }),
      ...(project !== undefined && { projects: project }),
      ...(action !== undefined && { actions: action }),
      ...(expires !== undefined && { expires_in: expires }),
      ...(note !== undefined && { note }),
    },
  })
  const made = resultOf(reply)
  if (options.json) return session.out.json(made)
  context.stdout.write(`${shownValue(made.token)}\n`)
  context.stderr.write(`${lineOf(made)}\n`)
  session.out.hint('keep it now: it is not shown again; use it as password of the user __token__')
}

async function list(context: CliContext, options: TokenOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const reply = await session.api({ method: 'GET', url: tokensOf(session, options.user), type: 'list:token' })
  const found = reply.json!.result as readonly Shown[]
  if (options.json) return session.out.json(found)
  for (const each of found) session.out.line(lineOf(asObject(each)))
}

async function revoke(context: CliContext, id: string, options: TokenOptions): Promise<void> {
  await using session = await beginSession(context, options)
  await session.api({ method: 'DELETE', url: below(tokensOf(session, options.user), id) })
  session.out.info(`token revoked: ${id}`)
}

function tokensOf(session: Session, user: string | undefined): URL {
  session.requireRoot()
  session.requireLogin()
  return below(session.userUrl(user), '+tokens')
}

/** `3: the nightly build (read, upload; root/prod; acme), until …, last used …`. */
function lineOf({ id, note, actions, indexes, projects, expires, last_used }: Shown): string {
  const scopes = [shownValue(actions), indexes ?? 'every index', projects ?? 'every project'].map(shownValue)
  const times = [
    expires === undefined ? 'without end' : `until ${shownValue(expires)}`,
    last_used === undefined ? 'never used' : `last used ${shownValue(last_used)}`,
  ]
  return `${shownValue(id)}: ${note === '' ? '' : `${shownValue(note)} `}(${scopes.join('; ')}), ${times.join(', ')}`
}

/** One more of an option that can be given several times. */
function listed(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

const SPANS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 7 * 86_400 }

function seconds(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? []
  if (count === undefined || unit === undefined || Number(count) === 0) {
    throw new InvalidArgumentError('Give a number and s, m, h, d or w, as 30d.')
  }
  return Number(count) * SPANS[unit]!
}
