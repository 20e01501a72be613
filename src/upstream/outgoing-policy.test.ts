import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { describe, test } from 'node:test'
import { answerNames } from '../../test/world/answering-names.ts'
import type { Problem } from '../model/errors.ts'
import { type AddressKind, addressKind } from './address-kinds.ts'
import { OutgoingPolicy, type Reach } from './outgoing-policy.ts'

const OWN_PORT = 3141
const own = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .filter(({ address }) => !address.startsWith('fe80:'))
  .map(({ address }) => address)

const ADDRESSES: Readonly<Record<AddressKind, readonly string[]>> = {
  loopback: [
    '127.0.0.1',
    '127.0.0.2',
    '127.255.255.255',
    '0.0.0.0',
    '0.1.2.3',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '::ffff:0.0.0.0',
    ...own,
  ],
  never: [
    '169.254.169.254',
    '169.254.0.1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::169.254.169.254',
    '2002:a9fe:a9fe::1',
    'fe80::1',
    'febf::1',
    'fd00:ec2::254',
    'fd20:ce::254',
    '100.100.100.200',
    '192.0.0.192',
    '168.63.129.16',
    '224.0.0.1',
    '239.255.255.255',
    '255.255.255.255',
    'ff02::1',
  ],
  private: [
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '100.64.0.1',
    '198.18.0.1',
    '203.0.113.200',
    '240.0.0.1',
    '::ffff:10.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    'fc00::1',
    'fdff::1',
    'fec0::1',
    '2001::1',
    '2001:db8::1',
  ],
  public: [
    '8.8.8.8',
    '1.1.1.1',
    '11.0.0.1',
    '128.0.0.1',
    '126.255.255.255',
    '172.32.0.1',
    '172.15.255.255',
    '192.167.0.1',
    '100.128.0.1',
    '169.253.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2606:4700::1111',
    '2a00::1',
  ],
}

const REACHES: readonly Reach[] = ['public', 'private', 'loopback']
const none = new OutgoingPolicy({ allow: [], ownPorts: [OWN_PORT] })

function refusal(
  policy: OutgoingPolicy,
  address: string,
  reach: Reach,
  port = 80,
  hostname = 'x.test',
): string | undefined {
  try {
    policy.checkAddress(address, { hostname, port }, reach)
    return undefined
  } catch (error) {
    assert.equal((error as Problem).code, 'upstream-failed')
    return (error as Problem).message
  }
}

for (const [kind, addresses] of Object.entries(ADDRESSES) as [AddressKind, string[]][]) {
  describe(`addresses that are ${kind}`, () => {
    for (const address of addresses) {
      test(`${address}`, () => {
        for (const reach of REACHES) {
          const isRefused = refusal(none, address, reach) !== undefined
          assert.equal(isRefused, kind !== 'public' && kind !== reach, reach)
        }
        const name = address.includes(':') ? `[${address}]` : address
        const byName = () => none.checkName({ hostname: new URL(`http://${name}/`).hostname, port: 80 }, 'public')
        if (kind === 'public') byName()
        else assert.throws(byName)
        const all = new OutgoingPolicy({ allow: ['0.0.0.0/0', '::/0', 'x.test'], ownPorts: [OWN_PORT] })
        assert.equal(refusal(all, address, 'public') !== undefined, kind === 'never')
      })
    }
  })
}

test('the server itself is asked by nobody, whatever is allowed', () => {
  const all = new OutgoingPolicy({ allow: ['127.0.0.0/8', '::1', 'x.test'], ownPorts: [OWN_PORT] })
  for (const address of ADDRESSES.loopback) {
    for (const reach of REACHES) {
      for (const policy of [none, all]) {
        assert.match(refusal(policy, address, reach, OWN_PORT) ?? '', /this server itself/, address)
      }
    }
  }
  assert.equal(refusal(all, '127.0.0.1', 'public', OWN_PORT + 1), undefined)
  assert.equal(refusal(none, '8.8.8.8', 'public', OWN_PORT), undefined)
})

test('ports that the server listens on later count too', () => {
  const ownPorts: number[] = []
  const policy = new OutgoingPolicy({ allow: [], ownPorts })
  assert.equal(refusal(policy, '127.0.0.1', 'loopback', 5000), undefined)
  ownPorts.push(5000)
  assert.match(refusal(policy, '127.0.0.1', 'loopback', 5000) ?? '', /itself/)
})

for (const [allow, hostname, address, isAllowed] of [
  ['files.test', 'files.test', '10.0.0.1', true],
  ['files.test', 'FILES.test.', '127.0.0.1', true],
  ['files.test', 'a.files.test', '10.0.0.1', false],
  ['files.test', 'files.test.evil.test', '10.0.0.1', false],
  ['*.files.test', 'a.files.test', '10.0.0.1', true],
  ['*.files.test', 'a.b.files.test', '10.0.0.1', true],
  ['*.files.test', 'files.test', '10.0.0.1', false],
  ['*.files.test', 'xfiles.test', '10.0.0.1', false],
  ['10.0.0.0/8', 'x.test', '10.2.3.4', true],
  ['10.0.0.0/8', 'x.test', '::ffff:10.2.3.4', true],
  ['10.0.0.0/8', 'x.test', '192.168.1.1', false],
  ['10.0.0.1', 'x.test', '10.0.0.1', true],
  ['10.0.0.1', 'x.test', '10.0.0.2', false],
  ['fd12::/16', 'x.test', 'fd12::1', true],
  ['fd12::/16', 'x.test', 'fd13::1', false],
  ['127.0.0.1', 'x.test', '127.0.0.1', true],
  ['127.0.0.1', 'x.test', '::1', false],
] as const) {
  test(`with outgoing_allow ${allow}, ${hostname} at ${address} is ${isAllowed ? 'asked' : 'not asked'}`, () => {
    const policy = new OutgoingPolicy({ allow: [allow], ownPorts: [] })
    assert.equal(refusal(policy, address, 'public', 80, hostname) === undefined, isAllowed)
  })
}

for (const spelling of [
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '127.0.0.1.',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'a.localhost',
  '①②⑦.0.0.1',
]) {
  test(`${spelling} is this machine, however it is written`, () => {
    const { hostname } = new URL(`http://${spelling}/`)
    for (const reach of ['public', 'private'] as const) {
      assert.throws(() => none.checkName({ hostname, port: 80 }, reach), /is this machine/)
    }
    none.checkName({ hostname, port: 80 }, 'loopback')
  })
}

test('reachOf() takes a host with any public address for public, and one that is nowhere for nothing', async () => {
  using _names = answerNames({
    'mixed.test': ['127.0.0.1', '8.8.8.8'],
    'near.test': ['127.0.0.1'],
    'inside.test': ['10.0.0.1', 'fd12::1'],
    'cable.test': ['169.254.169.254'],
    'none.test': [],
  })
  for (const [hostname, reach] of [
    ['mixed.test', 'public'],
    ['near.test', 'loopback'],
    ['inside.test', 'private'],
    ['cable.test', undefined],
    ['none.test', undefined],
    ['127.0.0.1', 'loopback'],
    ['[::1]', 'loopback'],
    ['[::ffff:10.0.0.1]', 'private'],
    ['8.8.8.8', 'public'],
  ] as const) {
    assert.equal(await none.reachOf(hostname), reach, hostname)
  }
})

test('addressKind() has no address of no kind', () => {
  for (let high = 0; high < 256; high++) {
    for (const low of ['0.0.0', '255.255.255']) {
      assert.ok(['public', 'private', 'loopback', 'never'].includes(addressKind(`${high}.${low}`)))
    }
  }
})
