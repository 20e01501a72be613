/** Uploads, overwrites, deletions, documentation, test results and pushes on stages. */

import { digestOf } from '../../src/lib/digest.ts'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { zip } from '../builders/zip.ts'
import type { Answer } from './ground.ts'
import { isDone, isUntold, type Lane } from './lane.ts'
import { addressOf, isGone } from './read-private.ts'
import { bake, made, type Recipe } from './recipe.ts'
import { ABSENT, certain, change, type Outcome, type Shelf, type Thing } from './shelf.ts'

/** Archives of one project on one stage at a time; the oldest go first. */
const ARCHIVES_MOST = 10

export async function uploadNew(lane: Lane, shelf = lane.chance.is(0.7) ? lane.ground.dev : lane.ground.prod) {
  const project = lane.chance.pick(lane.projects)
  if (shelf.there(project).length >= ARCHIVES_MOST) return await removeSome(lane, shelf, project)
  await upload(lane, shelf, newRecipe(lane, project))
}

/** The same filename with other content; where files stay what they are, that is refused. */
export async function overwrite(lane: Lane): Promise<void> {
  const { ground, chance } = lane
  const shelf = chance.is(0.8) ? ground.dev : ground.prod
  const thing = pickThing(lane, shelf)
  if (thing?.made === undefined) return
  const other = { ...thing.made, edition: thing.made.edition + (chance.is(0.2) ? 0 : 1) }
  await upload(lane, shelf, other)
}

/** The connection breaks before all of it was sent: nothing happened. */
export async function breakOffUpload(lane: Lane): Promise<void> {
  const { ground, chance } = lane
  const login = await lane.root()
  if (login === undefined) return
  const project = chance.pick(lane.projects)
  const form = formOf({ ...newRecipe(lane, project), sizeBytes: chance.int(10_000, 500_000) })
  const headers = { ...login, 'content-type': form.contentType }
  const sendOnlyBytes = chance.int(1, form.body.length - 200)
  await ground.ask('broken-off upload', '/root/dev/', { method: 'POST', headers, body: form.body, sendOnlyBytes })
}

export async function removeSome(
  lane: Lane,
  shelf: Shelf = lane.chance.is(0.8) ? lane.ground.dev : lane.ground.prod,
  project: string = lane.chance.pick(lane.projects),
): Promise<void> {
  const { chance } = lane
  const [oldest] = shelf.there(project)
  const digest = oldest && certain(oldest)
  if (oldest === undefined || digest === undefined) return
  const force = shelf.isVolatile ? '' : '?force'
  const file = addressOf(shelf.index, oldest.filename, digest)
  // Refused where it is not forced.
  if (force !== '') await remove(lane, file, [oldest], 403)
  const which = chance.next()
  if (which < 0.6) {
    const outcome = await remove(lane, file + force, [oldest], 200)
    if (outcome === 'done') await isGone(lane, shelf, oldest, digest)
  } else if (which < 0.85) {
    const all = shelf.things(project).filter((thing) => thing.version === oldest.version)
    await remove(lane, `/${shelf.index}/${project}/${oldest.version}${force}`, all, 200)
  } else await remove(lane, `/${shelf.index}/${project}${force}`, shelf.things(project), 200)
}

/** From the volatile stage to the other one. */
export async function pushRelease(lane: Lane): Promise<void> {
  const { ground } = lane
  const { dev, prod } = ground
  const login = await lane.root()
  const thing = pickThing(lane, dev)
  if (thing === undefined || login === undefined) return
  const { project, version } = thing
  const all = dev.things(project).filter((each) => each.version === version)
  // What a cut connection left open is cleared up by the next reader of the page.
  if (all.some((each) => each.possible.size > 1)) return
  const sources = all.filter((each) => certain(each) !== undefined)
  const targets = sources.map((each) => prod.thing(each))
  // What is there already is refused, be it the same.
  const fits = targets.every(({ possible }) => possible.size === 1 && possible.has(ABSENT))
  const digests = new Map(sources.map((each) => [each.filename, certain(each)!]))
  const outcome = await change(
    targets,
    (target) => digests.get(target.filename)!,
    async () => {
      const order = { name: project, version, targetindex: prod.index }
      const answer = await lane.sendJson('push', 'POST', `/${dev.index}`, order, login)
      const ended = outcomeOf(answer)
      if (fits && ended === 'refused')
        ground.wrong('push', `${project} ${version}`, answer, 'nothing stands in its way')
      return ended
    },
  )
  if (outcome !== 'refused')
    for (const [at, source] of sources.entries()) if (source.made !== undefined) targets[at]!.made = source.made
}

export async function sendDocumentation(lane: Lane): Promise<void> {
  const { ground } = lane
  const login = await lane.root()
  const of = pickThing(lane, ground.dev)
  if (of === undefined || login === undefined) return
  const { project, version } = of
  const text = `Documentation of ${project} ${version}, number ${++lane.count} of ${lane.name}`
  const bytes = zip([
    { name: 'index.html', content: `<html><h1>${text}</h1></html>` },
    { name: 'more/page.html', content: '<p>more of it' },
  ])
  const digest = digestOf(bytes)
  ground.texts.set(digest, text)
  const thing = ground.dev.thing({ kind: 'documentation', project, version, filename: `${project}-${version}.doc.zip` })
  await change(
    [thing],
    () => digest,
    async () => {
      const fields = fieldParts({ ':action': 'doc_upload', name: project, version })
      const form = multipart([...fields, { name: 'content', filename: `${project}.zip`, content: bytes }])
      const headers = { ...login, 'content-type': form.contentType }
      const answer = await ground.ask('send documentation', '/root/dev/', { method: 'POST', headers, body: form.body })
      return expected(lane, 'send documentation', project, answer)
    },
  )
}

/** The result of testing an archive, and its page. */
export async function sendTestResult(lane: Lane): Promise<void> {
  const { ground } = lane
  const thing = pickThing(lane, ground.dev)
  const digest = thing && certain(thing)
  if (thing === undefined || digest === undefined) return
  const command = { command: ['pytest'], output: `ran ${++lane.count} tests`, retcode: 0 }
  const result = { host: lane.name, platform: 'linux', testenvs: { py312: { setup: [], test: [command] } } }
  const path = addressOf('root/dev', thing.filename, digest)
  const answer = await lane.sendJson('send test result', 'POST', path, result, {})
  if (expected(lane, 'send test result', path, answer) !== 'done') return
  const page = `/root/dev/${thing.project}/${thing.version}/+toxresults/${thing.filename}`
  const shown = await ground.ask('page of test results', page, { headers: { accept: 'text/html' } })
  if (!shown.isCut && shown.status !== 200) ground.wrong('page of test results', page, shown, 'a result was taken')
}

async function upload(lane: Lane, shelf: Shelf, recipe: Recipe): Promise<void> {
  const { ground } = lane
  const login = await lane.root()
  if (login === undefined) return
  const file = bake(recipe)
  const { filename, sha256 } = file
  const thing = shelf.thing({ kind: 'archive', project: recipe.project, version: recipe.version, filename })
  const isOpen = shelf.isVolatile || [...thing.possible].every((each) => each === ABSENT || each === sha256)
  const outcome = await change(
    [thing],
    () => sha256,
    async () => {
      const form = formOf(recipe)
      const headers = { ...login, 'content-type': form.contentType }
      const answer = await ground.ask('upload', `/${shelf.index}/`, { method: 'POST', headers, body: form.body })
      const ended = outcomeOf(answer)
      const isRight = ended === 'unknown' || (isOpen ? ended === 'done' : ended === 'refused' && answer.status === 409)
      // What is there after a cut connection decides, and nobody has looked.
      if (!isRight && thing.possible.size === 1) ground.wrong('upload', filename, answer, isOpen ? 'fits' : 'must stay')
      return ended
    },
  )
  if (outcome !== 'refused') thing.made = made(recipe, file)
}

async function remove(lane: Lane, path: string, things: readonly Thing[], status: number): Promise<Outcome> {
  const headers = await lane.root()
  if (headers === undefined) return 'refused'
  return await change(
    things,
    () => ABSENT,
    async () => {
      const answer = await lane.ground.ask('delete', path, { method: 'DELETE', headers })
      const ended = outcomeOf(answer)
      if (ended !== 'unknown' && answer.status !== status)
        lane.ground.wrong('delete', path, answer, `${status} was expected`)
      return ended
    },
  )
}

export function formOf(recipe: Recipe, changes: Readonly<Record<string, string>> = {}) {
  const { filename, bytes, sha256 } = bake(recipe)
  const fields = {
    ':action': 'file_upload',
    protocol_version: '1',
    metadata_version: '2.1',
    name: recipe.project,
    version: recipe.version,
    filetype: recipe.kind === 'wheel' ? 'bdist_wheel' : 'sdist',
    sha256_digest: sha256,
    ...changes,
  }
  return multipart([...fieldParts(fields), { name: 'content', filename, content: bytes }])
}

export function newRecipe(lane: Lane, project: string): Recipe {
  const { chance } = lane
  const sizeBytes = chance.is(0.08) ? chance.int(300_000, 1_500_000) : chance.int(200, 40_000)
  const kind = chance.is(0.25) ? 'sdist' : 'wheel'
  return { project, version: lane.nextVersion(project), kind, edition: lane.chance.int(0, 1_000_000), sizeBytes }
}

/** An archive that is there for certain, of a project of its own. */
function pickThing(lane: Lane, shelf: Shelf): Thing | undefined {
  const found = lane.projects.flatMap((project) => shelf.there(project))
  return found.length === 0 ? undefined : lane.chance.pick(found)
}

function expected({ ground }: Lane, what: string, path: string, answer: Answer): Outcome {
  const outcome = outcomeOf(answer)
  if (outcome === 'refused') ground.wrong(what, path, answer, 'it must succeed')
  return outcome
}

function outcomeOf(answer: Answer): Outcome {
  if (isDone(answer)) return 'done'
  return isUntold(answer) || answer.status === 0 ? 'unknown' : 'refused'
}
