/**
 * A TUF repository in memory with keys of its own, which can also do everything that an honest publisher would not:
 *
 *   const repository = new TufRepository({ now });
 *   repository.delegate('acme', { paths: ['docker.io/acme/*'] });
 *   repository.sign('docker.io/acme/app:1.0', image, 'acme');
 *   repository.publish();                                       // versions go up, everything is signed
 *   const before = repository.stored();                         // to be put back later: a rollback
 *   repository.rotate('timestamp');                             // a new root with another key for it
 *   repository.edit('acme', (signed) => { signed.expires = … }) // any change, signed by the role's keys
 *   repository.files.delete('3.snapshot.json');
 *   const { url } = await repository.serve(t);                  // over http on loopback
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { canonicalJson } from '../../trust/metadata/canonical-json.ts';
import { hexDigest } from '../../trust/metadata/hex-digest.ts';

const DAY = 24 * 60 * 60 * 1000;
const SPEC = '1.0.31';

export interface TestKey {
  readonly id: string;
  readonly json: { keytype: string; scheme: string; keyval: { public: string } };
  readonly secret: KeyObject;
}

export interface TestImage {
  readonly digest: string;
  readonly size: number;
}

// biome-ignore lint/suspicious/noExplicitAny: tests write whatever they like into metadata
export type Part = Record<string, any>;

export interface Role {
  keys: TestKey[];
  threshold: number;
}

export interface DelegationOptions {
  readonly paths?: readonly string[];
  readonly path_hash_prefixes?: readonly string[];
  readonly terminating?: boolean;
  readonly from?: string;
  readonly keys?: TestKey[];
  readonly threshold?: number;
}

export function testKey(): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex');
  const json = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: raw } };
  return { id: hexDigest('sha256', canonicalJson(json)), json, secret: privateKey };
}

const TOP = ['root', 'timestamp', 'snapshot', 'targets'] as const;

export class TufRepository {
  /** What a client can get, by name. */
  files = new Map<string, Buffer>();
  readonly roles = new Map<string, Role>();
  readonly signed = new Map<string, Part>();
  readonly #now: Date;
  readonly #consistent: boolean;
  readonly #hashes: boolean;
  readonly #changed = new Set<string>();
  #rootBefore: Role | undefined;

  constructor({ now, consistent = true, hashes = true }: { now: Date; consistent?: boolean; hashes?: boolean }) {
    this.#now = now;
    this.#consistent = consistent;
    this.#hashes = hashes;
    for (const role of TOP) this.roles.set(role, { keys: [testKey()], threshold: 1 });
    this.signed.set('root', { ...this.#head('root', 365), consistent_snapshot: consistent, keys: {}, roles: {} });
    this.signed.set('timestamp', { ...this.#head('timestamp', 30), meta: {} });
    this.signed.set('snapshot', { ...this.#head('snapshot', 60), meta: {} });
    this.signed.set('targets', { ...this.#head('targets', 120), targets: {} });
    this.#changed.add('root').add('targets');
  }

  /** The bytes of a root: what an operator pins. */
  root(version = 1): Buffer {
    const bytes = this.files.get(`${version}.root.json`);
    if (bytes === undefined) throw new Error(`no root ${version} was published`);
    return bytes;
  }

  sign(path: string, { digest, size }: TestImage, role = 'targets'): void {
    this.part(role).targets[path] = { length: size, hashes: { sha256: digest.slice('sha256:'.length) } };
    this.#changed.add(role);
  }

  /** A file as a target, put where clients look for it. */
  putFile(path: string, bytes: Buffer): void {
    const sha256 = hexDigest('sha256', bytes);
    this.sign(path, { digest: `sha256:${sha256}`, size: bytes.byteLength });
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    this.files.set(['targets', ...parts, this.#consistent ? `${sha256}.${name}` : name].join('/'), bytes);
  }

  withdraw(path: string, role = 'targets'): void {
    delete this.part(role).targets[path];
    this.#changed.add(role);
  }

  /** A delegation after those there are. The role has no targets yet. */
  delegate(name: string, options: DelegationOptions = {}): void {
    const { from = 'targets', keys = [testKey()], threshold = 1, terminating = false, ...covers } = options;
    const parent = this.part(from);
    parent.delegations ??= { keys: {}, roles: [] };
    for (const key of keys) parent.delegations.keys[key.id] = key.json;
    parent.delegations.roles.push({ name, keyids: keys.map(({ id }) => id), threshold, terminating, ...covers });
    this.#changed.add(from);
    if (this.signed.has(name)) return;
    this.roles.set(name, { keys, threshold });
    this.signed.set(name, { ...this.#head('targets', 90), targets: {} });
    this.#changed.add(name);
  }

  /** 2^bits roles named `<prefix>-<hex>`, all with one key. */
  delegateBins(prefix: string, bits: number, key = testKey()): string[] {
    const digits = (2 ** bits - 1).toString(16).length;
    const names = Array.from({ length: 2 ** bits }, (_, at) => `${prefix}-${at.toString(16).padStart(digits, '0')}`);
    this.part('targets').delegations = {
      keys: { [key.id]: key.json },
      succinct_roles: { keyids: [key.id], threshold: 1, bit_length: bits, name_prefix: prefix },
    };
    this.#changed.add('targets');
    for (const name of names) {
      this.roles.set(name, { keys: [key], threshold: 1 });
      this.signed.set(name, { ...this.#head('targets', 90), targets: {} });
      this.#changed.add(name);
    }
    return names;
  }

  /** What an honest publisher does: a new version of what has changed, and of snapshot and timestamp. */
  publish(): void {
    for (const role of this.#changed) {
      this.part(role).version += 1;
      this.write(role);
    }
    this.#changed.clear();
    this.publishSnapshot();
  }

  publishSnapshot(): void {
    const snapshot = this.part('snapshot');
    for (const [role, { version }] of this.signed) {
      if (role === 'targets' || !(TOP as readonly string[]).includes(role)) {
        if (version > 0) snapshot.meta[`${role}.json`] = this.metaOf(role);
      }
    }
    snapshot.version += 1;
    this.write('snapshot');
    this.publishTimestamp();
  }

  publishTimestamp(): void {
    const timestamp = this.part('timestamp');
    timestamp.meta['snapshot.json'] = this.metaOf('snapshot');
    timestamp.version += 1;
    this.write('timestamp');
  }

  /** Other keys for a role: by a new root, or in its delegator. Nothing else is published yet. */
  rotate(role: string, keys = [testKey()], threshold = 1): void {
    if ((TOP as readonly string[]).includes(role)) {
      if (role === 'root') this.#rootBefore = { ...this.role('root') };
      this.roles.set(role, { keys, threshold });
      this.part('root').version += 1;
      this.write('root');
      this.#rootBefore = undefined;
      if (role !== 'root') this.#changed.add(role === 'targets' ? 'targets' : 'targets');
      return;
    }
    this.roles.set(role, { keys, threshold });
    for (const [name, part] of this.signed) {
      const delegation = part.delegations?.roles?.find((entry: Part) => entry.name === role);
      if (delegation === undefined) continue;
      for (const key of keys) part.delegations.keys[key.id] = key.json;
      Object.assign(delegation, { keyids: keys.map(({ id }) => id), threshold });
      this.#changed.add(name);
    }
    this.#changed.add(role);
  }

  /** Changes what a role signs, without a new version of it, and signs it and all above it anew. */
  edit(role: string, change: (signed: Part) => void): void {
    change(this.part(role));
    this.write(role);
    if (role === 'timestamp' || role === 'root') return;
    if (role === 'snapshot') this.publishTimestamp();
    else this.publishSnapshot();
  }

  /** Writes a role's file, signed by these keys: its own, unless told otherwise. */
  write(role: string, keys = this.role(role).keys): void {
    const signed = this.part(role);
    if (role === 'root') this.#fillRoot(signed);
    const signers = role === 'root' ? new Set([...keys, ...(this.#rootBefore?.keys ?? [])]) : new Set(keys);
    const message = canonicalJson(JSON.parse(JSON.stringify(signed)));
    const signatures = [...signers].map(({ id, secret }) => ({
      keyid: id,
      sig: sign(null, message, secret).toString('hex'),
    }));
    this.files.set(this.fileOf(role), Buffer.from(JSON.stringify({ signatures, signed })));
  }

  fileOf(role: string): string {
    const prefix = role === 'timestamp' || (role !== 'root' && !this.#consistent) ? '' : `${this.part(role).version}.`;
    return `${prefix}${encodeURIComponent(role)}.json`;
  }

  metaOf(role: string): Part {
    const bytes = this.files.get(this.fileOf(role)) ?? Buffer.alloc(0);
    const { version } = this.part(role);
    if (!this.#hashes) return { version };
    return { version, length: bytes.byteLength, hashes: { sha256: hexDigest('sha256', bytes) } };
  }

  part(role: string): Part {
    const part = this.signed.get(role);
    if (part === undefined) throw new Error(`there is no role ${role}`);
    return part;
  }

  role(name: string): Role {
    const role = this.roles.get(name);
    if (role === undefined) throw new Error(`there is no role ${name}`);
    return role;
  }

  stored(): ReadonlyMap<string, Buffer> {
    return new Map(this.files);
  }

  restore(files: ReadonlyMap<string, Buffer>): void {
    this.files = new Map(files);
  }

  /** @param answer asked first: may answer in place of the repository */
  async serve(
    t: TestContext,
    answer?: (name: string) => Buffer | number | undefined,
  ): Promise<{ url: string; requests: string[] }> {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      const name = (request.url ?? '').slice('/metadata/'.length);
      requests.push(name);
      const own = answer?.(name) ?? this.files.get(name) ?? 404;
      if (typeof own === 'number') response.writeHead(own).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(own);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metadata`, requests };
  }

  #fillRoot(root: Part): void {
    root.keys = {};
    root.roles = {};
    for (const name of TOP) {
      const { keys, threshold } = this.role(name);
      for (const key of keys) root.keys[key.id] = key.json;
      root.roles[name] = { keyids: keys.map(({ id }) => id), threshold };
    }
  }

  #head(type: string, days: number): Part {
    const expires = new Date(this.#now.getTime() + days * DAY).toISOString().replace(/\.\d+Z$/, 'Z');
    return { _type: type, spec_version: SPEC, version: 0, expires };
  }
}
