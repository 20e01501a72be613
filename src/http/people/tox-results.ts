/** Pages of test results: all of one file, and one in full. */
import { noResults, testResultView, testsView } from '../../browse/browse-attachments.ts'
import { noSuchProject } from '../../model/errors.ts'
import { asProjectName } from '../../pep/name.ts'
import { sendPage } from '../answers.ts'
import { type AtProject, askedRecord } from '../asked.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'
import { frame } from './people.ts'

type File = { user: string; index: string; project: string; version: string; filename: string }

export function toxResultAnswers(services: Services) {
  const { pages } = services
  return {
    list: answer<{ Params: File }>({ about: 'Page of all results of testing the file' }, async (request, reply) => {
      const { record, file } = await asked(request, request.params)
      const view = await testsView(services, record, file)
      return sendPage(reply, pages.testsPage(view, frame(services, request)))
    }),
    one: answer<{ Params: File & { result: string } }>(
      { about: 'Page of one result in full' },
      async (request, reply) => {
        const { record, file } = await asked(request, request.params)
        const view = await testResultView(services, record, file, request.params.result)
        return sendPage(reply, pages.testResultPage(view, frame(services, request)))
      },
    ),
  }

  async function asked(request: AtProject, { project: name, version, filename }: File) {
    const record = await askedRecord(services, request)
    const project = asProjectName(name)
    if (project === undefined) throw noSuchProject(name)
    const shown = await services.indexes.shown(record, project)
    if (!shown.version(version) || !shown.file(filename)) throw noResults(filename)
    return { record, file: { project, version, filename } }
  }
}
