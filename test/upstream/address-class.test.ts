import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AddressClass, classOf } from '../../upstream/address-class.ts';
import { ownReach, reachFrom } from '../../upstream/reach.ts';

const ADDRESSES: Readonly<Record<AddressClass, readonly string[]>> = {
  public: [
    '1.1.1.1',
    '172.32.0.1',
    '192.169.0.1',
    '100.128.0.1',
    '11.0.0.1',
    '169.253.255.255',
    '128.0.0.1',
    '2606:4700::1111',
    '::ffff:1.1.1.1',
    '64:ff9b::101:101',
  ],
  private: [
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    'fc00::1',
    'fd12:3456::1',
    'fec0::1',
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    '64:ff9b::10.0.0.1',
    '2002:a00:1::',
    '::10.0.0.1',
  ],
  loopback: [
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::1',
  ],
  'link-local': ['169.254.0.1', '169.254.255.255', 'fe80::1', 'febf::1', 'fe80::1%eth0', '::ffff:169.254.1.1'],
  metadata: [
    '169.254.169.254',
    '169.254.170.2',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fd00:ec2::254',
    'fd20:ce::254',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
  ],
  unspecified: ['0.0.0.0', '0.1.2.3', '::', '::ffff:0.0.0.0', '', 'localhost', '127.1', 'no address'],
  reserved: [
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.9',
    '240.0.0.1',
    '2001:db8::1',
    '2001::1',
    '100::1',
    '64:ff9b:1::1',
  ],
  multicast: ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1'],
};

for (const [kind, addresses] of Object.entries(ADDRESSES)) {
  test(`${kind} addresses are known, however they are written`, () => {
    for (const address of addresses) assert.equal(classOf(address), kind, address);
  });
}

const reachable = (peer: AddressClass | undefined) => [...reachFrom(peer)].sort();

test('an answer sends us no further in than where it came from', () => {
  assert.deepEqual(reachable('public'), ['public']);
  assert.deepEqual(reachable(undefined), ['public']);
  assert.deepEqual(reachable('private'), ['private', 'public']);
  assert.deepEqual(reachable('loopback'), ['loopback', 'private', 'public']);
  assert.deepEqual(reachable('link-local'), ['link-local', 'public']);
  assert.deepEqual(reachable('metadata'), ['public']);
  assert.deepEqual(reachable('unspecified'), ['public']);
});

test('a chain of answers only loses reach', () => {
  for (const first of Object.keys(ADDRESSES) as AddressClass[]) {
    for (const second of reachFrom(first)) {
      for (const third of reachFrom(second)) assert.ok(reachFrom(first).has(third), `${first}, ${second}, ${third}`);
    }
  }
});

test('a configured address is its own class, a configured name never link-local or metadata', () => {
  assert.deepEqual([...ownReach('169.254.7.7', classOf)], ['link-local']);
  assert.deepEqual([...ownReach('[::1]', classOf)], ['loopback']);
  assert.deepEqual([...ownReach('registry.example', classOf)].sort(), ['loopback', 'private', 'public', 'reserved']);
});
