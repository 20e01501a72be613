/** The table of routes: it is all that a server has, and it says truly who may use each route. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import Fastify from 'fastify'
import { allRoutes } from '../../scripts/api-page.ts'
import { addRoutes, answer, get, type Route } from '../../src/http/route.ts'
import { servedRoutes } from '../../src/http/routes.ts'
import { fieldParts, multipart } from '../builders/multipart.ts'
import { opens, order, stages, UPLOAD_TYPE } from '../builders/upload-session.ts'
import { wheel } from '../builders/wheels.ts'
import { zip } from '../builders/zip.ts'
import { type Answer, type Ask, type Person, startWorld } from '../world/world.ts'

const table = Object.values(allRoutes()).flat()
const nameOf = ({ method, path }: Pick<Route, 'method' | 'path'>) => `${method} ${path}`

const FILE = wheel({ name: 'acme', version: '1.0' })
/** Only its owner may do anything there. */
const PRIVATE = { acl_pkg_read: ['alice'], acl_upload: ['alice'], acl_toxresult_upload: ['alice'] }
const world = await startWorld({ settings: { upload_sessions: true, default_index: 'alice/secret' } })
after(async () => await world[Symbol.asyncDispose]())
const { alice, root, stranger } = world
const bob = await world.person('bob')

/** A form for the index, as tools for uploading send it. */
function form(fields: Readonly<Record<string, string>>, filename: string, content: Buffer): Ask {
  const { body, contentType } = multipart([...fieldParts(fields), { name: 'content', filename, content }])
  return { body, headers: { 'content-type': contentType } }
}

async function does(who: Person, path: string, ask: Ask): Promise<Answer> {
  const done = await who.asks(path, ask)
  assert.ok(done.status < 300, `${path}: ${done.status} ${done.text}`)
  return done
}

await does(alice, '/alice/secret', { method: 'PUT', json: PRIVATE })
assert.equal((await alice.uploads(FILE, 'alice/secret')).status, 200)
await does(
  alice,
  '/alice/secret/',
  form(
    { ':action': 'doc_upload', name: 'acme', version: '1.0' },
    'docs.zip',
    zip([{ name: 'index.html', content: '' }]),
  ),
)
const HASHED = { first: FILE.sha256.slice(0, 3), second: FILE.sha256.slice(3, 16), filename: FILE.filename }
const tested = await does(alice, `/alice/secret/+f/${HASHED.first}/${HASHED.second}/${FILE.filename}`, {
  json: { testenvs: { py: { python: { version: '3' }, setup: [], test: [] } } },
})
const session = await opens(alice, 'alice/secret', 'next', '1.0')
const next = wheel({ name: 'next', version: '1.0' })
const staged = await stages(alice, session, next)
const token = await does(alice, '/alice/+tokens', { json: {} })

const PARTS: Readonly<Record<string, string>> = {
  ...HASHED,
  user: 'alice',
  index: 'secret',
  project: 'acme',
  version: '1.0',
  folder: 'x',
  session: session.links.session.split('/').at(-1)!,
  file: staged.address.split('/').at(-1)!,
  token: session.links.stage.split('/').at(-3)!,
  result: tested.json<{ result: string }>().result.replace(/^.*\/|#.*$/g, ''),
  id: String(token.json<{ result: { id: number } }>().result.id),
  group: 'team',
  serial: '1',
}
/** Where the public index would have the file. */
const AT_PUBLIC_INDEX = { first: FILE.sha256.slice(0, 2), second: FILE.sha256.slice(2, 4), rest: FILE.sha256.slice(4) }

/** An address of the route that exists on this server, or may be created. */
function addressOf(route: Route): string {
  const { path } = route
  const isNew = nameOf(route) === 'PUT /:user/:index'
  const parts = { ...PARTS, ...(isNew && { index: 'new' }), ...(path.includes('/packages/') && AT_PUBLIC_INDEX) }
  const filled = path.replace(/\([^)]*\)/g, '').replace(/:(\w+)/g, (_all, name: string) => {
    assert.ok(Object.hasOwn(parts, name), `this test has no ${name}`)
    return parts[name as keyof typeof parts]!
  })
  return /\/\+?simple|\/legacy$/.test(filled) ? `${filled}/` : filled.replace('*', 'index.html')
}

/** What passes the checks before the one of who asks. */
const BODIES: Readonly<Record<string, Ask>> = {
  'POST /:user/:index': form({ ':action': 'file_upload', name: 'acme', version: '1.0' }, FILE.filename, FILE.bytes),
  'POST /legacy': form({ ':action': 'file_upload', name: 'acme', version: '1.0' }, FILE.filename, FILE.bytes),
  'POST /:user/:index/+yank': { json: { project: 'acme', version: '1.0' } },
  'POST /:user/:index/+unyank': { json: { project: 'acme', version: '1.0' } },
  'PUT /:user/:index/+status/:project': { json: { status: 'archived' } },
  'POST /:user/:index/+upload': { json: { meta: { 'api-version': '2.0' }, name: 'new', version: '1.0' } },
  'POST /:user/:index/+upload/:session/files': { json: { meta: { 'api-version': '2.0' }, ...order(next) } },
  'PUT /+groups/:group': { json: { members: ['alice'] } },
  'PATCH /:user': { json: { title: 'T' } },
  'PUT /:user/:index': { json: {} },
  'PATCH /:user/:index': { json: ['title=T'] },
  'POST /:user/:index/+publishers': {
    json: { kind: 'github', owner: 'acme', repository: 'acme', workflow: 'release.yml', projects: ['acme'] },
  },
}

const OF_AN_INDEX: readonly Route['who'][] = ['readers', 'uploaders', 'keepers', 'testers', 'previewers']

/** Puts the question of the route, with nothing wrong but perhaps who asks. */
async function asks(who: Person, route: Route): Promise<Answer> {
  const body = BODIES[nameOf(route)] ?? {}
  const isOfSession = route.path.includes('/+upload')
  const types = { accept: UPLOAD_TYPE, ...(body.json !== undefined && { 'content-type': UPLOAD_TYPE }) }
  const headers = { ...body.headers, ...(isOfSession && types) }
  return await who.asks(addressOf(route), { ...body, method: route.method === 'any' ? 'GET' : route.method, headers })
}

const isRefused = ({ status }: Answer) => status === 401 || status === 403
/** Those whom a word of the table leaves out, and one whom it lets in. alice owns the index; its lists name her alone. */
const LEFT_OUT: Readonly<Record<Route['who'], readonly Person[]>> = {
  everybody: [],
  newcomers: [],
  builds: [],
  nobody: [stranger, bob, alice, root],
  'logged in': [stranger],
  root: [stranger, bob, alice],
  readers: [stranger, bob],
  uploaders: [stranger, bob],
  keepers: [stranger, bob],
  testers: [stranger, bob],
  previewers: [stranger, bob],
  user: [stranger, bob],
  owner: [stranger, bob],
}

for (const route of table) {
  const left = LEFT_OUT[route.who]
  if (left.length === 0) continue
  test(`${nameOf(route)} refuses whom "${route.who}" leaves out`, async () => {
    for (const who of left) {
      const answered = await asks(who, route)
      assert.ok(isRefused(answered), `${who.name ?? 'a stranger'}: ${answered.status} ${answered.text}`)
    }
  })
}

test('whom the table names is not refused', async () => {
  for (const route of table.filter(({ method, who }) => method === 'GET' && who !== 'nobody')) {
    const who = LEFT_OUT[route.who].length === 0 ? stranger : route.who === 'root' ? root : alice
    const answered = await asks(who, route)
    assert.ok(!isRefused(answered), `${nameOf(route)}: ${answered.status} ${answered.text}`)
  }
})

test('a build that shows no OIDC token gets none', async () => {
  const routes = table.filter(({ who }) => who === 'builds')
  assert.equal(routes.length, 1)
  for (const route of routes) assert.equal((await asks(stranger, route)).status, 422)
})

test('a server has every route of the table, and no other', () => {
  const { app } = world.server
  for (const { method, path: url } of table) {
    assert.ok(app.hasRoute({ method: method === 'any' ? 'GET' : method, url }), `${method} ${url}`)
  }
  const listed = app.printRoutes({ commonPrefix: false }).matchAll(/\(([A-Z, ]+)\)$/gm)
  const had = [...listed].flatMap(([, methods]) => methods!.split(', ')).filter((method) => method !== 'HEAD')
  const wanted = table.flatMap(({ method }) =>
    method === 'any' ? app.supportedMethods.filter((each) => each !== 'HEAD') : [method],
  )
  assert.deepEqual(had.toSorted(), wanted.toSorted())
})

test('no two rows are of one method and address', () => {
  assert.equal(new Set(table.map(nameOf)).size, table.length)
})

test('addRoutes() lets no route be registered that is not in the table', async () => {
  const app = Fastify()
  addRoutes(app, [
    get(
      '/a',
      'everybody',
      answer({ about: 'A' }, async () => 'a'),
    ),
  ])
  assert.throws(() => app.get('/b', async () => 'b'), /route \/b: it is not in routes\.ts/)
  assert.equal((await app.inject('/a')).body, 'a')
  await app.close()
})

test('addresses are left to the user of that name', () => {
  const ours = answer({ about: 'A' }, async () => 'ours')
  const rows = [get('/simple', 'everybody', ours), get('/legacy', 'everybody', ours), get('/:user', 'everybody', ours)]
  const takenAliases = new Set(['simple'])
  assert.deepEqual(servedRoutes({ rows }, { takenAliases }).map(nameOf), ['GET /legacy', 'GET /:user'])
})

for (const route of table) {
  test(`/+authcheck knows ${nameOf(route)}, and of which index it is`, async () => {
    const headers = { 'x-original-uri': addressOf(route) }
    assert.equal((await alice.asks('/+authcheck', { headers })).status, 200)
    // Whatever is done there, it is of an index that only its owner may read.
    const isClosed = OF_AN_INDEX.includes(route.who) || (route.path.includes('/:index') && !route.path.endsWith('+api'))
    const isNew = addressOf(route).startsWith('/alice/new')
    assert.equal((await stranger.asks('/+authcheck', { headers })).status, isClosed && !isNew ? 401 : 200)
  })
}

test('/+authcheck takes versions with a local part, and no word that is none of ours', async () => {
  for (const [address, status] of [
    ['/alice/secret/acme/1.0+local', 200],
    ['/alice/secret/acme/1.0+local/+doc/', 200],
    ['/alice/secret/+unheard/of', 403],
    ['/alice/./secret/acme', 403],
    ['/x/../alice/secret/acme', 403],
    ['/x/%2e%2e/alice/secret/acme', 403],
    ['/alice/secret/..', 403],
    ['http://host/x/../alice/secret/acme', 403],
    ['http://host/alice/secret/acme', 200],
    ['/alice/secret/acme/1.0/+unheard', 403],
  ] as const) {
    assert.equal((await alice.asks('/+authcheck', { headers: { 'x-original-uri': address } })).status, status, address)
  }
})

test('/+authcheck takes no address for open because of how it ends', async () => {
  for (const address of [
    '/alice/secret/acme/1.0/+doc/+api',
    '/alice/secret/acme/1.0/+doc/x+api',
    `/alice/secret/+f/${HASHED.first}/${HASHED.second}/${FILE.filename}%3f+api`,
    'http://host/alice/secret/acme',
  ]) {
    assert.equal((await stranger.asks('/+authcheck', { headers: { 'x-original-uri': address } })).status, 401, address)
  }
})
