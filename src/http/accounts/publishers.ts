/** Trusted publishers of an index over JSON. Ours: devpi has none. */
import type { TrustedPublisher } from '../../model/tokens.ts'
import { sendJson, sendResult } from '../answers.ts'
import { principalOf } from '../auth.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'
import { objectBody } from './devpi-accounts.ts'
import { numberOf } from './tokens.ts'

type Named = { Params: { user: string; index: string } }
type Numbered = { Params: Named['Params'] & { id: string } }

export function publisherAnswers(services: Services) {
  const { publishers, log } = services

  return {
    list: answer<Named>({ about: 'The trusted publishers of the index' }, async (request, reply) => {
      const found = await publishers.list(await principalOf(request, services), nameOf(request.params))
      return sendResult(reply, 200, 'list:publisher', found.map(publisherConfig))
    }),
    add: answer<Named>({ about: 'Add a trusted publisher' }, async (request, reply) => {
      const who = await principalOf(request, services)
      const added = await publishers.add(who, nameOf(request.params), objectBody(request))
      log.http.info({ 'user.name': who.name, 'index.name': added.index, 'publisher.id': added.id }, 'Publisher added')
      return sendResult(reply, 201, 'publisher', publisherConfig(added))
    }),
    remove: answer<Numbered>({ about: 'Remove a trusted publisher' }, async (request, reply) => {
      const who = await principalOf(request, services)
      const index = nameOf(request.params)
      const id = numberOf(request, 'no-such-publisher')
      await publishers.remove(who, index, id)
      log.http.info({ 'user.name': who.name, 'index.name': index, 'publisher.id': id }, 'Publisher removed')
      return sendJson(reply, 200, { message: `publisher ${id} of index ${index} removed` })
    }),
  }
}

function nameOf({ user, index }: Named['Params']): string {
  return `${user}/${index}`
}

function publisherConfig({ id, index, issuer, spec, projects, createdMs, createdBy }: TrustedPublisher) {
  const { kind, ...identity } = spec
  return {
    id,
    index,
    kind,
    issuer,
    ...identity,
    ...(projects === undefined ? { all_projects: true } : { projects }),
    created: new Date(createdMs).toISOString(),
    created_by: createdBy,
  }
}
