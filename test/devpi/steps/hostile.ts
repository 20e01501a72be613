/** What no honest client sends. */
import { ask, type StepGroup } from '../step.ts'

const LONG = 'a'.repeat(3000)

export const HOSTILE: StepGroup = {
  name: 'hostile',
  steps: [
    ask('max is made', 'PUT /max', { json: { password: 'm' } }),
    ask('max logs in', 'POST /+login', { json: { user: 'max', password: 'm' } }),
    ask('an index', 'PUT /max/dev', { as: 'max', json: {} }),
    ask('a path upwards', 'GET /../../etc/passwd', { headers: { accept: '*/*' } }),
    ask('a path upwards in an address of files', 'GET /max/dev/+f/../../../etc/passwd', { headers: { accept: '*/*' } }),
    ask('a path upwards, escaped', 'GET /max/dev/+f/..%2f..%2f..%2fetc%2fpasswd', { headers: { accept: '*/*' } }),
    ask('a path upwards, escaped whole', 'GET /max/dev/+f/%2e%2e/%2e%2e/passwd', { headers: { accept: '*/*' } }),
    ask('a NUL in a user', 'GET /ma%00x'),
    ask('a NUL in a project', 'GET /max/dev/a%00b'),
    ask('a NUL in a filename', 'GET /max/dev/+f/000/0000000000000/a%00.zip', { headers: { accept: '*/*' } }),
    ask('bytes that are no UTF-8', 'GET /max/dev/%ff%fe'),
    ask('bytes that are no UTF-8, in a user', 'GET /%ff'),
    ask('a percent sign alone', 'GET /max/dev/100%'),
    ask('an emoji as a project', 'GET /max/dev/%F0%9F%9A%80'),
    ask('an emoji on a simple page', 'GET /max/dev/+simple/%F0%9F%9A%80/', { headers: { accept: '*/*' } }),
    ask('a long user', `GET /${LONG}`),
    ask('a long user is made', `PUT /${LONG}`, { json: { password: 'x' } }),
    ask('a long index', `PUT /max/${LONG}`, { as: 'max', json: {} }),
    ask('a long project', `GET /max/dev/${LONG}`),
    ask('a long project on a simple page', `GET /max/dev/+simple/${LONG}/`, { headers: { accept: '*/*' } }),
    ask('a long filename', `GET /max/dev/+f/000/0000000000000/${LONG}.zip`, { headers: { accept: '*/*' } }),
    ask('a user of two dots', 'PUT /..', { json: { password: 'x' } }),
    ask('a user of one dot', 'PUT /.', { json: { password: 'x' } }),
    ask('a user of escaped dots', 'PUT /%2e%2e', { json: { password: 'x' } }),
    ask('a user with an escaped slash', 'PUT /a%2fb', { json: { password: 'x' } }),
    ask('a user with a backslash', 'PUT /a%5Cb', { json: { password: 'x' } }),
    ask('a user with a line end', 'PUT /a%0d%0ab', { json: { password: 'x' } }),
    ask('a redirect with a line end', 'GET /max/dev/A%0d%0aSet-Cookie:x', { headers: { accept: '*/*' } }),
    ask('JSON that is deep', 'PUT /deep', { body: `${'['.repeat(500)}${']'.repeat(500)}` }),
    ask('JSON with a key twice', 'PUT /doubled', { body: '{"password": "a", "password": "b"}' }),
    ask('JSON with __proto__', 'PUT /proto', { body: '{"password": "a", "__proto__": {"title": "x"}}' }),
    ask('JSON with a NUL', 'PUT /nul', { json: { password: 'a', title: 'a\u0000b' } }),
    ask('JSON with half a character', 'PUT /half', { body: '{"password": "a", "title": "\\ud800"}' }),
    ask('JSON in latin-1', 'PUT /latin', {
      wire: 'PUT /latin HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nContent-Length: 18\r\nConnection: close\r\n\r\n{"password":"x"} \n',
    }),
    ask('JSON with NaN', 'PUT /max/nan', { as: 'max', body: '{"volatile": NaN}' }),
    ask('HTTP/1.0 without a host', 'GET /+api', { wire: 'GET /+api HTTP/1.0\r\nAccept: application/json\r\n\r\n' }),
    ask('HTTP/1.1 without a host', 'GET /+api', {
      wire: 'GET /+api HTTP/1.1\r\nAccept: application/json\r\nConnection: close\r\n\r\n',
    }),
    ask('an absolute address', 'GET http://server/+api', {
      wire: 'GET http://{host}/max HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n',
    }),
    ask('no request at all', 'HELLO', { wire: 'HELLO\r\n\r\n' }),
    ask('a header without a colon', 'GET /max', {
      wire: 'GET /max HTTP/1.1\r\nHost: {host}\r\nbroken\r\nConnection: close\r\n\r\n',
    }),
    ask('two lengths', 'PUT /max/two', {
      wire: 'PUT /max/two HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{} ',
    }),
    ask('a length and chunks', 'PUT /max/both', {
      wire: 'PUT /max/both HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
    }),
    ask('a body in chunks', 'POST /+login', {
      wire: 'POST /+login HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n10\r\n{"user": "max", \r\n11\r\n"password": "no"}\r\n0\r\n\r\n',
    }),
    ask('a request that expects to go on', 'POST /+login', {
      wire: 'POST /+login HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nExpect: 100-continue\r\nContent-Length: 32\r\nConnection: close\r\n\r\n{"user": "max","password": "no"}',
    }),
    ask('a long header', 'GET /max', { headers: { 'x-devpi-auth': 'a'.repeat(9000) } }),
    ask('a host with a script', 'GET /max/dev/+api', { headers: { host: '"><script>' } }),
    ask('an outside address that is none', 'GET /max/dev/+api', {
      headers: { 'x-outside-url': 'javascript:alert(1)' },
    }),
    ask('an empty outside address', 'GET /max/dev/+api', {
      wire: 'GET /max/dev/+api HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nX-Outside-Url: \r\nConnection: close\r\n\r\n',
    }),
    ask('SQL in a user', "GET /max'%20OR%201=1"),
    ask('a filename with a line end', 'POST /max/dev/', {
      as: 'max',
      headers: { accept: '*/*' },
      form: { ':action': 'file_upload', name: 'acme', version: '1.0' },
      file: { filename: 'acme-1.0\\r\\nX: y.zip', content: 'x' },
    }),
    ask('a version with a script', 'POST /max/dev/', {
      as: 'max',
      headers: { accept: '*/*' },
      form: { ':action': 'submit', name: 'acme', version: '"><script>alert(1)</script>' },
    }),
    ask('a name with a script', 'POST /max/dev/', {
      as: 'max',
      headers: { accept: '*/*' },
      form: { ':action': 'submit', name: '<script>', version: '1' },
    }),
    ask('an action with a line end', 'POST /max/dev/', {
      as: 'max',
      headers: { accept: '*/*' },
      form: { ':action': 'a\r\nX-Evil: 1', name: 'acme', version: '1' },
    }),
    ask('the index after all that', 'GET /max/dev'),
  ],
}
