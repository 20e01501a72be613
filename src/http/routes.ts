/**
 * Every route: method, address, who may use it, and what answers. `docs/api.md` is made from this table, and `addRoutes` lets
 * nothing else be registered. A final slash may always be there; every `GET` answers `HEAD` as well.
 */
import { authcheckAnswer } from './accounts/authcheck.ts'
import { accountAnswers } from './accounts/devpi-accounts.ts'
import { groupAnswers } from './accounts/groups.ts'
import { oidcAnswers } from './accounts/oidc.ts'
import { publisherAnswers } from './accounts/publishers.ts'
import { tokenAnswers } from './accounts/tokens.ts'
import { aliasAnswers } from './aliases.ts'
import { advisoryAnswers } from './installers/advisories.ts'
import { fileAnswers } from './installers/files.ts'
import { integrityAnswer } from './installers/integrity.ts'
import { jsonAnswers } from './installers/json-api.ts'
import { simpleAnswers } from './installers/simple.ts'
import { operatorAnswers } from './operators/operators.ts'
import { documentationAnswers } from './people/documentation.ts'
import { pageAnswers } from './people/people.ts'
import { toxResultAnswers } from './people/tox-results.ts'
import { any, del, get, patch, post, put, type Route } from './route.ts'
import type { Services } from './services.ts'
import { projectStatusAnswers } from './uploaders/project-status.ts'
import { removalAnswers } from './uploaders/removal.ts'
import { stagedAnswers } from './uploaders/staged.ts'
import { toxUploadAnswer } from './uploaders/tox-upload.ts'
import { uploadAnswers } from './uploaders/upload.ts'
import { sessionAnswers } from './uploaders/upload-sessions.ts'
import { yankAnswers } from './uploaders/yank.ts'

/** By who calls them. */
export function routeTable(services: Services): Readonly<Record<string, readonly Route[]>> {
  const table: Readonly<Record<string, readonly Route[]>> = {
    Installers: installers(services),
    Uploaders: uploaders(services),
    'Upload sessions (PEP 694), with the setting upload_sessions': sessions(services),
    'Users, indexes and tokens': accounts(services),
    'Browsers, and programs at the same addresses': people(services),
    Operators: operators(services, () => servedRoutes(table, services.server)),
  }
  return table
}

/** Those whose first part is the name of a user (`takenAliases`) are left to that user. */
export function servedRoutes(
  table: Readonly<Record<string, readonly Route[]>>,
  { takenAliases }: Pick<Services['server'], 'takenAliases'>,
): readonly Route[] {
  const routes = Object.values(table).flat()
  return routes.filter(({ path }) => !takenAliases.has(path.split('/')[1]!))
}

function installers(services: Services): Route[] {
  const simple = simpleAnswers(services)
  const files = fileAnswers(services)
  const alias = aliasAnswers(services)
  const json = jsonAnswers(services)
  const advisories = advisoryAnswers(services)
  return [
    get('/:user/:index/+simple', 'readers', simple.list),
    get('/:user/:index/+simple/:project', 'readers', simple.page),
    post('/:user/:index/+simple/:project/refresh', 'readers', simple.refresh),
    get('/:user/:index/+f/:first/:second/:filename', 'readers', files.hashed),
    get('/:user/:index/+e/:folder/:filename', 'readers', files.unhashed),
    get('/:user/:index/simple', 'readers', alias.list),
    get('/:user/:index/simple/:project', 'readers', alias.page),
    get('/:user/:index/packages/:first/:second/:rest/:filename', 'readers', alias.file),
    // For mirroring tools that take nothing whose path does not begin with `/packages`.
    get('/packages/:user/:index/:first/:second/:rest/:filename', 'readers', alias.file),
    get('/simple', 'readers', alias.defaultList),
    get('/simple/:project', 'readers', alias.defaultPage),
    get('/packages/:first/:second/:rest/:filename', 'readers', alias.defaultFile),
    get('/:user/:index/pypi/:project/json', 'readers', json.ofIndex),
    get('/:user/:index/pypi/:project/:version/json', 'readers', json.ofIndex),
    get('/pypi/:project/json', 'readers', json.ofDefault),
    get('/pypi/:project/:version/json', 'readers', json.ofDefault),
    // No version begins with "+": the documentation of a project called "integrity" does there.
    get(
      '/:user/:index/integrity/:project/:version(^[^+/][^/]*)/:filename/provenance',
      'readers',
      integrityAnswer(services),
    ),
    post('/v1/query', 'everybody', advisories.query),
    post('/v1/querybatch', 'everybody', advisories.queryBatch),
    get('/v1/vulns/:id', 'everybody', advisories.one),
  ]
}

function uploaders(services: Services): Route[] {
  const upload = uploadAnswers(services)
  const removal = removalAnswers(services)
  const yanks = yankAnswers(services)
  const status = projectStatusAnswers(services)
  return [
    post('/:user/:index', 'uploaders', upload.upload),
    post('/legacy', 'uploaders', upload.legacy),
    post('/:user/:index/+f/:first/:second/:filename', 'testers', toxUploadAnswer(services)),
    del('/:user/:index/:project', 'keepers', removal.project),
    del('/:user/:index/:project/:version', 'keepers', removal.release),
    del('/:user/:index/+f/:first/:second/:filename', 'keepers', removal.file),
    del('/:user/:index/+e/:folder/:filename', 'keepers', removal.unhashedFile),
    post('/:user/:index/+yank', 'keepers', yanks.yank),
    post('/:user/:index/+unyank', 'keepers', yanks.unyank),
    get('/:user/:index/+status/:project', 'readers', status.read),
    put('/:user/:index/+status/:project', 'keepers', status.set),
  ]
}

function sessions(services: Services): Route[] {
  const session = sessionAnswers(services)
  const staged = stagedAnswers(services)
  return [
    post('/:user/:index/+upload', 'uploaders', session.open),
    get('/:user/:index/+upload/:session', 'uploaders', session.session),
    del('/:user/:index/+upload/:session', 'uploaders', session.cancel),
    post('/:user/:index/+upload/:session/extend', 'uploaders', session.extend),
    post('/:user/:index/+upload/:session/publish', 'uploaders', session.publish),
    post('/:user/:index/+upload/:session/files', 'uploaders', session.announce),
    get('/:user/:index/+upload/:session/files/:file', 'uploaders', session.file),
    del('/:user/:index/+upload/:session/files/:file', 'uploaders', session.drop),
    post('/:user/:index/+upload/:session/files/:file/content', 'uploaders', session.content),
    post('/:user/:index/+upload/:session/files/:file/attestations', 'uploaders', session.attestations),
    post('/:user/:index/+upload/:session/files/:file/complete', 'uploaders', session.complete),
    get('/:user/:index/+staged/:token/simple', 'previewers', staged.list),
    get('/:user/:index/+staged/:token/simple/:project', 'previewers', staged.page),
    get('/:user/:index/+staged/:token/files/:filename', 'previewers', staged.file),
  ]
}

function accounts(services: Services): Route[] {
  const account = accountAnswers(services)
  const groups = groupAnswers(services)
  const tokens = tokenAnswers(services)
  const publishers = publisherAnswers(services)
  const oidc = oidcAnswers(services)
  return [
    get('/+api', 'everybody', account.api),
    get('/:user/+api', 'everybody', account.api),
    get('/:user/:index/+api', 'everybody', account.indexApi),
    post('/+login', 'everybody', account.login),
    put('/:user', 'newcomers', account.createUser),
    patch('/:user', 'user', account.changeUser),
    del('/:user', 'owner', account.deleteUser),
    put('/:user/:index', 'owner', account.createIndex),
    patch('/:user/:index', 'owner', account.changeIndex),
    del('/:user/:index', 'owner', account.deleteIndex),
    get('/+groups', 'logged in', groups.list),
    put('/+groups/:group', 'root', groups.save),
    del('/+groups/:group', 'root', groups.remove),
    get('/:user/+tokens', 'user', tokens.list),
    post('/:user/+tokens', 'user', tokens.create),
    del('/:user/+tokens/:id', 'user', tokens.revoke),
    get('/:user/:index/+publishers', 'owner', publishers.list),
    post('/:user/:index/+publishers', 'owner', publishers.add),
    del('/:user/:index/+publishers/:id', 'owner', publishers.remove),
    get('/.well-known/pytp', 'everybody', oidc.discovery),
    get('/_/oidc/audience', 'everybody', oidc.audience),
    post('/_/oidc/mint-token', 'builds', oidc.mint),
    post('/_/oidc/burn-token', 'everybody', oidc.burn),
  ]
}

function people(services: Services): Route[] {
  const page = pageAnswers(services)
  const docs = documentationAnswers(services)
  const tox = toxResultAnswers(services)
  return [
    get('/', 'everybody', page.home),
    get('/+search', 'everybody', page.search),
    get('/+static/style.css', 'everybody', page.style),
    get('/:user', 'everybody', page.user),
    get('/:user/:index', 'readers', page.index),
    get('/:user/:index/:project', 'readers', page.project),
    post('/:user/:index/:project/refresh', 'readers', page.refresh),
    get('/:user/:index/:project/:version', 'readers', page.release),
    get('/:user/:index/:project/:version/+doc', 'readers', docs.file),
    get('/:user/:index/:project/:version/+doc/*', 'readers', docs.file),
    get('/:user/:index/:project/:version/+d', 'readers', docs.frame),
    get('/:user/:index/:project/:version/+d/*', 'readers', docs.frame),
    get('/:user/:index/:project/:version/+toxresults/:filename', 'readers', tox.list),
    get('/:user/:index/:project/:version/+toxresults/:filename/:result', 'readers', tox.one),
  ]
}

function operators(services: Services, served: () => readonly Route[]): Route[] {
  const operator = operatorAnswers(services)
  return [
    get('/+health', 'everybody', operator.health),
    get('/+status', 'everybody', operator.status),
    get('/+metrics', 'everybody', operator.metrics),
    get('/+changelog/:serial', 'nobody', operator.changelog),
    any('/+authcheck', 'everybody', authcheckAnswer(services, served)),
  ]
}
