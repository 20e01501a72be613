/** What a path names. */
import type { OpenIndex } from '../indexes/open-index.ts'
import { noSuchIndex, noSuchProject } from '../model/errors.ts'
import { asProjectName, type ProjectName } from '../pep/name.ts'
import type { Services } from './services.ts'

/** The index `/{user}/{index}`. Throws `no-such-index`. */
export async function askedIndex(
  { indexes }: Services,
  params: { readonly user: string; readonly index: string },
): Promise<OpenIndex> {
  const name = `${params.user}/${params.index}`
  const opened = await indexes.open(name)
  if (opened === undefined) throw noSuchIndex(name)
  return opened
}

/** The project `/{user}/{index}/{project}`, which may or may not exist. Throws `no-such-index`; `no-such-project` for what is no name. */
export async function askedProject(
  services: Services,
  params: { readonly user: string; readonly index: string; readonly project: string },
): Promise<{ opened: OpenIndex; project: ProjectName }> {
  const opened = await askedIndex(services, params)
  const project = asProjectName(params.project)
  if (project === undefined) throw noSuchProject(params.project)
  return { opened, project }
}
