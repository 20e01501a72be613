import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { OtherContent, type UnbrokenOptions, unbroken } from './unbroken-body.ts'
import type { Body, ResumePoint } from './upstream.ts'

const BYTES = randomBytes(50_000)
const OTHER = Buffer.from(BYTES)
OTHER[100] = OTHER[100]! ^ 1
const BOUNDS = { resumes: 3, resumesInAll: 100, resumeProgressBytes: 1e6, resumePauseMs: 1 }

/** What upstream does to one request: bytes from `from` to `to`, then an end or a cut. */
interface Reply {
  readonly bytes?: Buffer
  readonly to?: number
  /** Gives the whole though a part was asked for. */
  readonly whole?: true
  readonly ends?: 'well'
  readonly validator?: string
  readonly sizeBytes?: number
  readonly refuses?: true
}

function given(replies: readonly Reply[], changes: Partial<UnbrokenOptions> = {}, isSizeTold = true) {
  const asked: ResumePoint[] = []
  const waiting = [...replies]
  let taken = Buffer.alloc(0)
  let open = 0
  function answer(from: ResumePoint): Body {
    const reply = waiting.shift() ?? { refuses: true as const }
    if (reply.refuses === true) throw new Error('upstream is gone')
    const { bytes = BYTES, to = bytes.length } = reply
    const start = reply.whole === true ? 0 : from.start
    async function* body() {
      open++
      try {
        for (let at = start; at < to; at += 7000) yield bytes.subarray(at, Math.min(to, at + 7000))
        if (to < bytes.length && reply.ends !== 'well') throw new Error('connection lost')
      } finally {
        open--
      }
    }
    return {
      bytes: body(),
      ...(start > 0 && { start }),
      ...(isSizeTold && { sizeBytes: reply.sizeBytes ?? bytes.length }),
      ...(reply.validator !== undefined && { validator: reply.validator }),
    }
  }
  const options: UnbrokenOptions = {
    open: async (from) => {
      asked.push(from)
      return answer(from)
    },
    earlier: async function* (start, end) {
      yield taken.subarray(start, end)
    },
    sizeBytes: isSizeTold ? BYTES.length : undefined,
    isHashed: true,
    bounds: BOUNDS,
    ...changes,
  }
  const stream = () => unbroken(answer({ start: 0 }), options)
  const read = async () => {
    for await (const chunk of stream()) taken = Buffer.concat([taken, chunk])
    return taken
  }
  return { read, stream, asked, taken: () => taken, open: () => open }
}

test('unbroken() of a body that is whole asks nothing more', async () => {
  const ground = given([{}])
  assert.ok((await ground.read()).equals(BYTES))
  assert.deepEqual(ground.asked, [])
})

test('unbroken() asks for what is missing, with what upstream knew the file by', async () => {
  const ground = given([{ to: 20_000, validator: '"a"' }, { to: 20_001, validator: '"a"' }, { validator: '"a"' }])
  assert.ok((await ground.read()).equals(BYTES))
  assert.deepEqual(ground.asked, [
    { start: 20_000, validator: '"a"' },
    { start: 20_001, validator: '"a"' },
  ])
})

test('unbroken() joins a part without a validator only where a hash is checked in the end', async () => {
  const hashed = given([{ to: 20_000 }, {}])
  assert.ok((await hashed.read()).equals(BYTES))
  assert.deepEqual(hashed.asked, [{ start: 20_000 }])
  const unhashed = given([{ to: 20_000 }, {}], { isHashed: false })
  assert.ok((await unhashed.read()).equals(BYTES))
  assert.deepEqual(unhashed.asked, [{ start: 0 }])
})

test('unbroken() takes an end before the announced length for a cut', async () => {
  const ground = given([{ to: 20_000, ends: 'well' }, {}])
  assert.ok((await ground.read()).equals(BYTES))
  assert.deepEqual(ground.asked, [{ start: 20_000 }])
})

test('unbroken() without a known length takes an end for the end', async () => {
  const ground = given([{ to: 20_000, ends: 'well' }], {}, false)
  assert.equal((await ground.read()).length, 20_000)
})

test('unbroken() reads a whole that came for a part from its start, and gives each byte once', async () => {
  for (const cut of [0, 1, 7000, 20_000, 49_999]) {
    const ground = given([
      { to: cut, validator: '"a"' },
      { whole: true, validator: '"b"' },
    ])
    assert.ok((await ground.read()).equals(BYTES), `cut at ${cut}`)
  }
})

test('unbroken() begins anew where a part has another validator or length, and lets go of that part', async () => {
  for (const part of [{ validator: '"b"' }, { validator: '"a"', sizeBytes: 60_000 }]) {
    const ground = given([{ to: 20_000, validator: '"a"' }, part, { whole: true, validator: '"a"' }])
    assert.ok((await ground.read()).equals(BYTES))
    assert.deepEqual(
      ground.asked.map((each) => each.start),
      [20_000, 0],
    )
    assert.equal(ground.open(), 0)
  }
})

for (const [what, replies] of [
  ['begins otherwise', [{ to: 20_000 }, { whole: true, bytes: OTHER }]],
  ['has another length', [{ to: 20_000 }, { whole: true, sizeBytes: 60_000 }]],
  ['is another and is cut before the place', [{ to: 20_000 }, { whole: true, bytes: OTHER, to: 150 }]],
] as const satisfies readonly [string, readonly Reply[]][]) {
  test(`unbroken() never goes on with a file that ${what}`, async () => {
    const ground = given(replies)
    await assert.rejects(ground.read(), OtherContent)
    assert.ok(ground.taken().equals(BYTES.subarray(0, 20_000)))
    assert.equal(ground.open(), 0)
  })
}

test('unbroken() gives up after so many in a row that bring little', async () => {
  const ground = given([{ to: 20_000 }, { to: 20_001 }, { refuses: true }, { to: 20_002 }, {}])
  await assert.rejects(ground.read(), /connection lost/)
  assert.equal(ground.asked.length, 3)
  assert.ok(ground.taken().equals(BYTES.subarray(0, 20_002)))
})

test('unbroken() goes on as long as each brings enough, to the bound of all', async () => {
  const bounds = { ...BOUNDS, resumes: 1, resumeProgressBytes: 5000 }
  const steps = Array.from({ length: 9 }, (_, at) => ({ to: (at + 1) * 5000 }))
  const ground = given([...steps, {}], { bounds })
  assert.ok((await ground.read()).equals(BYTES))
  assert.equal(ground.asked.length, 9)
  const bounded = given([...steps, {}], { bounds: { ...bounds, resumesInAll: 4 } })
  await assert.rejects(bounded.read(), /connection lost/)
  assert.equal(bounded.asked.length, 4)
})

test('unbroken() lets go of the body when its reader leaves', async () => {
  const ground = given([{}])
  const bytes = ground.stream()
  await bytes.next()
  assert.equal(ground.open(), 1)
  await bytes.return(undefined)
  assert.equal(ground.open(), 0)
})

test('unbroken() compares with what was read before in whatever pieces that comes', async () => {
  const pieces = async function* (start: number, end: number) {
    for (let at = start; at < end; at += 333) yield BYTES.subarray(at, Math.min(end, at + 333))
  }
  const ground = given([{ to: 20_000 }, { whole: true }], { earlier: pieces })
  assert.ok((await ground.read()).equals(BYTES))
})
