/** API tokens over JSON, for their owner and for root. Ours: devpi has none. */
import type { FastifyRequest } from 'fastify'
import { Problem } from '../../model/errors.ts'
import type { ApiToken } from '../../model/tokens.ts'
import { sendJson, sendResult } from '../answers.ts'
import { principalOf } from '../auth.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'
import { objectBody } from './devpi-accounts.ts'

type Owner = { Params: { user: string } }
type Numbered = { Params: Owner['Params'] & { id: string } }

export function tokenAnswers(services: Services) {
  const { tokens, log } = services

  return {
    list: answer<Owner>({ about: 'The API tokens of the user, without their secrets' }, async (request, reply) => {
      const found = await tokens.list(await principalOf(request, services), request.params.user)
      return sendResult(reply.header('cache-control', 'no-store'), 200, 'list:token', found.map(tokenConfig))
    }),
    create: answer<Owner>({ about: 'Create an API token; its secret is shown this once' }, async (request, reply) => {
      const { user } = request.params
      const body = request.body === undefined ? {} : objectBody(request)
      const { token, secret } = await tokens.create(await principalOf(request, services), user, body)
      log.http.info({ 'user.name': token.user, 'token.id': token.id }, 'API token created')
      return sendResult(reply.header('cache-control', 'no-store'), 201, 'token', {
        ...tokenConfig(token),
        token: secret,
      })
    }),
    revoke: answer<Numbered>({ about: 'Revoke an API token' }, async (request, reply) => {
      const { user } = request.params
      const id = numberOf(request, 'no-such-token')
      await tokens.revoke(await principalOf(request, services), user, id)
      log.http.info({ 'user.name': user, 'token.id': id }, 'API token revoked')
      return sendJson(reply, 200, { message: `token ${id} of user '${user}' revoked` })
    }),
  }
}

/** The number at the end of the address. */
export function numberOf(
  request: FastifyRequest<{ Params: { id: string } }>,
  code: 'no-such-token' | 'no-such-publisher',
): number {
  const { id } = request.params
  if (/^\d{1,15}$/.test(id)) return Number(id)
  throw new Problem(code, `Nothing has the number '${id.slice(0, 20)}'`)
}

function tokenConfig({ id, user, note, actions, indexes, projects, createdMs, expiresMs, usedMs }: ApiToken) {
  return {
    id,
    user,
    note,
    actions,
    ...(indexes !== undefined && { indexes }),
    ...(projects !== undefined && { projects }),
    created: new Date(createdMs).toISOString(),
    ...(expiresMs !== undefined && { expires: new Date(expiresMs).toISOString() }),
    ...(usedMs !== undefined && { last_used: new Date(usedMs).toISOString() }),
  }
}
