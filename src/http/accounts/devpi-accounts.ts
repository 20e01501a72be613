/** devpi's JSON API for logging in, users and indexes. */
import type { FastifyRequest } from 'fastify'
import { userConfig } from '../../accounts/users.ts'
import { listAccounts } from '../../browse/accounts.ts'
import { noSuchIndex, Problem } from '../../model/errors.ts'
import { shownOptions } from '../../model/index-options.ts'
import type { IndexRecord, User } from '../../model/records.ts'
import { sendJson, sendResult } from '../answers.ts'
import { readableTo } from '../asked.ts'
import { principalOf } from '../auth.ts'
import { whyNoBootstrap } from '../bootstrap.ts'
import { outsideBase } from '../outside.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'

type Owner = { Params: { user: string } }
type Named = { Params: { user: string; index: string } }

/** What devpi-client may use of us; it decides by these names which request to send. */
const FEATURES = ['push-no-docs', 'push-only-docs', 'push-register-project', 'server-keyvalue-parsing']

export function accountAnswers(services: Services) {
  const { indexes, login, users, indexRecords, mirrors, server } = services

  return {
    api: answer({ about: 'The address for logging in, and whether the sender is logged in' }, async (request, reply) =>
      sendResult(reply, 200, 'apiconfig', await api(request)),
    ),
    indexApi: answer<Named>({ about: 'The same, with the addresses of the index' }, async (request, reply) => {
      const record = await existing(`${request.params.user}/${request.params.index}`)
      const base = `${outsideBase(request, server)}/${record.name}`
      return sendResult(reply, 200, 'apiconfig', {
        ...(await api(request)),
        index: base,
        simpleindex: `${base}/+simple/`,
        ...(record.options.type === 'stage' && { pypisubmit: `${base}/` }),
      })
    }),

    login: answer({ about: 'A login token for a user name and a password' }, async (request, reply) => {
      const { user, password } = objectBody(request)
      if (typeof user !== 'string' || typeof password !== 'string') {
        throw new Problem('bad-request', 'Bad request: no user/password specified')
      }
      const whyNotLocal = password === '' ? whyNoBootstrap(request, server) : undefined
      const isLocal = password === '' && whyNotLocal === undefined
      const given = { user, secret: password, isLocal, ...(whyNotLocal !== undefined && { whyNotLocal }) }
      const token = await login.login(given)
      return sendResult(reply, 200, 'proxyauth', token, 'login successful')
    }),

    createUser: answer<Owner>({ about: 'Create a user' }, async (request, reply) => {
      const who = await principalOf(request, services)
      const user = await users.create(who, request.params.user, objectBody(request))
      return sendResult(reply, 201, 'userconfig', userConfig(user, {}))
    }),
    changeUser: answer<Owner>({ about: 'Change a user, also the password' }, async (request, reply) => {
      const body = objectBody(request)
      const user = await users.modify(await principalOf(request, services), request.params.user, body)
      if (!('password' in body)) return sendJson(reply, 200, { message: 'user updated' })
      return sendResult(reply, 200, 'userpassword', login.renew(user), 'user updated, new proxy auth')
    }),
    deleteUser: answer<Owner>(
      { about: 'Delete a user with all indexes, which must be volatile' },
      async (request, reply) => {
        await users.remove(await principalOf(request, services), request.params.user)
        await mirrors.prune()
        return sendJson(reply, 200, { message: `user '${request.params.user}' deleted` })
      },
    ),

    createIndex: answer<Named>({ about: 'Create an index' }, async (request, reply) => {
      const { user, index } = request.params
      const who = await principalOf(request, services)
      const record = await indexRecords.create(who, user, index, objectBody(request))
      return sendResult(reply, 200, 'indexconfig', shownOptions(record.options))
    }),
    changeIndex: answer<Named>(
      { about: 'Change the options of an index: a list of operations, or an object' },
      async (request, reply) => {
        const name = `${request.params.user}/${request.params.index}`
        const refuseNoop = 'error_on_noop' in (request.query as object)
        const who = await principalOf(request, services)
        const record = await indexRecords.modify(who, name, changeBody(request), refuseNoop)
        return sendResult(reply, 200, 'indexconfig', shownOptions(record.options))
      },
    ),
    deleteIndex: answer<Named>({ about: 'Delete an index that is volatile' }, async (request, reply) => {
      const name = `${request.params.user}/${request.params.index}`
      await indexRecords.remove(await principalOf(request, services), name)
      await mirrors.prune()
      return sendJson(reply, 201, { message: `index ${name} deleted` })
    }),
  }

  async function api(request: FastifyRequest) {
    const who = await principalOf(request, services)
    return {
      login: `${outsideBase(request, server)}/+login`,
      authstatus: who.name === undefined ? ['noauth', '', []] : ['ok', who.name, who.groups],
      features: FEATURES,
    }
  }

  async function existing(name: string): Promise<IndexRecord> {
    const record = await indexes.record(name)
    if (record === undefined) throw noSuchIndex(name)
    return record
  }
}

/** Every user with the indexes that the requester may read, as `GET /` shows them. */
export async function allUsers(services: Services, request: FastifyRequest): Promise<Record<string, unknown>> {
  const all = await listAccounts(services.catalog, await readableTo(services, request))
  return Object.fromEntries(all.map(({ user, indexes }) => [user.name, userWithIndexes(user, indexes)]))
}

/** A JSON object that was sent. Throws `bad-request` for anything else. */
export function objectBody(request: FastifyRequest): Record<string, unknown> {
  const body = request.body
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Problem('bad-request', 'Bad request: could not decode json')
  }
  return body as Record<string, unknown>
}

/** The three forms in which devpi takes a change: operations, options, or the whole envelope it once gave out. */
function changeBody(request: FastifyRequest): readonly unknown[] | Record<string, unknown> {
  if (Array.isArray(request.body)) return request.body as unknown[]
  const body = objectBody(request)
  const isEnvelope = body.type === 'indexconfig' && typeof body.result === 'object' && body.result !== null
  return isEnvelope ? (body.result as Record<string, unknown>) : body
}

function userWithIndexes(user: User, indexes: readonly IndexRecord[]): Record<string, unknown> {
  return userConfig(
    user,
    Object.fromEntries(indexes.map((index) => [index.name.split('/')[1], shownOptions(index.options)])),
  )
}
