/** Releases pushed to another index: here, and elsewhere. */
import { ask, type Step, type StepGroup } from '../step.ts'

const ANYTHING = { accept: '*/*' }
const ELSEWHERE = { username: 'user', password: 'secret' }

function upload(index: string, filename: string, form: Step['form']): Step {
  return ask(`${filename} goes to ${index}`, `POST /pat/${index}/`, {
    as: 'pat',
    headers: ANYTHING,
    form: { ':action': 'file_upload', ...form },
    file: filename,
  })
}

function push(title: string, json: unknown, more: Partial<Step> = {}): Step {
  return ask(title, more.request ?? 'PUSH /pat/dev', { as: 'pat', json, ...more })
}

const ACME = { name: 'acme', version: '1.0' }

export const PUSH: StepGroup = {
  name: 'push',
  steps: [
    ask('pat is made', 'PUT /pat', { json: { password: 'p' } }),
    ask('pat logs in', 'POST /+login', { json: { user: 'pat', password: 'p' } }),
    ask('pam is made', 'PUT /pam', { json: { password: 'p' } }),
    ask('pam logs in', 'POST /+login', { json: { user: 'pam', password: 'p' } }),
    ask('where from', 'PUT /pat/dev', { as: 'pat', json: {} }),
    ask('where to', 'PUT /pat/prod', { as: 'pat', json: { volatile: false } }),
    ask('where to, second', 'PUT /pat/test', { as: 'pat', json: {} }),
    ask('where to, third', 'PUT /pat/docs', { as: 'pat', json: {} }),
    ask('where to, of another', 'PUT /pam/prod', { as: 'pam', json: {} }),
    ask('a mirror', 'PUT /pat/mirror', { as: 'pat', json: { type: 'mirror', mirror_url: '{upstream}/simple/' } }),
    ask('above the first', 'PUT /pat/above', { as: 'pat', json: { bases: ['pat/dev', 'pat/mirror'] } }),
    upload('dev', 'acme-1.0-py3-none-any.whl', { ...ACME, summary: 'Anvils', classifiers: ['A', 'B'] }),
    upload('dev', 'acme-1.0.tar.gz', ACME),
    upload('dev', 'acme-1.1-py3-none-any.whl', { name: 'acme', version: '1.1' }),
    upload('dev', 'glue-0.2-py3-none-any.whl', { name: 'glue', version: '0.2' }),
    ask('documentation', 'POST /pat/dev/', {
      as: 'pat',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', ...ACME },
      file: 'acme-1.0.doc.zip',
    }),
    ask('a test result', 'POST /pat/dev/{file:acme-1.0-py3-none-any.whl}', { json: { testenvs: {} } }),
    ask('a release without files', 'POST /pat/dev/', {
      as: 'pat',
      headers: ANYTHING,
      form: { ':action': 'submit', name: 'empty', version: '1' },
    }),
    // Here
    push('a release', { ...ACME, targetindex: 'pat/prod' }),
    ask('a release that was pushed', 'GET /pat/prod/acme/1.0'),
    ask('a page after the push', 'GET /pat/prod/+simple/acme/', { headers: { 'user-agent': 'pip/26.3', ...ANYTHING } }),
    push('a release again', { ...ACME, targetindex: 'pat/prod' }),
    push('a release to an index that may change', { ...ACME, targetindex: 'pat/test' }),
    push('a release to an index that may change, again', { ...ACME, targetindex: 'pat/test' }),
    ask('a release that was pushed twice', 'GET /pat/test/acme/1.0'),
    push(
      'a release with a slash',
      { name: 'acme', version: '1.1', targetindex: 'pat/test' },
      { request: 'PUSH /pat/dev/' },
    ),
    push('a release by POST', { name: 'acme', version: '1.1', targetindex: 'pat/prod' }, { request: 'POST /pat/dev' }),
    push(
      'a release by POST with a slash',
      { name: 'glue', version: '0.2', targetindex: 'pat/prod' },
      { request: 'POST /pat/dev/' },
    ),
    push('a release in another spelling', { name: 'Glue', version: '0.2', targetindex: 'pat/test' }),
    push('a release to the index it is on', { name: 'glue', version: '0.2', targetindex: 'pat/dev' }),
    push('a release without documentation', { ...ACME, targetindex: 'pam/prod', no_docs: true }, { as: 'pam' }),
    push('documentation alone', { ...ACME, targetindex: 'pat/docs', only_docs: true }),
    ask('documentation alone, shown', 'GET /pat/docs/acme/1.0'),
    push('documentation alone, where there is none', {
      name: 'glue',
      version: '0.2',
      targetindex: 'pat/docs',
      only_docs: true,
    }),
    push('no documentation and nothing else', { ...ACME, targetindex: 'pat/docs', only_docs: true, no_docs: true }),
    push('a release for another user', { ...ACME, targetindex: 'pam/prod' }),
    push('a release by a stranger', { ...ACME, targetindex: 'pat/prod' }, { as: ':' }),
    push('a release by a user who may not', { ...ACME, targetindex: 'pat/prod' }, { as: 'pam' }),
    push('a release that is not there', { name: 'acme', version: '9.0', targetindex: 'pat/prod' }),
    push('a project that is not there', { name: 'nothing', version: '1.0', targetindex: 'pat/prod' }),
    push('a release without files, pushed', { name: 'empty', version: '1', targetindex: 'pat/prod' }),
    push('to an index that is not there', { ...ACME, targetindex: 'pat/none' }),
    push('to no index', { ...ACME, targetindex: 'pat' }),
    push('to an index with three parts', { ...ACME, targetindex: 'pat/prod/more' }),
    push('to a mirror', { ...ACME, targetindex: 'pat/mirror' }),
    push('to an empty text', { ...ACME, targetindex: '' }),
    push('to a number', { ...ACME, targetindex: 3 }),
    push('with an unknown option', { ...ACME, targetindex: 'pat/prod', colour: 'red' }),
    push('with two unknown options', { ...ACME, targetindex: 'pat/prod', colour: 'red', age: 3 }),
    push('without a name', { version: '1.0', targetindex: 'pat/prod' }),
    push('without a version', { name: 'acme', targetindex: 'pat/prod' }),
    push('with nothing', {}),
    push('with a list', []),
    push('from an index that is not there', { ...ACME, targetindex: 'pat/prod' }, { request: 'PUSH /pat/none' }),
    push('from an index above', { ...ACME, targetindex: 'pat/test' }, { request: 'PUSH /pat/above' }),
    ask('a push that is no JSON', 'PUSH /pat/dev', { as: 'pat', body: 'name=acme' }),
    ask('a push without a body', 'PUSH /pat/dev', { as: 'pat' }),
    ask('the page of a mirror', 'GET /pat/mirror/+simple/magnet/', { headers: { 'user-agent': 'pip/26.3' } }),
    push(
      'a release of a mirror',
      { name: 'magnet', version: '1.0', targetindex: 'pat/test' },
      { request: 'PUSH /pat/mirror' },
    ),
    ask('a release of a mirror that was pushed', 'GET /pat/test/magnet/1.0?ignore_bases='),
    push(
      'a release of a mirror that is not there',
      { name: 'magnet', version: '9', targetindex: 'pat/test' },
      { request: 'PUSH /pat/mirror' },
    ),
    // Elsewhere
    push('a release elsewhere', { ...ACME, posturl: '{external}/', ...ELSEWHERE }),
    push('a release elsewhere, registered first', {
      ...ACME,
      posturl: '{external}/',
      ...ELSEWHERE,
      register_project: true,
    }),
    push('a release elsewhere, without documentation', {
      ...ACME,
      posturl: '{external}/',
      ...ELSEWHERE,
      no_docs: true,
    }),
    push('documentation alone elsewhere', { ...ACME, posturl: '{external}/', ...ELSEWHERE, only_docs: true }),
    push('a release elsewhere that says 201', {
      name: 'acme',
      version: '1.1',
      posturl: '{external}/status/201/',
      ...ELSEWHERE,
      register_project: true,
    }),
    push('a release elsewhere that refuses', { ...ACME, posturl: '{external}/status/403/', ...ELSEWHERE }),
    push('a release elsewhere that refuses to register', {
      ...ACME,
      posturl: '{external}/status/400/',
      ...ELSEWHERE,
      register_project: true,
    }),
    push('a release elsewhere that registers no more', {
      ...ACME,
      posturl: '{external}/status/410/',
      ...ELSEWHERE,
      register_project: true,
    }),
    push('a release elsewhere that has it', { ...ACME, posturl: '{external}/status/409/', ...ELSEWHERE }),
    push('a release elsewhere that nobody serves', {
      name: 'acme',
      version: '1.1',
      posturl: 'http://127.0.0.1:9/',
      ...ELSEWHERE,
    }),
    push('a release elsewhere that nobody serves, registered first', {
      name: 'acme',
      version: '1.1',
      posturl: 'http://127.0.0.1:9/',
      ...ELSEWHERE,
      register_project: true,
    }),
    push(
      'a release elsewhere, by a stranger',
      { name: 'acme', version: '1.1', posturl: '{external}/', ...ELSEWHERE },
      { as: ':' },
    ),
    push('a release elsewhere without credentials', { name: 'acme', version: '1.1', posturl: '{external}/' }),
    push('a release elsewhere without an address', { name: 'acme', version: '1.1', ...ELSEWHERE }),
    push('a release elsewhere that is not there', { name: 'acme', version: '9', posturl: '{external}/', ...ELSEWHERE }),
    push(
      'a release of a mirror elsewhere',
      { name: 'magnet', version: '1.0', posturl: '{external}/', ...ELSEWHERE },
      { request: 'PUSH /pat/mirror' },
    ),
  ],
}
