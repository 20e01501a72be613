/** `devpi login`, `devpi logoff` and `devpi logout`. */

import { beginSession } from '../begin-session.ts'
import type { CliContext } from '../context.ts'
import { pythonQuoted } from '../output.ts'
import { resultOf } from '../reply.ts'
import type { GenericOptions } from '../session.ts'

export interface LoginOptions extends GenericOptions {
  readonly password?: string
}

export async function login(context: CliContext, user: string, options: LoginOptions): Promise<void> {
  await using session = await beginSession(context, options)
  const { out, state } = session
  const root = session.requireRoot()
  const password = options.password ?? (await session.terminal.askSecret(`password for user ${user} at ${root.href}: `))
  if (password === undefined) throw out.failure('Cannot log in: no password was given; use --password or type it')
  // Who logs in anew is not helped by the old login, and a server in front may refuse an expired one.
  const reply = await session.api({ method: 'POST', url: state.login!, send: { user, password }, login: undefined })
  const { password: token, expiration } = resultOf(reply)
  if (typeof token !== 'string')
    throw out.failure(`Cannot log in: the answer of ${reply.url.href} holds no login token`)
  await state.addLogin(user, token)
  const place = state.index ? ` at ${pythonQuoted(state.index.href)}` : ''
  const valid = typeof expiration === 'number' ? `, credentials valid for ${(expiration / 3600).toFixed(2)} hours` : ''
  out.info(`logged in ${pythonQuoted(user)}${place}${valid}`)
  if (state.index) await session.checkIndexAccess()
}

export async function logoff(context: CliContext, options: GenericOptions): Promise<void> {
  await using session = await beginSession(context, options)
  if (await session.state.dropLogin()) session.out.info('login information deleted')
  else session.out.error('not logged in')
}
