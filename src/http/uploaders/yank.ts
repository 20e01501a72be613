/** `POST /{user}/{index}/+yank` and `/+unyank`: mark files of a release so that installers skip them, and remove the mark. Not in devpi. */
import { readYankOrder, yankFiles } from '../../publish/manage/yank.ts'
import { objectBody } from '../accounts/devpi-accounts.ts'
import { sendResult } from '../answers.ts'
import { principalOf } from '../auth.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'

type Index = { Params: { user: string; index: string } }

export function yankAnswers(services: Services) {
  const { publishing: publisher, limits, log } = services
  const change = (what: 'yank' | 'unyank', about: string) =>
    answer<Index>({ about }, async (request, reply) => {
      const name = `${request.params.user}/${request.params.index}`
      const who = await principalOf(request, services)
      const order = readYankOrder(what, objectBody(request), limits)
      const changed = await yankFiles(publisher, who, name, what, order)
      const files = changed.map(({ filename, version, yanked }) => ({ filename, version, yanked: yanked ?? false }))
      const done = `${what}ed ${files.length} ${files.length === 1 ? 'file' : 'files'} of ${order.project}`
      if (files.length === 0)
        return sendResult(reply, 200, 'yankedfiles', files, `nothing to ${what}: it was so already`)
      log.publish.info({ 'index.name': name, 'user.name': who.name, files: files.map((file) => file.filename) }, done)
      return sendResult(reply, 200, 'yankedfiles', files, done)
    })
  return {
    yank: change('yank', 'Yank the files of a release: installers pass over them'),
    unyank: change('unyank', 'Take the yank back'),
  }
}
