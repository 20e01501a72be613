/** `GET` and `PUT /{user}/{index}/+status/{project}`: whether a project is active, archived, quarantined or deprecated (PEP 792). */
import { noSuchProject } from '../../model/errors.ts'
import { asProjectName } from '../../pep/name.ts'
import type { ProjectStatus } from '../../pep/simple.ts'
import { readProjectStatus, setProjectStatus } from '../../publish/manage/project-status.ts'
import { objectBody } from '../accounts/devpi-accounts.ts'
import { sendResult } from '../answers.ts'
import { askedProject } from '../asked.ts'
import { principalOf } from '../auth.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'

type Project = { Params: { user: string; index: string; project: string } }

export function projectStatusAnswers(services: Services) {
  const { publishing: publisher, limits, log } = services
  return {
    // As the index with its bases shows it: what an installer meets there.
    read: answer<Project>(
      { about: 'The status of the project: active, archived, quarantined or deprecated' },
      async (request, reply) => {
        const { opened, project } = await askedProject(services, request)
        const page = await opened.index.project(project)
        if (page === undefined) throw noSuchProject(project)
        return sendResult(reply, 200, 'projectstatus', shown(project, page.status ?? { status: 'active' }))
      },
    ),
    set: answer<Project>({ about: 'Set the status of the project' }, async (request, reply) => {
      const name = `${request.params.user}/${request.params.index}`
      const who = await principalOf(request, services)
      const project = asProjectName(request.params.project)
      if (project === undefined) throw noSuchProject(request.params.project)
      const status = readProjectStatus(objectBody(request), limits)
      const isChanged = await setProjectStatus(publisher, who, name, project, status)
      const done = isChanged ? `${project} is ${status.status} now` : `${project} was ${status.status} already`
      if (isChanged) log.publish.info({ 'index.name': name, 'user.name': who.name, 'project.name': project }, done)
      return sendResult(reply, 200, 'projectstatus', shown(project, status), done)
    }),
  }
}

function shown(project: string, { status, reason }: ProjectStatus) {
  return { project, status, ...(reason !== undefined && { reason }) }
}
