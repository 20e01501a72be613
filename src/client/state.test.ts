import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClientState } from './state.ts'

const ENDPOINTS = {
  login: 'http://h:3141/+login',
  index: 'http://h:3141/root/prod',
  simpleindex: 'http://h:3141/root/prod/+simple/',
  pypisubmit: 'http://h:3141/root/prod/',
  features: ['server-keyvalue-parsing'],
}

async function inFolder(
  run: (paths: { auth: string; current: string }, folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'client-state-'))
  try {
    await run({ auth: join(folder, 'auth.json'), current: join(folder, 'current.json') }, folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test("ClientState writes devpi's files, byte for byte, for their owner alone", async () => {
  await inFolder(async (paths, folder) => {
    const state = await ClientState.read(paths)
    await state.setEndpoints(ENDPOINTS)
    await state.addLogin('root', 'töken')
    assert.equal(
      readFileSync(paths.auth, 'utf8'),
      '{\n  "auth": {\n    "http://h:3141/": [\n      [\n        "root",\n        "t\\u00f6ken"\n      ]\n    ]\n  }\n}',
    )
    assert.deepEqual(JSON.parse(readFileSync(paths.current, 'utf8')), { ...ENDPOINTS, username: 'root' })
    for (const path of Object.values(paths)) assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(folder).toSorted(), ['auth.json', 'current.json'])
  })
})

test('ClientState keeps keys that it does not know, and takes logins out of a very old current.json', async () => {
  await inFolder(async (paths) => {
    writeFileSync(paths.current, '{"of_tomorrow": 1, "auth": {"x": []}}')
    const state = await ClientState.read(paths)
    await state.setUser('bob')
    assert.deepEqual(JSON.parse(readFileSync(paths.current, 'utf8')), { of_tomorrow: 1, username: 'bob' })
  })
})

test('ClientState does not write over a file that it cannot read', async () => {
  await inFolder(async (paths) => {
    writeFileSync(paths.auth, '{broken')
    await assert.rejects(ClientState.read(paths), /is not JSON/)
    assert.equal(readFileSync(paths.auth, 'utf8'), '{broken')
  })
})

test('ClientState keeps logins for each server and user, the last one first', async () => {
  await inFolder(async (paths) => {
    const state = await ClientState.read(paths)
    await state.setEndpoints(ENDPOINTS)
    for (const user of ['bob', 'root', 'alice']) await state.addLogin(user, `${user}-token`)
    const logins = JSON.parse(readFileSync(paths.auth, 'utf8')).auth['http://h:3141/']
    assert.deepEqual(
      logins.map(([user]: [string]) => user),
      ['alice', 'bob', 'root'],
    )
    assert.deepEqual(state.loginFor(), ['alice', 'alice-token'])
    assert.equal(state.loginFor(new URL('http://other:3141/')), undefined)
    assert.equal(await state.dropLogin(), true)
    assert.equal(await state.dropLogin(), false)
    assert.equal(state.loginFor(), undefined)
    const asBob = await ClientState.read(paths, 'bob')
    assert.deepEqual(asBob.loginFor(new URL('http://h:3141/root/prod?x=')), ['bob', 'bob-token'])
  })
})

test('ClientState finds the login of the longest path below one host', async () => {
  await inFolder(async (paths) => {
    const auth = { 'http://h/': [['u', 'top']], 'http://h/a/': [['u', 'a']] }
    writeFileSync(paths.auth, JSON.stringify({ auth, basic_auth: { 'http://h:80/a/': ['front', 'pw'] } }))
    const state = await ClientState.read(paths, 'u')
    assert.deepEqual(state.loginFor(new URL('http://h/a/root/dev')), ['u', 'a'])
    assert.deepEqual(state.loginFor(new URL('http://h/b/root/dev')), ['u', 'top'])
    assert.deepEqual(state.basicAuthFor(new URL('http://h/a/root/dev')), ['front', 'pw'])
    assert.equal(state.basicAuthFor(new URL('http://h/b')), undefined)
  })
})

test('ClientState leaves the remembered index alone while one is chosen for a single command', async () => {
  await inFolder(async (paths) => {
    const first = await ClientState.read(paths)
    await first.setEndpoints(ENDPOINTS)
    const second = await ClientState.read(paths)
    second.keepsIndex = false
    await second.setEndpoints({ ...ENDPOINTS, index: 'http://h:3141/root/other' })
    assert.equal(second.index?.href, 'http://h:3141/root/other')
    assert.equal((await ClientState.read(paths)).index?.href, ENDPOINTS.index)
  })
})
