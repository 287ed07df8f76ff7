import { isIP } from 'node:net';
import type { AddressClass } from './address-class.ts';

/**
 * The classes of addresses that one request may connect to. Stops server-side request forgery: an upstream must not use
 * a redirect or a token realm to make the gateway ask machines that only the gateway can see.
 */
export type Reach = ReadonlySet<AddressClass>;

/**
 * Where the configured URL itself may lead. A written address is the operator's own word, so exactly its class; a name
 * is taken to wherever the operator's resolver says, but not to link-local or metadata addresses: nobody names a registry so.
 */
export function ownReach(hostname: string, classOf: (address: string) => AddressClass): Reach {
  const host = bareHost(hostname);
  if (isIP(host) !== 0) return new Set([classOf(host)]);
  return new Set(['public', 'private', 'loopback', 'reserved']);
}

/**
 * Where an answer that came from `peer` may send us on to. A public registry: public addresses only. A private one:
 * private ones too. One on this machine: also this machine and the private network, where its storage usually is.
 * Metadata, unspecified and multicast addresses never; an unknown peer counts as public. Whoever is reached so reaches no
 * further himself: along a chain of redirects the reach only shrinks.
 */
export function reachFrom(peer: AddressClass | undefined): Reach {
  switch (peer) {
    case 'loopback':
      return new Set(['public', 'private', 'loopback']);
    case 'private':
    case 'link-local':
    case 'reserved':
      return new Set(['public', peer]);
    case 'public':
    case 'metadata':
    case 'unspecified':
    case 'multicast':
    case undefined:
      return new Set(['public']);
  }
}

/** A host of a URL as the socket layer writes it: an IPv6 address without its brackets. */
export function bareHost(hostname: string): string {
  return hostname.startsWith('[') && hostname.endsWith(']') ? hostname.slice(1, -1) : hostname;
}
