/** Forms sent to an index: submit, file_upload and doc_upload, good and bad. */
import { ask, type Step, type StepGroup } from '../step.ts'

const INDEX = 'POST /ula/dev/'
/** What devpi-client and twine send as. */
const ANYTHING = { accept: '*/*' }

function upload(title: string, filename: string, form: Step['form'], more: Partial<Step> = {}): Step {
  return ask(title, INDEX, {
    as: 'ula',
    headers: ANYTHING,
    form: { ':action': 'file_upload', ...form },
    file: filename,
    ...more,
  })
}

const ACME = { name: 'acme', version: '1.0' }
/** For what devpi takes and Airlock refuses, so that the other indexes stay alike. */
const SPOILT = { request: 'POST /ula/spoilt/' }
const WHEEL = 'acme-1.0-py3-none-any.whl'

export const UPLOADS: StepGroup = {
  name: 'uploads',
  steps: [
    ask('ula is made', 'PUT /ula', { json: { password: 'u' } }),
    ask('ula logs in', 'POST /+login', { json: { user: 'ula', password: 'u' } }),
    ask('uma is made', 'PUT /uma', { json: { password: 'u' } }),
    ask('uma logs in', 'POST /+login', { json: { user: 'uma', password: 'u' } }),
    ask('a volatile index', 'PUT /ula/dev', { as: 'ula', json: {} }),
    ask('an index for what is spoilt', 'PUT /ula/spoilt', { as: 'ula', json: {} }),
    ask('an index that keeps', 'PUT /ula/prod', { as: 'ula', json: { volatile: false } }),
    ask('an index for everybody', 'PUT /ula/open', { as: 'ula', json: { acl_upload: ':ANONYMOUS:' } }),
    ask('an index for who is known', 'PUT /ula/known', { as: 'ula', json: { acl_upload: ':AUTHENTICATED:' } }),
    ask('a mirror', 'PUT /ula/mirror', { as: 'ula', json: { type: 'mirror', mirror_url: '{upstream}/simple/' } }),
    // Who may
    upload('an upload without credentials', WHEEL, ACME, { as: ':' }),
    ask('an upload without a header for credentials', INDEX, {
      headers: ANYTHING,
      form: { ':action': 'file_upload', ...ACME },
      file: WHEEL,
    }),
    upload('an upload with a wrong password', WHEEL, ACME, { as: 'ula:wrong' }),
    upload('an upload by another user', WHEEL, ACME, { as: 'uma' }),
    upload('an upload by root', WHEEL, ACME, { as: 'root' }),
    upload('an upload with a password', WHEEL, ACME, { as: 'ula:u' }),
    ask('an upload to an unknown index', 'POST /ula/none/', {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'file_upload', ...ACME },
      file: WHEEL,
    }),
    ask('an upload to a mirror', 'POST /ula/mirror/', {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'file_upload', ...ACME },
      file: WHEEL,
    }),
    ask('an upload to an index for everybody', 'POST /ula/open/', {
      headers: ANYTHING,
      form: { ':action': 'file_upload', ...ACME },
      file: WHEEL,
    }),
    ask('an upload to an index for who is known', 'POST /ula/known/', {
      as: 'uma',
      headers: ANYTHING,
      form: { ':action': 'file_upload', ...ACME },
      file: WHEEL,
    }),
    ask('an upload by a stranger to an index for who is known', 'POST /ula/known/', {
      headers: ANYTHING,
      form: { ':action': 'file_upload', ...ACME },
      file: 'acme-1.1-py3-none-any.whl',
    }),
    // How it is sent
    ask('an upload without a slash', 'POST /ula/dev', {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'file_upload', name: 'acme', version: '1.1' },
      file: 'acme-1.1-py3-none-any.whl',
    }),
    upload(
      'an upload that asks for JSON',
      'acme-2.0-py3-none-any.whl',
      { name: 'acme', version: '2.0' },
      { headers: {} },
    ),
    upload('an sdist', 'acme-1.0.tar.gz', ACME),
    upload('an upload with all metadata', 'glue-0.1-py3-none-any.whl', {
      name: 'Glue',
      version: '0.1',
      metadata_version: '2.1',
      summary: 'Sticks',
      home_page: 'http://glue.example/',
      author: 'A',
      author_email: 'a@glue.example',
      maintainer: 'M',
      maintainer_email: 'm@glue.example',
      license: 'MIT',
      description: 'Long',
      description_content_type: 'text/markdown',
      keywords: 'a b',
      platform: 'UNKNOWN',
      classifiers: ['Topic :: Glue', 'Topic :: More'],
      download_url: 'UNKNOWN',
      requires_dist: ['a>=1', 'b'],
      project_urls: ['Docs, http://glue.example/docs'],
      provides_extras: ['x', 'y'],
      requires_python: '',
      dynamic: ['Version'],
      license_expression: 'MIT',
      license_file: ['LICENSE'],
      filetype: 'bdist_wheel',
      pyversion: 'py3',
      protocol_version: '1',
      comment: 'C',
    }),
    ask('all metadata', 'GET /ula/dev/glue/0.1'),
    upload('the same file again', WHEEL, ACME),
    upload('another file of the same name', WHEEL, ACME, {
      file: { filename: WHEEL, archive: 'acme-other.whl' },
    }),
    ask('the metadata after both', 'GET /ula/dev/acme/1.0'),
    upload(
      'a name in another spelling',
      'Rocket_Skates-1.0-py3-none-any.whl',
      { name: 'Rocket.Skates', version: '1.0' },
      {
        file: 'rocket_skates-1.0-py3-none-any.whl',
      },
    ),
    upload('a wheel for one platform', 'rocket_skates-1.1-py3-none-linux_x86_64.whl', {
      name: 'rocket-skates',
      version: '1.1',
    }),
    upload('a local version', 'spring-1.0+local.1-py3-none-any.whl', { name: 'spring', version: '1.0+local.1' }),
    upload('a file with its digests', 'magnet-1.0-py3-none-any.whl', {
      name: 'magnet',
      version: '1.0',
      sha256_digest: '{sha256:magnet-1.0-py3-none-any.whl}',
      md5_digest: '{md5:magnet-1.0-py3-none-any.whl}',
    }),
    upload(
      'a file with a wrong sha256',
      'magnet-2.0-py3-none-any.whl',
      {
        name: 'magnet',
        version: '2.0',
        sha256_digest: '0'.repeat(64),
      },
      SPOILT,
    ),
    upload(
      'a file with a wrong md5',
      'magnet-2.0-py3-none-any.whl',
      {
        name: 'magnet',
        version: '2.0',
        md5_digest: '0'.repeat(32),
      },
      SPOILT,
    ),
    // What is refused
    upload('a file without its version', WHEEL, { name: 'acme', version: '3.0' }),
    upload('a file of another project', WHEEL, { name: 'anvil', version: '1.0' }),
    upload('a file that is no archive', 'acme-1.0.txt', ACME, { file: { filename: 'acme-1.0.txt', content: 'text' } }),
    upload('a file with no ending', 'acme-1.0', ACME, { file: { filename: 'acme-1.0', content: 'text' } }),
    upload('a file with a path', 'x', ACME, { file: { filename: '../../acme-1.0.tar.gz', content: 'text' } }),
    upload('a file with a Windows path', 'x', ACME, { file: { filename: 'C:\\tmp\\acme-1.0.zip', content: 'text' } }),
    upload('a file with an empty filename', 'x', ACME, { file: { filename: '', content: 'text' } }),
    upload('an empty file', 'x', ACME, { ...SPOILT, file: { filename: 'acme-1.0.zip', content: '' } }),
    upload('an egg', 'x', ACME, { file: { filename: 'acme-1.0-py2.7.egg', content: 'egg' } }),
    upload('an upload without a name', WHEEL, { version: '1.0' }),
    upload('an upload without a version', WHEEL, { name: 'acme' }),
    upload('an upload with an empty version', WHEEL, { name: 'acme', version: '' }),
    upload('an upload with an empty name', WHEEL, { name: '', version: '1.0' }),
    upload('a name with a space', WHEEL, { name: 'ac me', version: '1.0' }),
    upload('a name with a slash', WHEEL, { name: 'ac/me', version: '1.0' }),
    upload('a name that begins with a dash', WHEEL, { name: '-acme', version: '1.0' }),
    upload('a name with letters beyond ASCII', WHEEL, { name: 'äcme', version: '1.0' }),
    upload(
      'a version with a slash',
      'x',
      { name: 'acme', version: '1/0' },
      { ...SPOILT, file: { filename: 'acme-1/0.zip', content: 'zip' } },
    ),
    upload(
      'a version that is none',
      'x',
      { name: 'acme', version: 'latest-greatest' },
      {
        ...SPOILT,
        file: { filename: 'acme-latest-greatest.zip', content: 'zip' },
      },
    ),
    ask('an upload without a file', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'file_upload', ...ACME },
    }),
    ask('an upload with the content as a field', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'file_upload', ...ACME, content: 'text' },
    }),
    ask('a form without an action', INDEX, { as: 'ula', headers: ANYTHING, form: ACME, file: WHEEL }),
    ask('a form with an empty action', INDEX, { as: 'ula', headers: ANYTHING, form: { ':action': '', ...ACME } }),
    ask('a form with an unknown action', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'dance', ...ACME },
    }),
    ask('an unknown action, to a mirror', 'POST /ula/mirror/', {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'dance', ...ACME },
    }),
    ask('a form with a broken body', INDEX, {
      as: 'ula',
      headers: { ...ANYTHING, 'content-type': 'multipart/form-data; boundary=x' },
      body: '--x\r\nnothing',
    }),
    ask('a form without a boundary', INDEX, {
      as: 'ula',
      headers: { ...ANYTHING, 'content-type': 'multipart/form-data' },
      body: '--x--',
    }),
    ask('a form as XML', INDEX, { as: 'ula', headers: { ...ANYTHING, 'content-type': 'text/xml' }, body: '<a/>' }),
    ask('nothing at all', INDEX, { as: 'ula', headers: ANYTHING }),
    // An index that keeps
    ...['first', 'identical'].map((which) =>
      ask(`an upload to an index that keeps, ${which}`, 'POST /ula/prod/', {
        as: 'ula',
        headers: ANYTHING,
        form: { ':action': 'file_upload', ...ACME, summary: which },
        file: WHEEL,
      }),
    ),
    ask('an upload to an index that keeps, different', 'POST /ula/prod/', {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'file_upload', ...ACME, summary: 'different' },
      file: { filename: WHEEL, archive: 'acme-other.whl' },
    }),
    ask('what the index kept', 'GET /ula/prod/acme/1.0'),
    // Submit
    ask('a release submitted', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'submit', name: 'wile', version: '0.9', summary: 'S' },
    }),
    ask('a release submitted, shown', 'GET /ula/dev/wile/0.9'),
    ask('a release submitted again', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'submit', name: 'wile', version: '0.9', author: 'A' },
    }),
    ask('a release submitted again, shown', 'GET /ula/dev/wile/0.9'),
    ask('a release submitted as a simple form', INDEX, {
      as: 'ula',
      headers: { ...ANYTHING, 'content-type': 'application/x-www-form-urlencoded' },
      body: ':action=submit&name=wile&version=1.0',
    }),
    ask('a release submitted without a version', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'submit', name: 'wile' },
    }),
    ask('a release submitted without a name', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'submit', version: '1' },
    }),
    ask('a release with a wrong name submitted', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'submit', name: 'a b', version: '1' },
    }),
    ask('a release with a wrong version submitted', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'submit', name: 'wile', version: '<1>' },
    }),
    ask('a release submitted by another user', INDEX, {
      as: 'uma',
      headers: ANYTHING,
      form: { ':action': 'submit', name: 'wile', version: '2' },
    }),
    ask('a release submitted by a stranger', INDEX, {
      headers: ANYTHING,
      form: { ':action': 'submit', name: 'wile', version: '2' },
    }),
    ask('a release submitted by a stranger who asks for JSON', INDEX, {
      form: { ':action': 'submit', name: 'wile', version: '2' },
    }),
    ask('a release submitted to an index that keeps', 'POST /ula/prod/', {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'submit', ...ACME, summary: 'changed' },
    }),
    ask('a release that was submitted to an index that keeps', 'GET /ula/prod/acme/1.0'),
    // Documentation
    ask('documentation', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', ...ACME },
      file: 'acme-1.0.doc.zip',
    }),
    ask('documentation without a slash', 'POST /ula/dev', {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', name: 'acme', version: '1.1' },
      file: 'acme-1.1.doc.zip',
    }),
    ask('documentation without a version', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', name: 'glue' },
      file: 'glue.doc.zip',
    }),
    ask('documentation with an empty version', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', name: 'glue', version: '' },
      file: 'glue.doc.zip',
    }),
    ask('documentation of a release that is not there', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', name: 'acme', version: '7.0' },
      file: 'other.zip',
    }),
    ask('documentation of a project that is not there', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', name: 'nothing' },
      file: 'other.zip',
    }),
    ask('documentation without a name', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', version: '1' },
      file: 'other.zip',
    }),
    ask('documentation without a file', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', ...ACME },
    }),
    ask('documentation that is no zip', SPOILT.request, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', name: 'acme', version: '2.0' },
      file: { filename: 'acme.zip', content: 'no zip' },
    }),
    ask('documentation by another user', INDEX, {
      as: 'uma',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', ...ACME },
      file: 'other.zip',
    }),
    ask('documentation to a mirror', 'POST /ula/mirror/', {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', ...ACME },
      file: 'other.zip',
    }),
    ask('documentation replaced', INDEX, {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', ...ACME },
      file: 'other.zip',
    }),
    ...['first', 'identical'].map((which) =>
      ask(`documentation to an index that keeps, ${which}`, 'POST /ula/prod/', {
        as: 'ula',
        headers: ANYTHING,
        form: { ':action': 'doc_upload', ...ACME },
        file: 'acme-1.0.doc.zip',
      }),
    ),
    ask('documentation to an index that keeps, different', 'POST /ula/prod/', {
      as: 'ula',
      headers: ANYTHING,
      form: { ':action': 'doc_upload', ...ACME },
      file: 'other.zip',
    }),
    ask('documentation read', 'GET /ula/dev/acme/1.0/+doc/index.html', { headers: ANYTHING }),
    ask('documentation read at its root', 'GET /ula/dev/acme/1.0/+doc/', { headers: ANYTHING }),
    ask('documentation read without a slash', 'GET /ula/dev/acme/1.0/+doc', { headers: ANYTHING }),
    ask('documentation of the latest release', 'GET /ula/dev/acme/latest/+doc/index.html', { headers: ANYTHING }),
    ask('documentation of the stable release', 'GET /ula/dev/acme/stable/+doc/index.html', { headers: ANYTHING }),
    ask('a page that the documentation lacks', 'GET /ula/dev/acme/1.0/+doc/none.html', { headers: ANYTHING }),
    ask('documentation that is not there', 'GET /ula/dev/wile/0.9/+doc/index.html', { headers: ANYTHING }),
    ask('documentation in its frame', 'GET /ula/dev/acme/1.0/+d/index.html', { headers: { accept: 'text/html' } }),
    ask('a project with documentation', 'GET /ula/dev/acme'),
    ask('a project with documentation alone', 'GET /ula/dev/acme/7.0'),
    ask('the index after all uploads', 'GET /ula/dev'),
  ],
}
