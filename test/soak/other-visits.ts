/** People with browsers, those who run the server, those who may not, and indexes and users that come and go. */
import { fieldParts, multipart } from '../builders/multipart.ts'
import { formOf, newRecipe } from './change-private.ts'
import { isDone, type Lane, LOGIN_LIFE_MS } from './lane.ts'
import { certain } from './shelf.ts'

const BROWSER = { accept: 'text/html,application/xhtml+xml;q=0.9', 'user-agent': 'Mozilla/5.0' }
/** Answers to what depends on upstream, or on what others change meanwhile. */
const OPEN = [200, 302, 404, 502, 503]

export async function look(lane: Lane): Promise<void> {
  const { ground, chance } = lane
  const { dev, life } = ground
  const thing = chance.pick(dev.projects.flatMap((project) => dev.there(project)))
  const project = chance.pick([...life.projects.keys()])
  const [path, statuses] = chance.pick([
    ['/', [200]],
    ['/root', [200]],
    ['/root/dev', [200]],
    ['/root/prod', [200]],
    ['/root/up', OPEN],
    ['/+status', [200]],
    ['/+health', [200]],
    ['/root/dev/+api', [200]],
    [`/root/dev/${thing.project}`, OPEN],
    [`/root/dev/${thing.project}/${thing.version}`, OPEN],
    [`/root/dev/${project}`, OPEN],
    [`/root/up/${project}`, OPEN],
  ] as const)
  const headers = chance.is(0.7) ? BROWSER : { accept: 'application/json' }
  const answer = await ground.ask('page or data', path, { headers })
  if (!answer.isCut && !(statuses as readonly number[]).includes(answer.status))
    ground.wrong('page or data', path, answer, `${statuses.join(' or ')} was expected`)
}

export async function search(lane: Lane): Promise<void> {
  const words = ['made', 'keeper', 'documentation', 'lane', lane.chance.pick(lane.projects), 'a b c', '"', 'x*']
  const path = `/+search?query=${encodeURIComponent(lane.chance.pick(words))}`
  const answer = await lane.ground.ask('search', path, { headers: BROWSER })
  if (!answer.isCut && answer.status !== 200) lane.ground.wrong('search', path, answer, '200 was expected')
}

export async function readDocumentation(lane: Lane): Promise<void> {
  const { ground, chance } = lane
  const all = ground.dev.projects.flatMap((project) => ground.dev.there(project, 'documentation'))
  if (all.length === 0) return
  const thing = chance.pick(all)
  const { stamp, project, version } = thing
  const text = ground.texts.get(certain(thing)!)!
  const path = `/root/dev/${project}/${version}/+doc/index.html`
  const answer = await ground.ask('read documentation', path)
  if (answer.isCut || thing.isChanging || thing.stamp !== stamp) return
  if (answer.status !== 200 || !answer.bytes.includes(text))
    ground.wrong('read documentation', path, answer, `it is there: ${text}`)
}

export async function logInAnew(lane: Lane): Promise<void> {
  const { ground, chance } = lane
  if (chance.is(0.5)) return void (await lane.logIn())
  const answer = await lane.sendJson('wrong login', 'POST', '/+login', { user: 'root', password: 'guess' }, {})
  if (!answer.isCut && answer.status !== 401) ground.wrong('wrong login', '/+login', answer, '401 was expected')
}

/** Uploads that must not be taken. */
export async function sendRefused(lane: Lane): Promise<void> {
  const { ground, chance } = lane
  const login = await lane.root()
  if (login === undefined) return
  const recipe = newRecipe(lane, chance.pick(lane.projects))
  const expired = lane.logins.find(({ sinceMs }) => ground.nowMs - sinceMs > LOGIN_LIFE_MS)
  const noZip = multipart([
    ...fieldParts({ ':action': 'file_upload', name: recipe.project, version: recipe.version }),
    {
      name: 'content',
      filename: `${recipe.project.replaceAll('-', '_')}-${recipe.version}-py3-none-any.whl`,
      content: 'x',
    },
  ])
  const { index, headers, form, status } = chance.pick([
    { index: 'root/dev', headers: login, form: formOf(recipe, { sha256_digest: '0'.repeat(64) }), status: 400 },
    { index: 'root/dev', headers: login, form: formOf(recipe, { name: 'another' }), status: 400 },
    { index: 'root/dev', headers: login, form: noZip, status: 400 },
    { index: 'root/up', headers: login, form: formOf(recipe), status: 404 },
    { index: 'root/none', headers: login, form: formOf(recipe), status: 404 },
    { index: 'root/dev', headers: {}, form: formOf(recipe), status: 401 },
    ...(expired === undefined
      ? []
      : [{ index: 'root/dev', headers: expired.headers, form: formOf(recipe), status: 401 }]),
  ])
  const answer = await ground.ask('refused upload', `/${index}/`, {
    method: 'POST',
    headers: { ...headers, 'content-type': form.contentType },
    body: form.body,
  })
  if (!answer.isCut && answer.status !== status) ground.wrong('refused upload', index, answer, `${status} was expected`)
}

/** An index for an hour: made, used, removed. */
export async function comeAndGo(lane: Lane): Promise<void> {
  const { ground, chance } = lane
  const login = await lane.root()
  if (login === undefined) return
  const name = `root/brief-${lane.name}-${++lane.count}`
  const isMirror = chance.is(0.5)
  const options = isMirror
    ? { type: 'mirror', mirror_url: ground.life.fake.url, mirror_no_project_list: chance.is(0.5) }
    : { bases: ['root/dev'] }
  const made = await lane.sendJson('make index', 'PUT', `/${name}`, options, login)
  if (made.isCut) return
  if (!isDone(made)) return ground.wrong('make index', name, made, 'it must succeed')
  if (isMirror) {
    const project = chance.pick([...ground.life.projects.keys()])
    await ground.ask('page of a brief mirror', `/${name}/+simple/${project}/`, {}, true)
    await ground.ask('list of a brief mirror', `/${name}/+simple/`, {}, true)
  } else {
    const form = formOf(newRecipe(lane, `${lane.name}-brief`))
    const headers = { ...login, 'content-type': form.contentType }
    const sent = await ground.ask('upload', `/${name}/`, { method: 'POST', headers, body: form.body })
    if (!sent.isCut && sent.status !== 200) ground.wrong('upload', name, sent, 'it must succeed')
  }
  if (!ground.isUp) return
  const removed = await ground.ask('remove index', `/${name}`, { method: 'DELETE', headers: login })
  if (!removed.isCut && !isDone(removed)) ground.wrong('remove index', name, removed, 'it must succeed')
}

/** Somebody for an hour. */
export async function visit(lane: Lane): Promise<void> {
  const { ground } = lane
  const login = await lane.root()
  if (login === undefined) return
  const name = `visitor-${lane.name}-${++lane.count}`
  const password = 'secret of a visitor'
  for (const [what, method, path, body] of [
    ['make user', 'PUT', `/${name}`, { password }],
    ['log in', 'POST', '/+login', { user: name, password }],
    ['change user', 'PATCH', `/${name}`, { title: 'Visitor' }],
    ['remove user', 'DELETE', `/${name}`, {}],
  ] as const) {
    if (!ground.isUp) return
    const answer = await lane.sendJson(what, method, path, body, login)
    if (answer.isCut) return
    if (!isDone(answer)) return ground.wrong(what, path, answer, 'it must succeed')
  }
}
