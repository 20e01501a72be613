import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createdOptions, operatedOptions, updatedOptions } from './index-options.ts'
import { userName } from './names.ts'

const OWNER = userName('alice')

for (const [given, expected] of [
  [{ type: 'local' }, { type: 'stage' }],
  [
    { type: 'remote', remote_url: 'https://example.org/simple/', remote_refresh_delay: 60 },
    { type: 'mirror', mirror_url: 'https://example.org/simple/', mirror_cache_expiry: 60 },
  ],
  [{ project_inheritance_rules: 'allow all' }, { mirror_whitelist: ['*'] }],
  [{ project_inheritance_rules: ['block type:remote if local_exists'] }, { mirror_whitelist: [] }],
  [{ trust_inheritance_rules_from: 'type:not remote' }, { mirror_whitelist_inheritance: 'union' }],
  [{ type: 'remote', remote_use_external_urls: 'yes' }, { mirror_use_external_urls: true }],
] as const) {
  test(`createdOptions() takes devpi 7's ${JSON.stringify(given)}`, () => {
    const made = createdOptions(OWNER, given) as unknown as Record<string, unknown>
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(made[key], value, key)
    for (const key of Object.keys(given)) assert.ok(key === 'type' || !(key in made), key)
  })
}

test('updatedOptions() and operatedOptions() take devpi 7’s words too', () => {
  const mirror = createdOptions(OWNER, { type: 'mirror' })
  assert.deepEqual(updatedOptions(mirror, { type: 'remote', remote_refresh_delay: '5' }), {
    ...mirror,
    mirror_cache_expiry: 5,
  })
  const changed = operatedOptions(OWNER, mirror, ['remote_no_project_list=true', 'remote_url=http://example.org/'])
  assert.deepEqual(changed, { ...mirror, mirror_no_project_list: true, mirror_url: 'http://example.org/' })
  const stage = createdOptions(OWNER, {})
  assert.deepEqual(operatedOptions(OWNER, stage, ['project_inheritance_rules=allow all']), {
    ...stage,
    mirror_whitelist: ['*'],
  })
})

test('createdOptions() refuses a value of devpi 7 that has no counterpart', () => {
  assert.throws(() => createdOptions(OWNER, { trust_inheritance_rules_from: 'x' }), { code: 'option-invalid' })
})
