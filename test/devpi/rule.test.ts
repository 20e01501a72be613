import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer } from './answers.ts'
import { type Difference, differencesOf } from './compare.ts'
import { ABSENT, account, type Cover } from './rule.ts'

const FOUND: Difference = { step: 'files: a wheel', field: 'headers.content-type', devpi: 'x/tar', airlock: undefined }
const ANSWER: Answer = {
  title: 'a wheel',
  request: 'GET /',
  stamp: '0',
  status: 200,
  reason: 'OK',
  headers: { 'content-type': 'application/json' },
  body: { result: { a: [1, 2] }, message: 'm' },
}

for (const [cover, isCovered] of [
  [{ steps: 'files: a wheel', field: 'headers.content-type' }, true],
  [{ steps: 'files: *', field: '*' }, true],
  [{ steps: '*wheel', field: ['status', 'headers.*'] }, true],
  [{ steps: 'files: a wheel', field: '*', devpi: 'x/tar', airlock: ABSENT }, true],
  [{ steps: 'files: a wheel', field: '*', devpi: /tar/ }, true],
  [{ steps: 'files: a', field: '*' }, false],
  [{ steps: 'files. a wheel', field: '*' }, false],
  [{ steps: 'files: a wheel', field: 'headers' }, false],
  [{ steps: 'files: a wheel', field: '*', devpi: 'x/zip' }, false],
  [{ steps: 'files: a wheel', field: '*', devpi: ABSENT }, false],
  [{ steps: 'files: a wheel', field: '*', airlock: /./ }, false],
] as readonly (readonly [Cover, boolean])[]) {
  test(`account() ${isCovered ? 'takes' : 'does not take'} a difference for ${JSON.stringify(cover)}`, () => {
    const rule = { about: 'x', devpi: '', airlock: '', why: '', covers: [cover] }
    const { unlisted, stale } = account([FOUND], [{ title: '', rules: [rule] }])
    assert.deepEqual(unlisted, isCovered ? [] : [FOUND])
    assert.equal(stale.length, isCovered ? 0 : 1)
  })
}

test('account() tells of one pattern of several that fits nothing', () => {
  const covers = [{ steps: ['files: *', 'push: *'], field: '*' }]
  const { unlisted, stale } = account(
    [FOUND],
    [{ title: '', rules: [{ about: 'x', devpi: '', airlock: '', why: '', covers }] }],
  )
  assert.deepEqual([unlisted, stale], [[], [{ about: 'x', steps: 'push: *' }]])
})

for (const [what, change, fields] of [
  ['nothing', {}, []],
  ['a reason phrase', { reason: 'Fine' }, ['reason']],
  ['a header that devpi has', { headers: {} }, ['headers.content-type']],
  ['a header that devpi lacks', { headers: { ...ANSWER.headers, location: '/' } }, ['headers.location']],
  ['a header that is allowed to be there', { headers: { ...ANSWER.headers, vary: 'Accept' } }, []],
  ['a value deep in the body', { body: { result: { a: [1, 3] }, message: 'm' } }, ['body.result.a.1']],
  ['a list that is longer', { body: { result: { a: [1, 2, 3] }, message: 'm' } }, ['body.result.a.2']],
  ['a key that is not there', { body: { result: { a: [1, 2] } } }, ['body.message']],
  ['another status, from which all else follows', { status: 404, reason: 'Not Found', body: null }, ['status']],
  ['what an index elsewhere was sent', { received: [{}] }, ['received']],
] as const) {
  test(`differencesOf() finds ${what}`, () => {
    const found = differencesOf('files', ANSWER, { ...ANSWER, ...change } as Answer)
    assert.deepEqual(
      found.map((difference) => difference.field),
      fields,
    )
  })
}
