/** `devpi user` and `devpi passwd`: accounts on the server. */

import { beginSession } from '../begin-session.ts'
import type { CliContext, CliExit } from '../context.ts'
import { asConfig, type KeyValue, parseKeyValues } from '../key-values.ts'
import { shownValue } from '../output.ts'
import { resultOf } from '../reply.ts'
import type { GenericOptions, Session } from '../session.ts'

export interface UserOptions extends GenericOptions {
  readonly create?: boolean
  readonly delete?: boolean
  readonly modify?: boolean
  readonly list?: boolean
}

export async function user(
  context: CliContext,
  name: string | undefined,
  words: readonly string[],
  options: UserOptions,
): Promise<void> {
  await using session = await beginSession(context, options)
  const { out } = session
  if ((options.create || options.delete) && !name) throw out.failure('need to specify a username')
  const pairs = parseKeyValues(words)
  if (pairs === undefined) throw wrongWords(session, words)
  session.requireRoot()
  if (options.create) return await create(session, name!, pairs)
  if (options.delete) return await remove(session, name!)
  if (pairs.length > 0 || options.modify) return await modify(session, name, asConfig(pairs))
  if (options.list) return await list(session)
  return await show(session, name)
}

export async function passwd(context: CliContext, name: string | undefined, options: GenericOptions): Promise<void> {
  await using session = await beginSession(context, options)
  session.requireRoot()
  const wanted = name ?? session.state.loggedInUser()
  if (wanted === undefined) throw session.out.failure('no user specified and no user currently active')
  await modify(session, wanted, { password: await newPassword(session, wanted) })
}

async function create(session: Session, name: string, pairs: readonly KeyValue[]): Promise<void> {
  const values = asConfig(pairs)
  if (values.password === undefined && values.pwhash === undefined) values.password = await newPassword(session, name)
  await session.api({ method: 'PUT', url: session.userUrl(name), send: values })
  session.out.info(`user created: ${name}`)
}

async function remove(session: Session, name: string): Promise<void> {
  const url = session.userUrl(name)
  session.out.info(`About to remove: ${url.href}`)
  if (!(await session.confirm('Are you sure'))) return
  await session.api({ method: 'DELETE', url })
  session.out.info(`user deleted: ${name}`)
}

async function modify(
  session: Session,
  name: string | undefined,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const url = session.userUrl(name)
  const reply = await session.api({ method: 'GET', url, type: 'userconfig' })
  const { indexes: _, username, ...config } = resultOf(reply)
  for (const [key, value] of Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const isSecret = key === 'password' || key === 'pwhash'
    session.out.info(`${decodeURI(url.pathname)} changing ${key}: ${isSecret ? '********' : value}`)
  }
  await session.api({ method: 'PATCH', url, send: { ...config, ...values } })
  session.out.info(`user modified: ${name ?? shownValue(username)}`)
}

async function list(session: Session): Promise<void> {
  const reply = await session.api({ method: 'GET', url: session.requireRoot() })
  const names = Object.keys(resultOf(reply)).toSorted()
  if (session.options.json) session.out.json(names)
  else for (const name of names) session.out.line(name)
}

async function show(session: Session, name: string | undefined): Promise<void> {
  const wanted = name ?? session.state.loggedInUser()
  if (wanted === undefined) throw session.out.failure('no user specified and no user currently active')
  const url = session.userUrl(wanted)
  const config = resultOf(await session.api({ method: 'GET', url, type: 'userconfig' }))
  if (session.options.json) return session.out.json(config)
  session.out.info(`${url.href}:`)
  for (const [key, value] of Object.entries(config).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (key !== 'indexes' && key !== 'username') session.out.line(`  ${key}=${shownValue(value)}`)
  }
}

/** Asks twice, and once more for an empty or short one; three tries. From a pipe the repetition may be left out. */
async function newPassword(session: Session, name: string): Promise<string> {
  const question = `new password for user ${name}:`
  for (let tries = 0; tries < 3; tries++) {
    const first = await session.terminal.askSecret(question)
    if (first === undefined)
      throw session.out.failure('Cannot set the password: none was given; type it or send it through a pipe')
    const second = (await session.terminal.askSecret(`repeat ${question}`)) ?? first
    if (first !== second) session.out.error('passwords did not match')
    else if (await isMeant(session, first)) return first
  }
  throw session.out.failure('Cannot set the password: three tries did not give one; run the command again')
}

async function isMeant(session: Session, password: string): Promise<boolean> {
  if (session.context.stdin.isTTY !== true) return true
  if (password === '') return await session.confirm('empty password, are you sure to use it?')
  if (password.length < 8) return await session.confirm('password with less than 8 characters, are you sure to use it?')
  return true
}

function wrongWords(session: Session, words: readonly string[]): CliExit {
  return session.out.failure(`arguments must be format NAME=VALUE: [${words.map((word) => `'${word}'`).join(', ')}]`)
}
