import { BlockList, isIP } from 'node:net';

/**
 * What an IP address leads to. `metadata`: the services inside a cloud that hand out the machine's own credentials.
 * `reserved`: not assigned to hosts (IANA special-purpose registries), though some local proxies answer there.
 */
export type AddressClass =
  | 'public'
  | 'private'
  | 'loopback'
  | 'link-local'
  | 'metadata'
  | 'unspecified'
  | 'reserved'
  | 'multicast';

/** IANA IPv4 and IPv6 Special-Purpose Address Registries, and what the large clouds document for their metadata services. */
const SUBNETS: readonly (readonly [AddressClass, readonly string[]])[] = [
  [
    'metadata',
    [
      '169.254.169.254/32',
      '169.254.170.2/32',
      '169.254.170.23/32',
      '100.100.100.200/32',
      '168.63.129.16/32',
      '192.0.0.192/32',
      'fd00:ec2::254/128',
      'fd00:ec2::23/128',
      'fd20:ce::254/128',
    ],
  ],
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['unspecified', ['0.0.0.0/8', '::/128']],
  ['link-local', ['169.254.0.0/16', 'fe80::/10']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10']],
  ['multicast', ['224.0.0.0/4', '255.255.255.255/32', 'ff00::/8']],
  [
    'reserved',
    [
      '192.0.0.0/24',
      '192.0.2.0/24',
      '198.18.0.0/15',
      '198.51.100.0/24',
      '203.0.113.0/24',
      '240.0.0.0/4',
      '100::/64',
      '2001::/32',
      '2001:db8::/32',
      '64:ff9b:1::/48',
    ],
  ],
];

const CLASSES = SUBNETS.map(([kind, subnets]) => [kind, blockList(subnets)] as const);

/** The class of an IPv4 or IPv6 address, however it is written. What is not an address is `unspecified`: never contacted. */
export function classOf(address: string): AddressClass {
  const bare = address.split('%', 1)[0] ?? '';
  const family = isIP(bare);
  if (family === 0) return 'unspecified';
  const found = CLASSES.find(([, list]) => list.check(bare, family === 4 ? 'ipv4' : 'ipv6'));
  return found?.[0] ?? 'public';
}

function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [base = '', length = ''] = subnet.split('/');
    const prefix = Number(length);
    if (isIP(base) === 6) {
      list.addSubnet(base, prefix, 'ipv6');
      continue;
    }
    list.addSubnet(base, prefix, 'ipv4');
    // The same machine is reached through an IPv6 address that carries the IPv4 one: NAT64, 6to4, compatible; through
    // mapped ones the list sees by itself.
    list.addSubnet(`64:ff9b::${base}`, 96 + prefix, 'ipv6');
    list.addSubnet(`2002:${hexGroups(base)}::`, 16 + prefix, 'ipv6');
    // 0.0.0.0/8 left out: as a compatible address it would swallow ::1 and its neighbours.
    if (base !== '0.0.0.0') list.addSubnet(`::${base}`, 96 + prefix, 'ipv6');
  }
  return list;
}

function hexGroups(ipv4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
