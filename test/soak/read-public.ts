/** Installing through the mirror: what was once got stays, what cannot be had is no absence, and news comes in time. */
import type { Answer, Ground } from './ground.ts'
import type { Lane } from './lane.ts'
import { filesOfPage, type ListedFile } from './page-files.ts'
import { readFile } from './read-file.ts'
import { bake } from './recipe.ts'
import type { UpstreamProject } from './upstream-life.ts'

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json'
const MINUTE_MS = 60_000
/** How old pages and the list may be; the mirror of the day is made with it. */
export const EXPIRY_SECONDS = 600
/** After this without faults there is no excuse: longer than the longest Retry-After that is believed, and two pages old. */
const HEALED_MS = 30 * MINUTE_MS
/** A project or file that is so old is known, whichever list or page was remembered. */
const KNOWN_MS = 45 * MINUTE_MS
const INDEXES = ['root/up', 'root/up', 'root/dev', 'root/prod', 'root/test']

export async function readPublic(lane: Lane): Promise<void> {
  const { ground, chance } = lane
  const project = ground.life.wanted(chance)
  const path = `/${chance.pick(INDEXES)}/+simple/${project.name}/`
  const isHealed = healed(ground)
  const held = heldOf(ground, project)
  const wasSeen = ground.seenPages.has(project.name)
  const headers = { accept: chance.is(0.6) ? JSON_TYPE : 'text/html' }
  const page = await ground.ask('public page', path, { headers })
  if (page.isCut) return
  const wrong = (why: string) => ground.wrong('public page', path, page, why)
  const isKnown = project.goneMs === undefined && ground.nowMs - project.addedMs > KNOWN_MS
  if (page.status === 404) {
    if (isKnown) wrong('upstream has the project')
    else if (held.length > 0 || wasSeen) wrong('what was once here stays')
    return
  }
  if (page.status !== 200) {
    if (![502, 503].includes(page.status)) wrong('no such answer was expected')
    else if (held.length > 0) wrong('files are held that can be delivered')
    else if (isHealed() && isKnown) ground.unhealed('public page', path, page, 'it can be had')
    return
  }
  const listed = filesOfPage(page.headers['content-type'] ?? '', page.bytes.toString())
  ground.seenPages.add(project.name)
  for (const { filename, sha256 } of listed)
    if (project.files.get(filename)?.sha256 !== sha256) wrong(`upstream never had ${filename} with ${sha256}`)
  for (const filename of held) if (!listed.some((file) => file.filename === filename)) wrong(`${filename} is held`)
  if (isHealed()) isNews(ground, project, page, path, listed)
  if (listed.length > 0) await readListed(lane, project, path, chance.pick(listed))
}

/** Whether there was no fault for long, when this was called and when what it gives is called. */
function healed(ground: Ground): () => boolean {
  const before = ground.life.isCalmFor(HEALED_MS, ground.nowMs)
  return () => before && ground.life.isCalmFor(HEALED_MS, ground.nowMs)
}

function heldOf({ held }: Ground, project: UpstreamProject): string[] {
  return [...project.files.keys()].filter((filename) => held.has(filename))
}

function isNews(
  ground: Ground,
  project: UpstreamProject,
  page: Answer,
  path: string,
  listed: readonly ListedFile[],
): void {
  // What upstream has no more at all stays as it was.
  if (project.goneMs !== undefined) return
  const wrong = (why: string) => ground.unhealed('public page', path, page, why)
  const isOld = (sinceMs: number | undefined) => sinceMs !== undefined && ground.nowMs - sinceMs > KNOWN_MS
  for (const { filename, addedMs, yankedMs, removedMs } of project.files.values()) {
    const found = listed.find((file) => file.filename === filename)
    if (found === undefined && isOld(addedMs) && removedMs === undefined) wrong(`${filename} is not listed yet`)
    if (found !== undefined && isOld(removedMs) && !ground.held.has(filename)) wrong(`${filename} was removed`)
    if (found?.isYanked === false && isOld(yankedMs) && removedMs === undefined) wrong(`${filename} was yanked`)
  }
}

async function readListed(
  lane: Lane,
  project: UpstreamProject,
  path: string,
  { filename, url, metadata }: ListedFile,
): Promise<void> {
  const { ground } = lane
  const file = project.files.get(filename)
  if (file === undefined) return
  const { sha256, recipe } = file
  const isHeld = ground.held.has(filename)
  const isHealed = healed(ground)
  const asked = { url: new URL(url, `http://here${path}`).pathname, sha256, bytes: () => bake(recipe).bytes, metadata }
  const { what, path: place, answer, verdict } = await readFile(lane, asked, !isHeld)
  // Its row was written before its last byte was sent, so this outlives whatever happens to the server.
  if (verdict === 'whole') ground.held.set(filename, sha256)
  if (answer.isCut || verdict !== 'nothing') return
  const wrong = (why: string) => ground.wrong(what, place, answer, why)
  const isGone = file.removedMs !== undefined
  // The metadata of a held file is read from it by a job, and asked of upstream until then.
  const isSure = isHeld && what !== 'get metadata'
  if (isSure) wrong(`${filename} is held`)
  else if (isHealed() && !isGone) ground.unhealed(what, place, answer, 'it can be had')
  else if (![200, 206, 502, 503].includes(answer.status) && !(isGone && answer.status === 404))
    wrong('no such answer was expected')
}

/** The list of everything: whole, or an error; with private and public names in it. */
export async function readList(lane: Lane): Promise<void> {
  const { ground, chance } = lane
  const index = chance.pick(INDEXES)
  const path = `/${index}/+simple/`
  const isHealed = healed(ground)
  const isJson = chance.is(0.5)
  const answer = await ground.ask('list', path, { headers: { accept: isJson ? JSON_TYPE : 'text/html' } })
  if (answer.isCut) return
  const wrong = (why: string) => ground.wrong('list', path, answer, why)
  if (answer.status !== 200) {
    if (![502, 503].includes(answer.status)) wrong('no such answer was expected')
    else if (isHealed()) ground.unhealed('list', path, answer, 'it can be had')
    return
  }
  const text = answer.bytes.toString()
  if (!text.trimEnd().endsWith(isJson ? '}' : '</html>')) wrong('it has no end')
  const mustBe = isHealed()
    ? [...ground.life.projects.values()].filter(
        ({ goneMs, addedMs }) => goneMs === undefined && ground.nowMs - addedMs > KNOWN_MS,
      )
    : []
  for (const { name } of mustBe)
    if (!text.includes(isJson ? `"${name}"` : `>${name}<`))
      return ground.unhealed('list', path, answer, `${name} is missing`)
}
