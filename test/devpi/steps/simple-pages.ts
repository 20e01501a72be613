/** The simple pages, as installers, browsers and programs ask for them. */
import { ask, type Step, type StepGroup } from '../step.ts'

const PIP = {
  'user-agent': 'pip/26.3 {"ci":null}',
  accept: 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01',
}
const OLD_PIP = { 'user-agent': 'pip/9.0.1 {"ci":null}', accept: '*/*' }
const UV = {
  'user-agent': 'uv/0.13.9 {}',
  accept: 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01',
}
const SETUPTOOLS = { 'user-agent': 'Python-urllib/3.11 setuptools/65.5.0', accept: '*/*' }
const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux) Gecko', accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const JSON_V1 = { accept: 'application/vnd.pypi.simple.v1+json' }

const ASKERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  pip: PIP,
  'an old pip': OLD_PIP,
  uv: UV,
  setuptools: SETUPTOOLS,
  'a browser': BROWSER,
  'a program that takes anything': { accept: '*/*' },
  'a program without Accept': { accept: '' },
  'a program that takes JSON v1': JSON_V1,
  'a program that takes HTML v1': { accept: 'application/vnd.pypi.simple.v1+html' },
  'a program that takes the latest JSON': { accept: 'application/vnd.pypi.simple.latest+json' },
  'a program that takes plain JSON': { accept: 'application/json' },
  'a program that takes images': { accept: 'image/png' },
  'a program that likes HTML more': { accept: 'application/vnd.pypi.simple.v1+json;q=0.5, text/html' },
}

function upload(index: string, filename: string, name: string, version: string, form: Step['form'] = {}): Step {
  return ask(`${filename} goes to ${index}`, `POST /sam/${index}/`, {
    as: 'sam',
    headers: { accept: '*/*' },
    form: { ':action': 'file_upload', name, version, ...form },
    file: filename,
  })
}

/** Every asker, at one address. */
function everybody(what: string, path: string): Step[] {
  return Object.entries(ASKERS).map(([who, headers]) => ask(`${what}, for ${who}`, `GET ${path}`, { headers }))
}

export const SIMPLE_PAGES: StepGroup = {
  name: 'simple-pages',
  steps: [
    ask('sam is made', 'PUT /sam', { json: { password: 's' } }),
    ask('sam logs in', 'POST /+login', { json: { user: 'sam', password: 's' } }),
    ask('a mirror', 'PUT /sam/mirror', { as: 'sam', json: { type: 'mirror', mirror_url: '{upstream}/simple/' } }),
    ask('a mirror that sends elsewhere', 'PUT /sam/external', {
      as: 'sam',
      json: { type: 'mirror', mirror_url: '{upstream}/simple/', mirror_use_external_urls: true },
    }),
    ask('an index', 'PUT /sam/dev', { as: 'sam', json: { bases: 'sam/mirror' } }),
    ask('an index alone', 'PUT /sam/alone', { as: 'sam', json: {} }),
    upload('dev', 'acme-1.0-py3-none-any.whl', 'acme', '1.0', { requires_python: '>=3.8' }),
    upload('dev', 'acme-1.1-py3-none-any.whl', 'acme', '1.1'),
    upload('dev', 'acme-1.0.tar.gz', 'acme', '1.0'),
    upload('dev', 'spring-1.0+local.1-py3-none-any.whl', 'spring', '1.0+local.1'),
    upload('alone', 'glue-0.1-py3-none-any.whl', 'glue', '0.1'),
    ask('a release without files', 'POST /sam/alone/', {
      as: 'sam',
      headers: { accept: '*/*' },
      form: { ':action': 'submit', name: 'empty', version: '1' },
    }),
    ask('the list of an empty mirror', 'GET /sam/mirror/+simple/', { headers: PIP }),
    ...everybody('the list', '/sam/alone/+simple/'),
    ...everybody('the list without a slash', '/sam/alone/+simple').slice(0, 7),
    ...everybody('the index itself', '/sam/alone/').slice(0, 8),
    ...everybody('the index itself, without a slash', '/sam/alone').slice(0, 8),
    ask('the list with bases, for pip', 'GET /sam/dev/+simple/', { headers: PIP }),
    ask('the list with bases, for a browser', 'GET /sam/dev/+simple/', { headers: BROWSER }),
    ask('the list by POST', 'POST /sam/dev/+simple/', { headers: PIP }),
    ask('the list by HEAD', 'HEAD /sam/alone/+simple/', { headers: PIP }),
    ask('the list of an unknown index', 'GET /sam/none/+simple/', { headers: PIP }),
    ask('the list of an unknown index, for an old pip', 'GET /sam/none/+simple/', { headers: OLD_PIP }),
    ...everybody('a project', '/sam/dev/+simple/acme/'),
    ...everybody('a project without a slash', '/sam/dev/+simple/acme').slice(0, 7),
    ...everybody('a project without simple', '/sam/dev/acme/').slice(0, 8),
    ...everybody('a project without simple and slash', '/sam/dev/acme').slice(0, 8),
    ask('a project in another spelling', 'GET /sam/dev/+simple/A.c_m-E/', { headers: PIP }),
    ask('a project in capitals, for pip', 'GET /sam/dev/+simple/ACME/', { headers: PIP }),
    ask('a project in capitals, for an old pip', 'GET /sam/dev/+simple/ACME/', { headers: OLD_PIP }),
    ask('a project in capitals, without a slash', 'GET /sam/dev/+simple/ACME', { headers: BROWSER }),
    ask('a project in capitals, without simple', 'GET /sam/dev/ACME/', { headers: PIP }),
    ask('a project with an escaped plus', 'GET /sam/dev/%2Bsimple/acme/', { headers: PIP }),
    ask('a project with absolute addresses', 'GET /sam/dev/+simple/acme/', {
      headers: { ...OLD_PIP, 'x-devpi-absolute-urls': '1' },
    }),
    ask('a project with absolute addresses, as JSON', 'GET /sam/dev/+simple/acme/', {
      headers: { ...PIP, 'x-devpi-absolute-urls': '1' },
    }),
    ask('a project with absolute addresses, from outside', 'GET /sam/dev/+simple/acme/', {
      headers: { ...PIP, 'x-devpi-absolute-urls': '1', 'x-outside-url': 'https://index.example/devpi' },
    }),
    ask('a project, from outside', 'GET /sam/dev/+simple/acme/', {
      headers: { ...PIP, 'x-outside-url': 'https://index.example/devpi' },
    }),
    ask('a project without a slash, from outside', 'GET /sam/dev/+simple/acme', {
      headers: { ...BROWSER, 'x-outside-url': 'https://index.example/devpi' },
    }),
    ask('a project by HEAD', 'HEAD /sam/dev/+simple/acme/', { headers: PIP }),
    ask('a project by POST', 'POST /sam/dev/+simple/acme/', { headers: PIP }),
    ask('a project by DELETE', 'DELETE /sam/dev/+simple/acme/', { as: 'sam' }),
    ask('a project without files', 'GET /sam/alone/+simple/empty/', { headers: PIP }),
    ask('a project with a local version', 'GET /sam/dev/+simple/spring/', { headers: OLD_PIP }),
    ask('a project that nobody has, for pip', 'GET /sam/dev/+simple/nothing/', { headers: PIP }),
    ask('a project that nobody has, for an old pip', 'GET /sam/dev/+simple/nothing/', { headers: OLD_PIP }),
    ask('a project that nobody has, for a browser', 'GET /sam/dev/+simple/nothing/', { headers: BROWSER }),
    ask('a project that nobody has, as JSON', 'GET /sam/dev/+simple/nothing/'),
    ask('a project that nobody has, without a slash', 'GET /sam/dev/+simple/nothing', { headers: BROWSER }),
    ask('a project of an unknown index', 'GET /sam/none/+simple/acme/', { headers: PIP }),
    ask('a project beyond ASCII', 'GET /sam/dev/+simple/%C3%A4cme/', { headers: PIP }),
    ask('a project beyond ASCII, as JSON', 'GET /sam/dev/+simple/%C3%A4cme/'),
    ask('a project with a space', 'GET /sam/dev/+simple/a%20b/', { headers: PIP }),
    ask('a project of dots', 'GET /sam/dev/+simple/.../', { headers: PIP }),
    ask('a project of the mirror, for pip', 'GET /sam/mirror/+simple/magnet/', { headers: PIP }),
    ask('a project of the mirror, for an old pip', 'GET /sam/mirror/+simple/magnet/', { headers: OLD_PIP }),
    ask('a project of the mirror, for a browser', 'GET /sam/mirror/+simple/magnet/', { headers: BROWSER }),
    ask('a project of the mirror, through bases', 'GET /sam/dev/+simple/magnet/', { headers: OLD_PIP }),
    ask('a project of the mirror, in another spelling', 'GET /sam/mirror/+simple/Magnet/', { headers: PIP }),
    ask('a project of the mirror that has no files', 'GET /sam/mirror/+simple/hollow/', { headers: PIP }),
    ask('a project of the mirror that is yanked', 'GET /sam/mirror/+simple/catapult/', { headers: OLD_PIP }),
    ask('a project of the mirror that cannot be had', 'GET /sam/mirror/+simple/broken/', { headers: PIP }),
    ask('a project of the mirror that cannot be had, through bases', 'GET /sam/dev/+simple/broken/', { headers: PIP }),
    ask('a project that the mirror lacks', 'GET /sam/mirror/+simple/nothing/', { headers: PIP }),
    ask('a project of a mirror that sends elsewhere', 'GET /sam/external/+simple/magnet/', { headers: OLD_PIP }),
    ask('a file of a mirror that sends elsewhere', 'GET /sam/external/{file:magnet-1.0-py3-none-any.whl}', {
      headers: { accept: '*/*' },
    }),
    // Refreshing
    ask('a refresh', 'POST /sam/mirror/+simple/magnet/refresh', { headers: { accept: '*/*' } }),
    ask('a refresh through bases', 'POST /sam/dev/+simple/magnet/refresh'),
    ask('a refresh where there is no mirror', 'POST /sam/alone/+simple/glue/refresh'),
    ask('a refresh of what nobody has', 'POST /sam/mirror/+simple/nothing/refresh'),
    ask('a refresh of what cannot be had', 'POST /sam/mirror/+simple/broken/refresh'),
    ask('a refresh in another spelling', 'POST /sam/mirror/+simple/Magnet/refresh'),
    ask('a refresh by GET', 'GET /sam/mirror/+simple/magnet/refresh'),
    ask('a refresh on an unknown index', 'POST /sam/none/+simple/magnet/refresh'),
    ask('a project after the refresh', 'GET /sam/mirror/+simple/magnet/', { headers: PIP }),
  ],
}
