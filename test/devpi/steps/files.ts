/** Files and test results at their addresses: `+f`, `+e`. */
import { ask, type Step, type StepGroup } from '../step.ts'

const ANYTHING = { accept: '*/*' }
const WHEEL = '{file:acme-1.0-py3-none-any.whl}'
const MAGNET = '{file:magnet-1.0-py3-none-any.whl}'
const RESULT = {
  testenvs: { py311: { python: { version: '3.11' }, test: [{ retcode: 0, command: ['x'], output: 'ok' }] } },
}

function upload(index: string, filename: string, name: string, version: string): Step {
  return ask(`${filename} goes to ${index}`, `POST /fay/${index}/`, {
    as: 'fay',
    headers: ANYTHING,
    form: { ':action': 'file_upload', name, version },
    file: filename,
  })
}

export const FILES: StepGroup = {
  name: 'files',
  steps: [
    ask('fay is made', 'PUT /fay', { json: { password: 'f' } }),
    ask('fay logs in', 'POST /+login', { json: { user: 'fay', password: 'f' } }),
    ask('fox is made', 'PUT /fox', { json: { password: 'f' } }),
    ask('fox logs in', 'POST /+login', { json: { user: 'fox', password: 'f' } }),
    ask('a mirror', 'PUT /fay/mirror', { as: 'fay', json: { type: 'mirror', mirror_url: '{upstream}/simple/' } }),
    ask('an index', 'PUT /fay/dev', { as: 'fay', json: { bases: 'fay/mirror' } }),
    ask('an index for tests of its owner', 'PUT /fay/strict', { as: 'fay', json: { acl_toxresult_upload: 'fay' } }),
    ask('an index for tests of who is known', 'PUT /fay/known', {
      as: 'fay',
      json: { acl_toxresult_upload: ':AUTHENTICATED:' },
    }),
    upload('dev', 'acme-1.0-py3-none-any.whl', 'acme', '1.0'),
    upload('dev', 'acme-1.0.tar.gz', 'acme', '1.0'),
    upload('strict', 'acme-1.0-py3-none-any.whl', 'acme', '1.0'),
    upload('known', 'acme-1.0-py3-none-any.whl', 'acme', '1.0'),
    // Reading
    ask('a wheel', `GET /fay/dev/${WHEEL}`, { headers: ANYTHING }),
    ask('a wheel by HEAD', `HEAD /fay/dev/${WHEEL}`, { headers: ANYTHING }),
    ask('a wheel without Accept', `GET /fay/dev/${WHEEL}`, { headers: { accept: '' } }),
    ask('a wheel for a browser', `GET /fay/dev/${WHEEL}`, { headers: { accept: 'text/html,*/*;q=0.8' } }),
    ask('a wheel for pip', `GET /fay/dev/${WHEEL}`, { headers: { ...ANYTHING, 'user-agent': 'pip/26.3' } }),
    ask('a wheel as JSON', `GET /fay/dev/${WHEEL}`),
    ask('a wheel with its digest behind it', `GET /fay/dev/${WHEEL}?sha256=1`, { headers: ANYTHING }),
    ask('a wheel with a slash', `GET /fay/dev/${WHEEL}/`, { headers: ANYTHING }),
    ask('an sdist', 'GET /fay/dev/{file:acme-1.0.tar.gz}', { headers: ANYTHING }),
    ask('part of a wheel', `GET /fay/dev/${WHEEL}`, { headers: { ...ANYTHING, range: 'bytes=0-3' } }),
    ask('part of a wheel that it does not have', `GET /fay/dev/${WHEEL}`, {
      headers: { ...ANYTHING, range: 'bytes=99999999-' },
    }),
    ask('the metadata file of a wheel', `GET /fay/dev/${WHEEL}.metadata`, { headers: ANYTHING }),
    ask('a file at the wrong hash', 'GET /fay/dev/+f/000/0000000000000/acme-1.0-py3-none-any.whl', {
      headers: ANYTHING,
    }),
    ask('a file at the wrong hash, as JSON', 'GET /fay/dev/+f/000/0000000000000/acme-1.0-py3-none-any.whl'),
    ask('a file at the wrong name', 'GET /fay/dev/+f/000/0000000000000/other-1.0.zip', { headers: ANYTHING }),
    ask('a file of no project', 'GET /fay/dev/+f/000/0000000000000/nothing', { headers: ANYTHING }),
    ask('a folder of files', 'GET /fay/dev/+f/', { headers: ANYTHING }),
    ask('a file one folder down', 'GET /fay/dev/+f/000/acme-1.0.zip', { headers: ANYTHING }),
    ask('a file four folders down', 'GET /fay/dev/+f/000/0/0/acme-1.0.zip', { headers: ANYTHING }),
    ask('a file of an index above it', `GET /fay/strict/${MAGNET}`, { headers: ANYTHING }),
    ask('a file of an unknown index', `GET /fay/none/${WHEEL}`, { headers: ANYTHING }),
    ask('a file without hash that is not there', 'GET /fay/mirror/+e/http_site.example_a/acme-1.0.zip', {
      headers: ANYTHING,
    }),
    ask('PUT of a file', `PUT /fay/dev/${WHEEL}`, { as: 'fay', body: 'x' }),
    ask('PATCH of a file', `PATCH /fay/dev/${WHEEL}`, { as: 'fay', json: {} }),
    // Files of a mirror
    ask('a file of a mirror whose page was never asked for', `GET /fay/mirror/${MAGNET}`, { headers: ANYTHING }),
    ask('the page of that file', 'GET /fay/mirror/+simple/magnet/', {
      headers: { 'user-agent': 'pip/26.3', accept: '*/*' },
    }),
    ask('a file of a mirror', `GET /fay/mirror/${MAGNET}`, { headers: ANYTHING }),
    ask('a file of a mirror as JSON', `GET /fay/mirror/${MAGNET}`),
    ask('a file of a mirror by HEAD', `HEAD /fay/mirror/${MAGNET}`, { headers: ANYTHING }),
    ask('a file of a mirror at an index above', `GET /fay/dev/${MAGNET}`, { headers: ANYTHING }),
    ask('a file that was not fetched yet, as JSON', 'GET /fay/mirror/{file:magnet-2.0-py3-none-any.whl}'),
    ask('the page of a file that upstream lost', 'GET /fay/mirror/+simple/lost/', {
      headers: { 'user-agent': 'pip/26.3' },
    }),
    ask('a file that upstream lost', 'GET /fay/mirror/{file:lost-1.0-py3-none-any.whl}', { headers: ANYTHING }),
    // Test results
    ask('a test result by a stranger', `POST /fay/dev/${WHEEL}`, {
      json: RESULT,
      keep: { name: 'tox', pattern: '(\\+f/[^"#]+)' },
    }),
    ask('a test result by fay', `POST /fay/dev/${WHEEL}`, { as: 'fay', json: { ...RESULT, second: true } }),
    ask('a test result for an sdist', 'POST /fay/dev/{file:acme-1.0.tar.gz}', { as: 'fay', json: {} }),
    ask('a test result that is a list', `POST /fay/dev/${WHEEL}`, { as: 'fay', json: [1, 2] }),
    ask('a test result that is a text', `POST /fay/dev/${WHEEL}`, { as: 'fay', json: 'fine' }),
    ask('a test result that is no JSON', `POST /fay/dev/${WHEEL}`, { as: 'fay', body: '{' }),
    ask('a test result without a body', `POST /fay/dev/${WHEEL}`, { as: 'fay' }),
    ask('a test result for an unknown file', 'POST /fay/dev/+f/000/0000000000000/acme-1.0.zip', {
      as: 'fay',
      json: {},
    }),
    ask('a test result for a test result', 'POST /fay/dev/{kept:tox}', { as: 'fay', json: {} }),
    ask('a test result for a file of a mirror', `POST /fay/mirror/${MAGNET}`, { as: 'fay', json: RESULT }),
    ask('a test result for a file that is inherited', `POST /fay/dev/${MAGNET}`, { as: 'fay', json: RESULT }),
    ask('a test result where strangers may not', `POST /fay/strict/${WHEEL}`, { json: RESULT }),
    ask('a test result where other users may not', `POST /fay/strict/${WHEEL}`, { as: 'fox', json: RESULT }),
    ask('a test result where the owner may', `POST /fay/strict/${WHEEL}`, { as: 'fay', json: RESULT }),
    ask('a test result where root may not', `POST /fay/strict/${WHEEL}`, { as: 'root', json: RESULT }),
    ask('a test result where users may', `POST /fay/known/${WHEEL}`, { as: 'fox', json: RESULT }),
    ask('a test result where strangers may not, known', `POST /fay/known/${WHEEL}`, { json: RESULT }),
    ask('a test result on an unknown index', `POST /fay/none/${WHEEL}`, { as: 'fay', json: RESULT }),
    ask('a test result, read', 'GET /fay/dev/{kept:tox}', { headers: ANYTHING }),
    ask('a test result, read as JSON', 'GET /fay/dev/{kept:tox}'),
    ask('a test result by HEAD', 'HEAD /fay/dev/{kept:tox}', { headers: ANYTHING }),
    ask('a release with test results', 'GET /fay/dev/acme/1.0'),
    ask('all test results of a file, for a browser', 'GET /fay/dev/acme/1.0/+toxresults/acme-1.0-py3-none-any.whl', {
      headers: { accept: 'text/html' },
    }),
    ask('test results of a file that is not there', 'GET /fay/dev/acme/1.0/+toxresults/none.whl', {
      headers: { accept: 'text/html' },
    }),
    ask('a page with test results', 'GET /fay/dev/+simple/acme/', { headers: { 'user-agent': 'pip/26.3' } }),
  ],
}
