import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { GroupCommit, type Turn, type WritingConnection } from './group-commit.ts'

/** A connection that writes down what it is told, and can be made to fail. */
function scripted(fails: (sql: string, said: readonly string[]) => Error | undefined = () => undefined) {
  const said: string[] = []
  let isTransaction = false
  const raw: WritingConnection = {
    get isTransaction() {
      return isTransaction
    },
    exec: (sql) => {
      said.push(sql)
      const failure = fails(sql, said)
      if (failure !== undefined) throw failure
      if (sql === 'BEGIN IMMEDIATE') isTransaction = true
      if (sql === 'COMMIT' || sql === 'ROLLBACK') isTransaction = false
    },
  }
  return { raw, said, giveUp: () => (isTransaction = false) }
}

const named = (name: string, said: string[]) => async () => {
  said.push(name)
  return { result: name, committed: () => said.push(`${name} is told`) }
}

/** Of the only worker there is. */
function turn(raw: WritingConnection): Turn {
  return { begin: async () => raw.exec('BEGIN IMMEDIATE'), ended: () => {}, committed: () => {} }
}

test('GroupCommit commits writes that wait together once, in their order, and tells nobody before', async () => {
  const { raw, said } = scripted()
  const group = new GroupCommit(raw, turn(raw))
  const results = await Promise.all(['a', 'b', 'c'].map((name) => group.write(named(name, said))))
  assert.deepEqual(results, ['a', 'b', 'c'])
  assert.deepEqual(said, [
    ...['BEGIN IMMEDIATE', 'a'],
    ...['SAVEPOINT one', 'b', 'RELEASE one'],
    ...['SAVEPOINT one', 'c', 'RELEASE one'],
    ...['COMMIT', 'a is told', 'b is told', 'c is told'],
  ])
})

test('GroupCommit takes a write in that comes while another of the group is at work', async () => {
  const { raw, said } = scripted()
  const group = new GroupCommit(raw, turn(raw))
  let second: Promise<string> | undefined
  await group.write(async () => {
    second = group.write(named('b', said))
    return await named('a', said)()
  })
  await second
  assert.equal(said.filter((sql) => sql === 'COMMIT').length, 1)
})

test('GroupCommit rolls back a write that throws alone, wherever in the group it stands', async () => {
  for (const bad of [0, 1, 2]) {
    const { raw, said } = scripted()
    const group = new GroupCommit(raw, turn(raw))
    const done = await Promise.allSettled(
      [0, 1, 2].map((each) =>
        group.write(async () => {
          if (each === bad) throw new Error('no')
          return await named(String(each), said)()
        }),
      ),
    )
    assert.deepEqual(
      done.map(({ status }) => status === 'fulfilled'),
      [0, 1, 2].map((each) => each !== bad),
    )
    assert.ok(said.includes(bad === 0 ? 'ROLLBACK' : 'ROLLBACK TO one; RELEASE one'))
    assert.equal(said.filter((sql) => sql === 'COMMIT').length, 1)
  }
})

test('GroupCommit rejects all of a group whose COMMIT fails, and goes on with the next', async () => {
  const failure = new Error('disk I/O error')
  let isBroken = true
  const { raw, said } = scripted((sql) => (sql === 'COMMIT' && isBroken ? failure : undefined))
  const group = new GroupCommit(raw, turn(raw))
  const done = await Promise.allSettled(['a', 'b'].map((name) => group.write(named(name, said))))
  assert.deepEqual(
    done.map((each) => each.status === 'rejected' && each.reason),
    [failure, failure],
  )
  assert.equal(said.at(-1), 'ROLLBACK')
  assert.ok(!said.some((line) => line.endsWith('is told')))
  isBroken = false
  assert.equal(await group.write(named('c', said)), 'c')
})

test('GroupCommit rejects the writes before one at which SQLite gave the transaction up', async () => {
  const { raw, said, giveUp } = scripted()
  const group = new GroupCommit(raw, turn(raw))
  const full = new Error('database or disk is full')
  const done = await Promise.allSettled([
    group.write(named('a', said)),
    group.write(async () => {
      giveUp()
      throw full
    }),
    group.write(named('c', said)),
  ])
  assert.deepEqual(
    done.map((each) => (each.status === 'rejected' ? each.reason : each.value)),
    [full, full, 'c'],
  )
  assert.ok(!said.includes('a is told'))
})

test('GroupCommit tells the failure of what comes after a commit to that writer alone', async () => {
  const { raw, said } = scripted()
  const group = new GroupCommit(raw, turn(raw))
  const bad = group.write(async () => ({
    result: 'a',
    committed: () => {
      throw new Error('after')
    },
  }))
  const good = group.write(named('b', said))
  await assert.rejects(bad, /after/)
  assert.equal(await good, 'b')
})

test('GroupCommit ends a group that has been at it for long, and bounds its size', async (t: TestContext) => {
  await t.test('by time', async () => {
    const { raw, said } = scripted()
    const group = new GroupCommit(raw, turn(raw))
    await Promise.all([
      group.write(async () => {
        await delay(30)
        return await named('slow', said)()
      }),
      group.write(named('b', said)),
    ])
    assert.ok(said.indexOf('slow is told') < said.indexOf('b'))
  })
  await t.test('by count', async () => {
    const { raw, said } = scripted()
    const group = new GroupCommit(raw, turn(raw))
    await Promise.all(Array.from({ length: 150 }, (_, each) => group.write(named(String(each), said))))
    assert.ok(said.filter((sql) => sql === 'COMMIT').length >= 3)
  })
})

test('GroupCommit.settled() waits for all that was asked for', async () => {
  const { raw, said } = scripted()
  const group = new GroupCommit(raw, turn(raw))
  await group.settled()
  const writes = Promise.all(['a', 'b'].map((name) => group.write(named(name, said))))
  await group.settled()
  assert.equal(said.at(-1), 'b is told')
  await writes
})
