/** `devpi index`: creates, shows, changes, lists and deletes indexes. */

import { asObject } from '../../lib/json-object.ts'
import { beginSession } from '../begin-session.ts'
import { asFile, withFlag } from '../client-url.ts'
import type { CliContext } from '../context.ts'
import { asConfig, type KeyValue, parseKeyValues } from '../key-values.ts'
import { pythonQuoted, shownValue } from '../output.ts'
import { resultOf } from '../reply.ts'
import type { GenericOptions, Session } from '../session.ts'

export interface IndexCommandOptions extends GenericOptions {
  readonly create?: boolean
  readonly delete?: boolean
  readonly list?: boolean
  /** False for `--no-projects`. */
  readonly projects?: boolean
}

/** The server takes `key=value`, `key+=value` and `key-=value` as they are. */
const TAKES_WORDS = 'server-keyvalue-parsing'
/** Shown first and in this order; the rest follows by name. */
const FIRST_KEYS = ['type', 'bases', 'volatile', 'acl_upload']

export async function index(
  context: CliContext,
  name: string | undefined,
  words: readonly string[],
  options: IndexCommandOptions,
): Promise<void> {
  await using session = await beginSession(context, options)
  const { out } = session
  // `devpi index bases=…` changes the index in use.
  const [indexName, all] = name?.includes('=') ? [undefined, [name, ...words]] : [name, words]
  const pairs = parseKeyValues(all)
  if (pairs === undefined)
    throw out.failure(`arguments must be format NAME=VALUE: [${all.map(pythonQuoted).join(', ')}]`)
  if (options.list) return await list(session, indexName)
  if ((options.delete || options.create) && !indexName)
    throw out.failure('need to explicitly specify index for deletion/creation')
  const url = asFile(session.indexUrl(indexName))
  if (options.delete) {
    if (pairs.length > 0) throw out.failure('cannot delete if you specify key=values')
    return await remove(session, url)
  }
  if (options.create) {
    session.requireLogin()
    await session.api({ method: 'PUT', url, send: asConfig(pairs) })
    return await show(session, withFlag(url, 'no_projects'))
  }
  if (pairs.length > 0) return await modify(session, url, pairs)
  return await show(session, options.projects === false ? withFlag(url, 'no_projects') : url)
}

async function modify(session: Session, url: URL, pairs: readonly KeyValue[]): Promise<void> {
  session.requireLogin()
  const withoutProjects = withFlag(url, 'no_projects')
  const reply = await session.api({ method: 'GET', url: withoutProjects, type: 'indexconfig' })
  const path = decodeURI(url.pathname)
  if (session.state.features.includes(TAKES_WORDS)) {
    for (const { text } of pairs) session.out.info(`${path} ${text}`)
    await session.api({ method: 'PATCH', url, send: pairs.map(({ text }) => text) })
  } else {
    const unsupported = pairs.find(({ operation }) => operation !== '=')
    if (unsupported)
      throw session.out.failure(
        `Cannot use "${unsupported.text}": this server takes key=value only; give the whole value`,
      )
    const values = asConfig(pairs)
    for (const key of Object.keys(values).toSorted()) session.out.info(`${path} changing ${key}: ${values[key]}`)
    await session.api({ method: 'PATCH', url, send: { ...resultOf(reply), ...values } })
  }
  await show(session, withoutProjects)
}

async function remove(session: Session, url: URL): Promise<void> {
  session.requireLogin()
  session.out.info(`About to remove: ${url.href}`)
  if (!(await session.confirm('Are you sure'))) return
  await session.api({ method: 'DELETE', url })
  session.out.info(`index deleted: ${url.href}`)
}

async function list(session: Session, user: string | undefined): Promise<void> {
  const result = resultOf(await session.api({ method: 'GET', url: session.userUrl(user) }))
  const names = Object.keys(asObject(result.indexes)).toSorted()
  if (session.options.json) return session.out.json(names.map((name) => `${shownValue(result.username)}/${name}`))
  for (const name of names) session.out.info(`${shownValue(result.username)}/${name}`)
}

async function show(session: Session, url: URL): Promise<void> {
  const reply = await session.api({ method: 'GET', url, type: 'indexconfig', refusal: 'reply' })
  if (reply.status === 403) session.requireLogin()
  if (reply.status >= 400) throw session.refused(reply)
  const config = resultOf(reply)
  if (session.options.json) return session.out.json(config)
  session.out.info(`${url.href}:`)
  const others = Object.keys(config).filter((key) => key !== 'projects' && !FIRST_KEYS.includes(key))
  for (const key of [...FIRST_KEYS, ...others.toSorted()]) {
    if (key in config) session.out.line(`  ${key}=${shownValue(config[key])}`)
  }
}
