/** What proxies, monitors and replicas ask, and the places that only some servers have. */
import { ask, type StepGroup } from '../step.ts'

export const OPERATORS: StepGroup = {
  name: 'operators',
  steps: [
    ask('ola is made', 'PUT /ola', { json: { password: 'o' } }),
    ask('ola logs in', 'POST /+login', { json: { user: 'ola', password: 'o' } }),
    ask('an index', 'PUT /ola/dev', { as: 'ola', json: {} }),
    ask('the status', 'GET /+status'),
    ask('the status for whoever takes anything', 'GET /+status', { headers: { accept: '*/*' } }),
    ask('the status for a browser', 'GET /+status', { headers: { accept: 'text/html' } }),
    ask('the status with a slash', 'GET /+status/'),
    ask('the status by POST', 'POST /+status', { json: {} }),
    ask('the status by HEAD', 'HEAD /+status'),
    ask('whether somebody may', 'GET /+authcheck'),
    ask('whether somebody may read the root', 'GET /+authcheck', { headers: { 'x-original-uri': '/' } }),
    ask('whether somebody may log in', 'GET /+authcheck', { headers: { 'x-original-uri': '{base}/+login' } }),
    ask('whether somebody may read an index', 'GET /+authcheck', { headers: { 'x-original-uri': '{base}/ola/dev' } }),
    ask('whether somebody may read an unknown index', 'GET /+authcheck', {
      headers: { 'x-original-uri': '{base}/ola/none' },
    }),
    ask('whether somebody may read a file', 'GET /+authcheck', {
      headers: { 'x-original-uri': '{base}/ola/dev/+f/000/0000000000000/a-1.zip' },
    }),
    ask('whether somebody may read what is nowhere', 'GET /+authcheck', {
      headers: { 'x-original-uri': '{base}/a/b/c/d/e/f' },
    }),
    ask('whether somebody with a token may', 'GET /+authcheck', {
      as: 'ola',
      headers: { 'x-original-uri': '{base}/ola/dev' },
    }),
    ask('whether somebody may, by POST', 'POST /+authcheck', { json: {} }),
    ask('the changelog', 'GET /+changelog/0'),
    ask('the changelog from here', 'GET /+changelog/0-'),
    ask('the changelog of no number', 'GET /+changelog/x'),
    ask('what to search by', 'GET /+searchhelp', { headers: { accept: 'text/html' } }),
    ask('a search', 'GET /+search?query=acme', { headers: { accept: 'text/html' } }),
    ask('a search for whoever takes anything', 'GET /+search?query=acme', { headers: { accept: '*/*' } }),
    ask('a search for nothing', 'GET /+search', { headers: { accept: 'text/html' } }),
    ask('a search on a page that is none', 'GET /+search?query=acme&page=x', { headers: { accept: 'text/html' } }),
    ask('a search as XML', 'POST /ola/dev/', {
      headers: { accept: 'text/xml', 'content-type': 'text/xml' },
      body: "<?xml version='1.0'?><methodCall><methodName>search</methodName><params/></methodCall>",
    }),
    ask('an address with a plus that nobody has', 'GET /+nothing'),
    ask('an address with a plus that nobody has, for a browser', 'GET /+nothing', { headers: { accept: 'text/html' } }),
    ask('an address with a plus that nobody has, at an index', 'GET /ola/dev/+nothing'),
    ask('an address with a plus that nobody has, at a user', 'GET /ola/+nothing'),
    ask('an address far down', 'GET /a/b/c/d/e/f'),
    ask('an address far down, for whoever takes anything', 'GET /a/b/c/d/e/f', { headers: { accept: '*/*' } }),
    ask('the icon', 'GET /favicon.ico', { headers: { accept: 'image/*' } }),
    ask('what robots may', 'GET /robots.txt', { headers: { accept: '*/*' } }),
    ask('two slashes', 'GET //', {}),
    ask('two slashes within', 'GET /ola//dev'),
    ask('two slashes at the end', 'GET /ola/dev//'),
  ],
}
