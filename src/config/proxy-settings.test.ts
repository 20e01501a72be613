import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from '../model/errors.ts'
import { type Config, loadConfig } from './load.ts'

function load(flags: Readonly<Record<string, unknown>>): Config {
  return loadConfig({ flags, env: {}, cwd: '/' })
}

test('trustedProxy() is an address, how many proxies, and which headers', () => {
  assert.equal(load({}).trustedProxy, undefined)
  assert.deepEqual(load({ trusted_proxy: '10.0.0.1' }).trustedProxy, {
    address: '10.0.0.1',
    count: 1,
    headers: ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-prefix', 'x-forwarded-proto'],
  })
  const two = load({
    trusted_proxy: '*',
    trusted_proxy_count: '2',
    trusted_proxy_headers: 'X-Forwarded-Proto, x-forwarded-by',
  })
  assert.deepEqual(two.trustedProxy, { address: '*', count: 2, headers: ['x-forwarded-proto', 'x-forwarded-by'] })
  for (const address of ['localhost', '::1', '10.0.0.0/8', 'fd00::/8']) {
    assert.equal(load({ trusted_proxy: address }).trustedProxy?.address, address)
  }
})

for (const [flags, says] of [
  [{ trusted_proxy: 'proxy.example' }, /an IP address, a network such as 10\.0\.0\.0\/8, localhost, or \*/],
  [{ trusted_proxy: '10.0.0.0/33' }, /an IP address, a network/],
  [{ trusted_proxy: '10.0.0.0/8/8' }, /an IP address, a network/],
  [{ trusted_proxy_count: '2' }, /trusted_proxy_count without trusted_proxy/],
  [{ trusted_proxy_headers: 'x-forwarded-proto' }, /trusted_proxy_headers without trusted_proxy/],
  [{ trusted_proxy: '::1', trusted_proxy_count: '0' }, /a whole number from 1 to 100/],
  [{ trusted_proxy: '::1', trusted_proxy_headers: 'x-real-ip' }, /one or more of forwarded, x-forwarded-by/],
  [{ trusted_proxy: '::1', trusted_proxy_headers: 'forwarded,x-forwarded-for' }, /either forwarded or X-Forwarded/],
  [{ remote_user_header: 'X-Remote-User' }, /remote_user_header without the address of a trusted proxy/],
  [{ remote_user_header: 'X-Remote-User', trusted_proxy: '*' }, /without the address of a trusted proxy/],
  [{ remote_user_header: 'a b', trusted_proxy: '::1' }, /the name of a header/],
  [{ x_accel_redirect: '/+blobs/' }, /x_accel_redirect without trusted_proxy or unix_socket/],
  [{ x_accel_redirect: '/+blobs', trusted_proxy: '::1' }, /a path with a slash before and after it/],
  [{ allowed_hosts: 'https://index.example' }, /hosts without scheme and port/],
  [{ allowed_hosts: 'index.example:3141' }, /hosts without scheme and port/],
  [{ allowed_hosts: 'a.example,*' }, /hosts without scheme and port/],
  [{ allowed_hosts: 'a.*.example' }, /hosts without scheme and port/],
  [{ x_accel_redirect: '/a b/', trusted_proxy: '::1' }, /a path with a slash before and after it/],
] as const) {
  test(`loadConfig() refuses ${JSON.stringify(flags)}`, () => {
    assert.throws(
      () => load(flags),
      (error: Problem) => error.code === 'setting-invalid' && says.test(error.message),
    )
  })
}

test('remoteUserHeader() is kept in lower case', () => {
  assert.equal(load({ remote_user_header: 'X-Remote-User', trusted_proxy: '::1' }).remoteUserHeader, 'x-remote-user')
  assert.equal(load({ x_accel_redirect: '/+blobs/', unix_socket: 's' }).accelRedirect, '/+blobs/')
  assert.equal(load({}).accelRedirect, undefined)
})

test('allowedHosts() are in lower case and without brackets', () => {
  const { allowedHosts } = load({ allowed_hosts: 'A.Example, *.b.example, [2001:DB8::1], 10.0.0.1' })
  assert.deepEqual(allowedHosts, ['a.example', '*.b.example', '2001:db8::1', '10.0.0.1'])
  assert.equal(load({}).allowedHosts, undefined)
  assert.equal(load({ allowed_hosts: '' }).allowedHosts, undefined)
})
