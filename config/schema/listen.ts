import { isIP, SocketAddress } from 'node:net';
import { z } from 'zod';
import type { Listener } from '../config.ts';
import { flag, mapping, text, textAs } from './field.ts';
import { isHostName } from './server.ts';

const ADDRESS = 'an address and a port, such as 127.0.0.1:5000 or [::1]:5000';
const LARGEST_PORT = 65_535;

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Text such as `[::1]:5000`. */
export const endpointSchema = textAs(ADDRESS, parseEndpoint);

const listener = mapping(`${ADDRESS}, or a mapping with address and tls`, {
  address: endpointSchema,
  tls: mapping('a mapping with cert and key', {
    cert: text('the path of a PEM file'),
    key: text('the path of a PEM file'),
    clientCa: text('the path of a PEM file').optional(),
  }).optional(),
  mirror: flag().default(false),
});

const listenerSchema = z.union([endpointSchema, listener], { error: `${ADDRESS}, or a mapping with address and tls` });

export const listenSchema = z.union(
  [endpointSchema, listener, z.array(listenerSchema).min(1, { error: 'at least one listener' })],
  {
    error: `${ADDRESS}, a mapping with address and tls, or a list of these`,
  },
);

type Written = z.output<typeof listenerSchema>;

/** @param path makes the paths of files absolute */
export function toListeners(written: z.output<typeof listenSchema>, path: (text: string) => string): Listener[] {
  return (Array.isArray(written) ? written : [written]).map((entry) => toListener(entry, path));
}

function toListener(written: Written, path: (text: string) => string): Listener {
  if ('port' in written) return written;
  const { cert, key, clientCa } = written.tls ?? {};
  const listener = { ...written.address, ...(written.mirror ? { mirror: true } : {}) };
  if (cert === undefined || key === undefined) return listener;
  const tls = { cert: path(cert), key: path(key), ...(clientCa === undefined ? {} : { clientCa: path(clientCa) }) };
  return { ...listener, tls };
}

/** As the configuration spells it: `127.0.0.1:5000`, `[::1]:5000`. */
export function listenerText({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether both could not be opened on one machine. Port 0 is any free port and meets nobody. */
export function overlap(one: Endpoint, other: Endpoint): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  const [a, b] = [comparable(one.address), comparable(other.address)];
  // An IPv6 listener on every address takes the IPv4 ones too, as Linux sets it up.
  if (a === '::' || b === '::') return true;
  if (a === '0.0.0.0' || b === '0.0.0.0') return isIP(a) !== 6 && isIP(b) !== 6;
  return a === b;
}

function comparable(address: string): string {
  if (address === 'localhost') return '127.0.0.1';
  return isIP(address) === 6 ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

function parseEndpoint(written: string): Endpoint | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/.exec(written);
  if (match === null) return undefined;
  const [, six, other, digits] = match;
  const address = (six ?? other ?? '').toLowerCase();
  const port = Number(digits);
  const named = six === undefined && isHostName(address) && (isIP(address) === 4 || /[a-z]/.test(address));
  return port <= LARGEST_PORT && (named || isIP(address) === 6) ? { address, port } : undefined;
}
