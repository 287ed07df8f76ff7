import type { LookupAddress } from 'node:dns';
import { type AddressClass, classOf } from '../../../upstream/address-class.ts';
import type { NetworkOptions } from '../../../upstream/network.ts';

/** Loopback addresses that tests take for a machine out there, and for one in the private network; the rest is what it is. */
export const PUBLIC = '127.0.0.2';
export const PUBLIC_TOO = '127.0.0.4';
export const PRIVATE = '127.0.0.3';
export const LOOPBACK = '127.0.0.1';

const PRETENDED: Readonly<Record<string, AddressClass>> = {
  [PUBLIC]: 'public',
  [PUBLIC_TOO]: 'public',
  [PRIVATE]: 'private',
};

export function classInTest(address: string): AddressClass {
  return PRETENDED[address] ?? classOf(address);
}

/** Names and addresses as above. A name may answer differently each time it is asked: one list of addresses a turn. */
export function internet(
  names: Readonly<Record<string, readonly (readonly string[])[]>> = {},
): Required<Pick<NetworkOptions, 'resolve' | 'classOf'>> {
  const asked = new Map<string, number>();
  return {
    classOf: classInTest,
    resolve: (hostname, done) => {
      const turns = names[hostname];
      if (turns === undefined) return done(new Error(`no such name: ${hostname}`), []);
      const turn = asked.get(hostname) ?? 0;
      asked.set(hostname, turn + 1);
      const addresses = turns[Math.min(turn, turns.length - 1)] ?? [];
      done(
        null,
        addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    },
  };
}

/** The same server under another host: a name, or another way to write its address. */
export function under(host: string, url: string): string {
  return `${new URL(url).protocol}//${host}:${new URL(url).port}`;
}
