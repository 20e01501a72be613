/** The public index's Integrity API: a file's provenance by project, version and name, with the bases of the index. */
import { Problem } from '../../model/errors.ts'
import { matchesVersion } from '../../pep/filename.ts'
import { PROVENANCE_TYPE } from '../../pep/provenance.ts'
import { askedProject } from '../asked.ts'
import { answer } from '../route.ts'
import type { Services } from '../services.ts'
import { acceptedType, noProvenance, sendProvenance } from './provenance.ts'

type Asked = { Params: { user: string; index: string; project: string; version: string; filename: string } }

export function integrityAnswer(services: Services) {
  const config = { speaks: 'text', prefers: 'json' } as const
  return answer<Asked>({ about: 'The provenance of the file (Integrity API)', config }, async (request, reply) => {
    const { version, filename } = request.params
    const { opened, project } = await askedProject(services, request)
    const type = acceptedType(request)
    if (type === undefined) {
      throw new Problem('not-acceptable', 'Cannot answer in a type that is accepted', {
        hint: `accept ${PROVENANCE_TYPE} or application/json`,
      })
    }
    const page = await opened.index.project(project)
    const file = page?.files.find((each) => each.filename === filename)
    const isAsked = file?.provenance !== undefined && matchesVersion(filename, version, project)
    const record = isAsked ? opened.chain.find((each) => each.name === file.index) : undefined
    const stored = record && (await services.provenances.read(record, project, filename))
    if (!stored) throw noProvenance(filename, opened.record.name)
    return sendProvenance(request, reply, stored, type)
  })
}
