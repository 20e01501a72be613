/** Installing what is on stages: the page says what the model says, and every file is the right one. */
import type { Answer } from './ground.ts'
import type { Lane } from './lane.ts'
import { filesOfPage, type ListedFile } from './page-files.ts'
import { readFile } from './read-file.ts'
import { bake } from './recipe.ts'
import { ABSENT, certain, type Shelf, type Thing } from './shelf.ts'

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'
const UNKNOWN = [404, 410]

export async function readPrivate(lane: Lane): Promise<void> {
  const { ground, chance } = lane
  const shelf = chance.is(0.7) ? ground.dev : ground.prod
  const index = shelf === ground.dev && chance.is(0.3) ? 'root/test' : shelf.index
  if (shelf.projects.length === 0) return
  const project = chance.pick(shelf.projects)
  const before = stamps(shelf, project)
  const path = `/${index}/+simple/${project}/`
  const accept = chance.is(0.6) ? JSON_TYPE : 'text/html'
  const page = await ground.ask('private page', path, { headers: { accept } })
  if (page.isCut) return
  const listed = page.status === 200 ? filesOfPage(page.headers['content-type'] ?? '', page.bytes.toString()) : []
  if (before !== undefined && stamps(shelf, project) === before) judge(lane, shelf, project, page, path, listed)
  const asked = listed.filter(({ filename }) => shelf.things(project).some((thing) => thing.filename === filename))
  if (asked.length > 0) await readListed(lane, shelf, project, path, chance.pick(asked))
}

/** The state of a project as a text; `undefined` while something of it is being changed. */
function stamps(shelf: Shelf, project: string): string | undefined {
  const things = shelf.things(project)
  if (things.some((thing) => thing.isChanging)) return undefined
  return things.map(({ filename, stamp }) => `${filename} ${stamp}`).join()
}

function judge(
  { ground }: Lane,
  shelf: Shelf,
  project: string,
  page: Answer,
  path: string,
  listed: readonly ListedFile[],
): void {
  const archives = shelf.things(project).filter((thing) => thing.kind === 'archive')
  const isThere = shelf.things(project).some((thing) => !thing.possible.has(ABSENT))
  // With nothing on the stage it is upstream's business.
  if (!isThere && [502, 503].includes(page.status)) return
  if (page.status !== 200 && !(page.status === 404 && !isThere)) {
    ground.wrong('private page', path, page, 'the project is there')
    return
  }
  const found = new Map(listed.map((file) => [file.filename, file.sha256]))
  for (const thing of archives) {
    const content = (found.get(thing.filename) ?? ABSENT) as typeof ABSENT
    found.delete(thing.filename)
    if (!thing.possible.has(content)) {
      ground.wrong(
        'private page',
        path,
        page,
        `${thing.filename} is ${content}, not ${[...thing.possible].join(' or ')}`,
      )
    } else if (thing.possible.size > 1) {
      thing.possible.clear()
      thing.possible.add(content)
    }
  }
  for (const filename of found.keys()) ground.wrong('private page', path, page, `nobody uploaded ${filename}`)
}

async function readListed(
  lane: Lane,
  shelf: Shelf,
  project: string,
  path: string,
  { filename, url, sha256, metadata }: ListedFile,
): Promise<void> {
  const { ground } = lane
  const thing = shelf.things(project).find((each) => each.filename === filename)!
  const before = thing.stamp
  const made = thing.made
  const isSure = () => !thing.isChanging && thing.stamp === before && certain(thing) === sha256
  if (!isSure() || made === undefined || made.sha256 !== sha256) return
  const file = { url: new URL(url, `http://here${path}`).pathname, sha256, bytes: () => bake(made).bytes, metadata }
  const { what, path: asked, answer, verdict } = await readFile(lane, file, false)
  if (answer.isCut || verdict !== 'nothing') return
  if (isSure()) ground.wrong(what, asked, answer, `${filename} is there`)
  else if (!UNKNOWN.includes(answer.status)) ground.wrong(what, asked, answer, 'neither there nor gone')
}

/** What was deleted is not there any more. */
export async function isGone(lane: Lane, shelf: Shelf, { filename }: Thing, sha256: string): Promise<void> {
  const { ground } = lane
  const path = addressOf(shelf.index, filename, sha256)
  const answer = await ground.ask('deleted file', path)
  if (!answer.isCut && !UNKNOWN.includes(answer.status)) ground.wrong('deleted file', path, answer, 'it was deleted')
}

export function addressOf(index: string, filename: string, sha256: string): string {
  return `/${index}/+f/${sha256.slice(0, 3)}/${sha256.slice(3, 16)}/${filename}`
}
