import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { startFakeUpstream } from '../upstream/fake-upstream.ts'
import { startWorld } from '../world/world.ts'

test('GET /+metrics counts, and names no index to who may not read it', async () => {
  await using upstream = await startFakeUpstream({ projectList: false })
  upstream.add('acme', wheel({ name: 'acme', version: '1.0' }))
  await using world = await startWorld({ upstream, settings: { may_mirror: 'alice' } })
  const options = { type: 'mirror', mirror_url: upstream.url, mirror_no_project_list: true, acl_pkg_read: ['alice'] }
  assert.equal((await world.alice.asks('/alice/hidden', { method: 'PUT', json: options })).status, 200)
  for (const path of ['/alice/hidden/+simple/acme/', '/root/pypi/+simple/acme/', '/root/pypi/+simple/acme/']) {
    assert.equal((await world.alice.asks(path)).status, 200, path)
  }
  await world.alice.asks('/root/pypi/+simple/no-such-thing/')
  assert.equal((await world.alice.uploads(wheel({ name: 'mine', version: '1.0' }), 'alice/dev')).status, 200)
  const own = await world.alice.asks('/+metrics')
  assert.equal(own.status, 200)
  assert.match(own.headers['content-type']!, /^text\/plain; version=0\.0\.4/)
  const value = (name: string) =>
    Number(
      own.text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')
        .at(-1),
    )
  assert.equal(value('airlock_requests_total{group="simple",status="200"}'), 3)
  assert.equal(value('airlock_requests_total{group="simple",status="404"}'), 1)
  assert.equal(value('airlock_requests_total{group="uploads",status="200"}'), 1)
  assert.equal(value('airlock_uploads_total'), 1)
  assert.equal(value('airlock_files_held'), 1)
  assert.equal(value('airlock_mirror_open{index="alice/hidden"}'), 0)
  assert.equal(value('airlock_mirror_page_hits_total{index="root/pypi"}'), 1)
  assert.equal(value('airlock_mirror_page_misses_total{index="root/pypi"}'), 2)
  assert.ok(value('airlock_upstream_requests_total{index="root/pypi"}') >= 2)
  assert.equal(value('airlock_upstream_failures_total{index="root/pypi"}'), 0)
  assert.ok(value('airlock_upstream_bytes_total{index="root/pypi"}') > 100)
  for (const line of own.text.trim().split('\n')) {
    assert.match(line, /^(# TYPE airlock_[a-z_]+ (gauge|counter)|airlock_[a-z_]+(\{[^}]*\})? \d+)$/)
  }
  assert.doesNotMatch(own.text, /acme|mine|no-such/)
  for (const path of ['/+metrics', '/+status']) {
    const strange = (await world.stranger.asks(path)).text
    assert.doesNotMatch(strange, /hidden/, path)
    assert.match(strange, /root\/pypi/, path)
  }
})

test('GET /+status tells of each mirror how it stands with its upstream', async () => {
  await using upstream = await startFakeUpstream({ projectList: false })
  upstream.add('acme', wheel({ name: 'acme', version: '1.0' }))
  await using world = await startWorld({ upstream })
  const mirror = async () => {
    const status = (await world.stranger.asks('/+status')).json<{ result: { mirrors: Record<string, unknown>[] } }>()
    return status.result.mirrors[0]!
  }
  await world.stranger.asks('/root/pypi/+simple/acme/')
  const { state, requests, failures, bytes, pageMisses } = await mirror()
  assert.equal(state, 'closed')
  assert.ok(Number(requests) >= 1 && Number(bytes) > 100)
  assert.deepEqual([failures, pageMisses], [0, 1])
  await upstream.pause()
  world.passes(3600_000)
  assert.equal((await world.stranger.asks('/root/pypi/+simple/other/')).status, 502)
  const gone = await mirror()
  assert.equal(gone.state, 'open')
  assert.equal(typeof gone.failure, 'string')
  assert.ok(Number(gone.nextTryMs) > Number(gone.downSinceMs))
  assert.ok(Number(gone.failures) >= 1)
})
