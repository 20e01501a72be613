/** Groups of users, for `:group` in access lists. Ours: devpi knows groups from its plugins only. */
import { sendJson, sendResult } from '../answers.ts'
import { principalOf } from '../auth.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'
import { objectBody } from './devpi-accounts.ts'

type Named = { Params: { group: string } }

export function groupAnswers(services: Services) {
  return {
    list: answer({ about: 'The groups and their members' }, async (request, reply) =>
      sendResult(reply, 200, 'list:group', await services.groups.list(await principalOf(request, services))),
    ),
    save: answer<Named>({ about: 'Create a group, or replace its members' }, async (request, reply) => {
      const { group } = request.params
      const members = await services.groups.save(
        await principalOf(request, services),
        group,
        objectBody(request).members,
      )
      return sendResult(reply, 200, 'group', { name: group, members })
    }),
    remove: answer<Named>({ about: 'Delete a group' }, async (request, reply) => {
      const { group } = request.params
      await services.groups.remove(await principalOf(request, services), group)
      return sendJson(reply, 200, { message: `group '${group}' deleted` })
    }),
  }
}
