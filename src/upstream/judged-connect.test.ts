import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { test } from 'node:test'
import { answerNames } from '../../test/world/answering-names.ts'
import { judgedLookup } from './judged-connect.ts'
import { OutgoingPolicy } from './outgoing-policy.ts'

const FAR = '8.8.8.8'
const policy = new OutgoingPolicy({ allow: ['allowed.test'], ownPorts: [3141] })

for (const [name, addresses, reach, port, given] of [
  ['far.test', [FAR], 'public', 80, [FAR]],
  ['both.test', ['127.0.0.1', FAR, '10.0.0.1', '::1'], 'public', 80, [FAR]],
  ['both.test', ['127.0.0.1', FAR, '10.0.0.1', '::1'], 'loopback', 80, ['127.0.0.1', FAR, '::1']],
  ['both.test', ['127.0.0.1', FAR, '10.0.0.1', '::1'], 'loopback', 3141, [FAR]],
  ['near.test', ['127.0.0.1', '::ffff:127.0.0.1'], 'public', 80, undefined],
  ['near.test', ['127.0.0.1'], 'private', 80, undefined],
  ['near.test', ['127.0.0.1'], 'loopback', 3141, undefined],
  ['allowed.test', ['127.0.0.1', '169.254.169.254'], 'public', 80, ['127.0.0.1']],
  ['allowed.test', ['127.0.0.1'], 'public', 3141, undefined],
  ['metadata.test', ['169.254.169.254', 'fe80::1'], 'loopback', 80, undefined],
  ['none.test', [], 'public', 80, undefined],
] as const) {
  test(`judgedLookup() gives ${given ?? 'nothing'} of ${name} (${addresses}) at ${port} within ${reach} reach`, async () => {
    using names = answerNames({ [name]: addresses })
    for (const all of [true, false]) {
      const found = await new Promise<readonly string[] | undefined>((resolve) =>
        judgedLookup(policy, reach, port)(name, { all, hints: 0 }, (error, address) =>
          resolve(
            error
              ? undefined
              : [address].flat().map((each) => (typeof each === 'string' ? each : (each as LookupAddress).address)),
          ),
        ),
      )
      assert.deepEqual(found, all ? given : given?.slice(0, 1))
    }
    // Once for each: what was judged is what is connected to.
    assert.deepEqual(names.connected, [name, name])
  })
}
