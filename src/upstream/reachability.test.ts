import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reachability } from './reachability.ts'

function given() {
  const clock = { ms: 1_000_000, now: () => new Date(clock.ms) }
  return { clock, way: new Reachability(clock, { backoffFirstMs: 1000, backoffMostMs: 5000 }) }
}

test('Reachability lets everything go while nothing is known', () => {
  const { way } = given()
  assert.equal(way.failure, undefined)
  assert.equal(way.downSinceMs, undefined)
  assert.equal(way.isTrialDue, false)
  for (let each = 0; each < 3; each++) assert.equal(way.mayTry(), true)
})

test('Reachability lets one request go after each pause once upstream is gone', () => {
  const { way, clock } = given()
  way.failed('refused')
  assert.equal(way.failure, 'refused')
  assert.equal(way.mayTry(), false)
  clock.ms += 999
  assert.equal(way.isTrialDue, false)
  assert.equal(way.mayTry(), false)
  clock.ms += 1
  assert.equal(way.isTrialDue, true)
  assert.equal(way.mayTry(), true)
  assert.equal(way.mayTry(), false)
})

test('Reachability doubles its pause up to the bound', () => {
  const { way, clock } = given()
  for (const pause of [1000, 2000, 4000, 5000, 5000]) {
    way.failed('refused')
    clock.ms += pause - 1
    assert.equal(way.mayTry(), false, String(pause))
    clock.ms += 1
    assert.equal(way.mayTry(), true, String(pause))
  }
})

test('Reachability forgets all when upstream answers', () => {
  const { way, clock } = given()
  for (let each = 0; each < 4; each++) way.failed('refused')
  way.answered()
  assert.equal(way.failure, undefined)
  assert.equal(way.mayTry(), true)
  way.failed('again')
  clock.ms += 1000
  assert.equal(way.mayTry(), true)
})

test('Reachability tells since when upstream is gone and when to ask again', () => {
  const { way, clock } = given()
  way.failed('one')
  clock.ms += 5000
  way.failed('two')
  assert.equal(way.downSinceMs, 1_000_000)
  assert.equal(way.failure, 'two')
  assert.equal(way.retrySeconds, 2)
  clock.ms += 1500
  assert.equal(way.retrySeconds, 1)
  clock.ms += 60_000
  assert.equal(way.retrySeconds, 1)
})
