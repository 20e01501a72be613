/** `PUSH` or `POST /user/index[/]` with a JSON object: a release goes to another index, here or elsewhere. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { parseBoundedJson } from '../../lib/bounded-json.ts'
import { Problem } from '../../model/errors.ts'
import type { OutwardPushes } from '../../publish/push/push-external.ts'
import { readPushOrder } from '../../publish/push/push-order.ts'
import { sendResult } from '../answers.ts'
import { principalOf } from '../auth.ts'
import { checkJsonType } from '../request-origin.ts'
import type { Services } from '../services.ts'

export type AnswerPush = (
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  body: Buffer,
) => Promise<FastifyReply>

/** What answers pushes. */
export function pushes(services: Services): AnswerPush {
  const { publishing: publisher, indexes, server, log, outgoing } = services
  const pusher = { ...publisher, indexes }
  let outward: OutwardPushes | undefined
  return async (request, reply, name, body) => {
    if (body.length > 0) checkJsonType(request)
    const who = await principalOf(request, services)
    const order = readPushOrder(jsonObject(body))
    const isInside = order.target !== undefined
    // Loaded with the first push.
    const { pushRelease } = await import('../../publish/push/push.ts')
    const { isTaken, OutwardPushes } = await import('../../publish/push/push-external.ts')
    outward ??= new OutwardPushes({ ...outgoing, pusher, userAgent: `airlock/${server.version}` })
    const rows = isInside ? await pushRelease(pusher, who, name, order) : await outward.push(who, name, order)
    const isDone = isInside || isTaken(rows)
    const where = order.target ?? 'elsewhere'
    log.publish.info(
      { 'index.name': name, 'user.name': who.name, release: `${order.name} ${order.version}`, target: where },
      isDone ? 'Release pushed' : 'Release pushed, and not taken',
    )
    return sendResult(reply, isDone ? 200 : 502, 'actionlog', rows)
  }
}

function jsonObject(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = parseBoundedJson(body.toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Told below, as what is no object.
  }
  throw new Problem('bad-request', 'Bad request: could not decode json')
}
