/** `DELETE` of a project, a version or a file of an index. `?force` also deletes from an index that is not volatile. */
import type { FastifyRequest } from 'fastify'
import { type AskedAddress, isAddressed } from '../../indexes/asked-address.ts'
import { noSuchProject } from '../../model/errors.ts'
import { asProjectName, type ProjectName } from '../../pep/name.ts'
import { type Removal, removeFile, removeProject, removeRelease } from '../../publish/manage/remove.ts'
import { sendJson } from '../answers.ts'
import { principalOf } from '../auth.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'

type Index = { user: string; index: string }
type Asked = FastifyRequest<{ Params: Index }>

export function removalAnswers(services: Services) {
  const { publishing: publisher } = services

  return {
    project: answer<{ Params: Index & { project: string } }>(
      { about: 'Delete the project from the index; `?force` also where the index is not volatile' },
      async (request, reply) => {
        const project = namedProject(request.params.project)
        const asked = await removalBy(request)
        await removeProject(publisher, asked, project)
        return sendJson(reply, 200, { message: `project ${project} deleted from stage ${asked.index}` })
      },
    ),
    release: answer<{ Params: Index & { project: string; version: string } }>(
      { about: 'Delete the release; `?force` as above' },
      async (request, reply) => {
        const project = namedProject(request.params.project)
        const { version } = request.params
        await removeRelease(publisher, await removalBy(request), project, version)
        return sendJson(reply, 200, { message: `project '${project}' version '${version}' deleted` })
      },
    ),
    file: answer<{ Params: Index & { first: string; second: string; filename: string } }>(
      { about: 'Delete the file; `?force` as above' },
      async (request, reply) => {
        const { first, second, filename } = request.params
        const path = await dropFile(
          request,
          { kind: '+f', hashStart: first + second },
          `${first}/${second}/${filename}`,
        )
        return sendJson(reply, 200, { message: `package '${path}' deleted` })
      },
    ),
    unhashedFile: answer<{ Params: Index & { folder: string; filename: string } }>(
      { about: 'Delete the file; `?force` as above' },
      async (request, reply) => {
        const { folder, filename } = request.params
        const path = await dropFile(request, { kind: '+e', folder }, `${folder}/${filename}`)
        return sendJson(reply, 200, { message: `package '${path}' deleted` })
      },
    ),
  }

  async function dropFile(request: Asked, address: AskedAddress, place: string): Promise<string> {
    const removal = await removalBy(request)
    const path = `${removal.index}/${address.kind}/${place}`
    const filename = place.slice(place.lastIndexOf('/') + 1)
    await removeFile(publisher, removal, (file) => isAddressed(file, address), { path, filename })
    return path
  }

  async function removalBy(request: Asked): Promise<Removal> {
    const { user, index } = request.params
    const force = 'force' in (request.query as object)
    return { who: await principalOf(request, services), index: `${user}/${index}`, force }
  }
}

function namedProject(text: string): ProjectName {
  const project = asProjectName(text)
  if (project === undefined) throw noSuchProject(text)
  return project
}
