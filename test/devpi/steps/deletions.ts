/** Files, versions and projects removed, from indexes that change and from those that keep; what is said afterwards. */
import { ask, type Step, type StepGroup } from '../step.ts'

const ANYTHING = { accept: '*/*' }

function upload(index: string, filename: string, name: string, version: string, title?: string): Step {
  return ask(title ?? `${filename} goes to ${index}`, `POST /dan/${index}/`, {
    as: 'dan',
    headers: ANYTHING,
    form: { ':action': 'file_upload', name, version },
    file: filename,
  })
}

export const DELETIONS: StepGroup = {
  name: 'deletions',
  steps: [
    ask('dan is made', 'PUT /dan', { json: { password: 'd' } }),
    ask('dan logs in', 'POST /+login', { json: { user: 'dan', password: 'd' } }),
    ask('dot is made', 'PUT /dot', { json: { password: 'd' } }),
    ask('dot logs in', 'POST /+login', { json: { user: 'dot', password: 'd' } }),
    ask('an index', 'PUT /dan/dev', { as: 'dan', json: {} }),
    ask('an index that keeps', 'PUT /dan/prod', { as: 'dan', json: { volatile: false } }),
    ask('an index that dot may fill', 'PUT /dan/shared', { as: 'dan', json: { acl_upload: 'dot' } }),
    ask('a mirror', 'PUT /dan/mirror', { as: 'dan', json: { type: 'mirror', mirror_url: '{upstream}/simple/' } }),
    ask('an index above', 'PUT /dan/above', { as: 'dan', json: { bases: ['dan/dev', 'dan/mirror'] } }),
    upload('dev', 'acme-1.0-py3-none-any.whl', 'acme', '1.0'),
    upload('dev', 'acme-1.0.tar.gz', 'acme', '1.0'),
    upload('dev', 'acme-1.1-py3-none-any.whl', 'acme', '1.1'),
    upload('dev', 'glue-0.1-py3-none-any.whl', 'glue', '0.1'),
    upload('dev', 'glue-0.2-py3-none-any.whl', 'glue', '0.2'),
    upload('dev', 'rocket_skates-1.0-py3-none-any.whl', 'Rocket_Skates', '1.0'),
    upload('prod', 'acme-1.0-py3-none-any.whl', 'acme', '1.0'),
    upload('prod', 'acme-1.1-py3-none-any.whl', 'acme', '1.1'),
    upload('prod', 'glue-0.1-py3-none-any.whl', 'glue', '0.1'),
    ask('dot fills the shared index', 'POST /dan/shared/', {
      as: 'dot',
      headers: ANYTHING,
      form: { ':action': 'file_upload', name: 'acme', version: '1.0' },
      file: 'acme-1.0-py3-none-any.whl',
    }),
    ask('documentation', 'POST /dan/dev/', {
      as: 'dan',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', name: 'acme', version: '1.0' },
      file: 'acme-1.0.doc.zip',
    }),
    ask('a test result', 'POST /dan/dev/{file:acme-1.0-py3-none-any.whl}', {
      json: { testenvs: {} },
      keep: { name: 'danstox', pattern: '(\\+f/[^"#]+)' },
    }),
    // Files
    ask('a file by a stranger', 'DELETE /dan/dev/{file:acme-1.0-py3-none-any.whl}'),
    ask('a file by another user', 'DELETE /dan/dev/{file:acme-1.0-py3-none-any.whl}', { as: 'dot' }),
    ask('a file by a stranger who does not ask for JSON', 'DELETE /dan/dev/{file:acme-1.0-py3-none-any.whl}', {
      headers: ANYTHING,
    }),
    ask('a file', 'DELETE /dan/dev/{file:acme-1.0-py3-none-any.whl}', { as: 'dan' }),
    ask('a file that was removed', 'GET /dan/dev/{file:acme-1.0-py3-none-any.whl}', { headers: ANYTHING }),
    ask('a file that was removed, as JSON', 'GET /dan/dev/{file:acme-1.0-py3-none-any.whl}'),
    ask('a file that was removed, by HEAD', 'HEAD /dan/dev/{file:acme-1.0-py3-none-any.whl}', { headers: ANYTHING }),
    ask('a file that was removed is removed', 'DELETE /dan/dev/{file:acme-1.0-py3-none-any.whl}', { as: 'dan' }),
    ask('the test result of a file that was removed', 'GET /dan/dev/{kept:danstox}', { headers: ANYTHING }),
    ask('a test result for a file that was removed', 'POST /dan/dev/{file:acme-1.0-py3-none-any.whl}', { json: {} }),
    ask('a release that lost a file', 'GET /dan/dev/acme/1.0'),
    ask('a page that lost a file', 'GET /dan/dev/+simple/acme/', {
      headers: { 'user-agent': 'pip/26.3', ...ANYTHING },
    }),
    upload('dev', 'acme-1.0-py3-none-any.whl', 'acme', '1.0', 'a file that was removed goes there again'),
    ask('a file that was removed and came again', 'GET /dan/dev/{file:acme-1.0-py3-none-any.whl}', {
      headers: ANYTHING,
    }),
    ask('a file that is not there', 'DELETE /dan/dev/+f/000/0000000000000/acme-1.0.zip', { as: 'dan' }),
    ask('a file that is not there, without JSON', 'DELETE /dan/dev/+f/000/0000000000000/acme-1.0.zip', {
      as: 'dan',
      headers: ANYTHING,
    }),
    ask('a file without hash that is not there', 'DELETE /dan/mirror/+e/http_a/acme-1.0.zip', { as: 'dan' }),
    ask('a file by its uploader', 'DELETE /dan/shared/{file:acme-1.0-py3-none-any.whl}', { as: 'dot' }),
    ask('a file of an index that keeps', 'DELETE /dan/prod/{file:acme-1.0-py3-none-any.whl}', { as: 'dan' }),
    ask('a file of an index that keeps, without JSON', 'DELETE /dan/prod/{file:acme-1.0-py3-none-any.whl}', {
      as: 'dan',
      headers: ANYTHING,
    }),
    ask('a file of an index that keeps, with force', 'DELETE /dan/prod/{file:acme-1.0-py3-none-any.whl}?force=', {
      as: 'dan',
    }),
    ask('the last file of a version', 'DELETE /dan/dev/{file:glue-0.2-py3-none-any.whl}', { as: 'dan' }),
    ask('a version without files', 'GET /dan/dev/glue/0.2'),
    ask('a project that lost a version', 'GET /dan/dev/glue'),
    ask('a file by root', 'DELETE /dan/dev/{file:glue-0.1-py3-none-any.whl}', { as: 'root' }),
    ask('a project that lost its last file', 'GET /dan/dev/glue'),
    ask('a page of a project that lost its last file', 'GET /dan/dev/+simple/glue/', {
      headers: { 'user-agent': 'pip/26.3', ...ANYTHING },
    }),
    ask('the names after that', 'GET /dan/dev'),
    // Versions
    ask('a version by a stranger', 'DELETE /dan/dev/acme/1.1'),
    ask('a version by another user', 'DELETE /dan/dev/acme/1.1', { as: 'dot' }),
    ask('a version that is not there', 'DELETE /dan/dev/acme/9.0', { as: 'dan' }),
    ask('a version of a project that is not there', 'DELETE /dan/dev/nothing/1.0', { as: 'dan' }),
    ask('a version', 'DELETE /dan/dev/acme/1.1', { as: 'dan' }),
    ask('a version that was removed', 'GET /dan/dev/acme/1.1'),
    ask('a version that was removed is removed', 'DELETE /dan/dev/acme/1.1', { as: 'dan' }),
    ask('a file of a version that was removed', 'GET /dan/dev/{file:acme-1.1-py3-none-any.whl}', { headers: ANYTHING }),
    ask('a version with a slash', 'DELETE /dan/dev/Rocket.Skates/1.0/', { as: 'dan' }),
    ask('a project whose last version was removed', 'GET /dan/dev/rocket-skates'),
    ask('a version of an index that keeps', 'DELETE /dan/prod/acme/1.1', { as: 'dan' }),
    ask('a version of an index that keeps, without JSON', 'DELETE /dan/prod/acme/1.1', {
      as: 'dan',
      headers: ANYTHING,
    }),
    ask('a version of an index that keeps, with force', 'DELETE /dan/prod/acme/1.1?force=', { as: 'dan' }),
    ask('a version that is inherited', 'DELETE /dan/above/acme/1.0', { as: 'dan' }),
    ask('a version of an unknown index', 'DELETE /dan/none/acme/1.0', { as: 'dan' }),
    // Projects
    ask('a project by a stranger', 'DELETE /dan/dev/acme'),
    ask('a project by a stranger, without JSON', 'DELETE /dan/dev/acme', { headers: ANYTHING }),
    ask('a project by another user', 'DELETE /dan/dev/acme', { as: 'dot' }),
    ask('a project that is not there', 'DELETE /dan/dev/nothing', { as: 'dan' }),
    ask('a project that is not there, on an index that keeps', 'DELETE /dan/prod/nothing', { as: 'dan' }),
    ask('a project of an index that keeps', 'DELETE /dan/prod/glue', { as: 'dan' }),
    ask('a project of an index that keeps, with force', 'DELETE /dan/prod/glue?force=', { as: 'dan' }),
    ask('a project', 'DELETE /dan/dev/acme', { as: 'dan' }),
    ask('a project that was removed', 'GET /dan/dev/acme'),
    ask('a project that was removed is removed', 'DELETE /dan/dev/acme', { as: 'dan' }),
    ask('a page of a project that was removed', 'GET /dan/dev/+simple/acme/', {
      headers: { 'user-agent': 'pip/26.3', ...ANYTHING },
    }),
    ask('a file of a project that was removed', 'GET /dan/dev/{file:acme-1.0.tar.gz}', { headers: ANYTHING }),
    upload('dev', 'acme-2.0-py3-none-any.whl', 'acme', '2.0', 'a project that was removed comes again'),
    ask('a project in another spelling', 'DELETE /dan/dev/ACME', { as: 'dan' }),
    ask('a project with a slash', 'DELETE /dan/dev/acme/', { as: 'dan' }),
    // A mirror
    ask('the page of a mirror', 'GET /dan/mirror/+simple/magnet/', { headers: { 'user-agent': 'pip/26.3' } }),
    ask('a file of the mirror is fetched', 'GET /dan/mirror/{file:magnet-1.0-py3-none-any.whl}', { headers: ANYTHING }),
    ask('a file of a mirror by a stranger', 'DELETE /dan/mirror/{file:magnet-1.0-py3-none-any.whl}'),
    ask('a file of a mirror', 'DELETE /dan/mirror/{file:magnet-1.0-py3-none-any.whl}', { as: 'dan' }),
    ask('a file of a mirror that was removed', 'GET /dan/mirror/{file:magnet-1.0-py3-none-any.whl}', {
      headers: ANYTHING,
    }),
    ask('a version of a mirror', 'DELETE /dan/mirror/magnet/2.0', { as: 'dan' }),
    ask('a project of a mirror', 'DELETE /dan/mirror/magnet', { as: 'dan' }),
    ask('a project of a mirror that was removed', 'GET /dan/mirror/magnet'),
    ask('a project that a mirror lacks', 'DELETE /dan/mirror/nothing', { as: 'dan' }),
    // The whole
    ask('an index with files', 'DELETE /dan/shared', { as: 'dan' }),
    ask('an index that was removed', 'GET /dan/shared'),
    ask('a file of an index that was removed', 'GET /dan/shared/{file:acme-1.0-py3-none-any.whl}', {
      headers: ANYTHING,
    }),
    ask('an index that was removed is made again', 'PUT /dan/shared', { as: 'dan', json: {} }),
    ask('an index that was removed is empty', 'GET /dan/shared'),
    ask('an index that keeps is made to change', 'PATCH /dan/prod', { as: 'dan', json: ['volatile=yes'] }),
    ask('a user with all indexes', 'DELETE /dan', { as: 'dan' }),
    ask('an index of a user that was removed', 'GET /dan/dev'),
    ask('a file of a user that was removed', 'GET /dan/dev/{file:acme-2.0-py3-none-any.whl}', { headers: ANYTHING }),
  ],
}
