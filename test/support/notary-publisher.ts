import { createHash } from 'node:crypto';
import { canonicalJson } from '../../trust/metadata/canonical-json.ts';
import { ecdsaKey, type PublicKey, rootKey, type SigningKey } from './signing-key.ts';

/** What a publisher says of a file: base64 hashes and length. */
export type FileEntry = { hashes: Record<string, string>; length: number };
export type RoleEntry = { keyids: string[]; threshold: number };
export type DelegationEntry = RoleEntry & { name: string; paths: string[] };

/** The signed parts of the four kinds of metadata. Plain and mutable: what is written there is what gets signed. */
export type RootPart = Part & {
  keys: Record<string, PublicKey>;
  roles: Record<string, RoleEntry>;
  consistent_snapshot: boolean;
};
export type MetaPart = Part & { meta: Record<string, FileEntry> };
export type TargetsPart = Part & {
  targets: Record<string, FileEntry>;
  delegations: { keys: Record<string, PublicKey>; roles: DelegationEntry[] };
};
type Part = { _type: string; version: number; expires: string };

const DAY_MS = 24 * 60 * 60 * 1000;

/** Notary's own: ten years, three years, three years, fourteen days. */
const LIFETIME_DAYS = { root: 3650, targets: 1095, snapshot: 1095, timestamp: 14 } as const;

/**
 * A publisher of images, its Docker Content Trust keys and the Notary v1 metadata it signs, in memory:
 *
 *     const publisher = new NotaryPublisher({ gun: 'docker.io/acme/app', now });
 *     publisher.sign('1.0', { digest, size });
 *     publisher.delegate('targets/releases');
 *     publisher.publish(now);
 *     publisher.files.get('timestamp.json');     // and root.json, 1.root.json, targets.<sha256>.json, ...
 *
 * The pin of a client is `publisher.rootKeyId`.
 */
export class NotaryPublisher {
  readonly gun: string;
  readonly root: RootPart;
  readonly snapshot: MetaPart;
  readonly timestamp: MetaPart;
  /** `targets` and the delegations that have something to say. */
  readonly targets = new Map<string, TargetsPart>();
  /** Who signs each role when it is next published. */
  readonly signers = new Map<string, SigningKey[]>();
  /** What a server has, by the names under which clients ask for it. */
  readonly files = new Map<string, Buffer>();
  /** Roles that changed since they were published. Snapshot and timestamp are signed anew every time. */
  readonly changed = new Set<string>(['root', 'targets']);

  constructor(wish: { readonly gun: string; readonly now: Date; readonly rootKeys?: readonly SigningKey[] }) {
    this.gun = wish.gun;
    const part = (_type: string): Part => ({ _type, version: 0, expires: wish.now.toISOString() });
    this.root = { ...part('Root'), keys: {}, roles: {}, consistent_snapshot: false };
    this.snapshot = { ...part('Snapshot'), meta: {} };
    this.timestamp = { ...part('Timestamp'), meta: {} };
    this.targets.set('targets', emptyTargets(wish.now));
    this.entrust('root', wish.rootKeys ?? [rootKey(wish)]);
    for (const role of ['targets', 'snapshot', 'timestamp']) this.entrust(role, [ecdsaKey()]);
  }

  /** The ID to pin. */
  get rootKeyId(): string {
    return this.root.roles.root?.keyids[0] ?? '';
  }

  /** Gives a base role these keys, from the next publication on. */
  entrust(role: string, keys: readonly SigningKey[], threshold = 1): void {
    for (const key of keys) this.root.keys[key.id] = key.publicKey;
    this.root.roles[role] = { keyids: keys.map(({ id }) => id), threshold };
    this.signers.set(role, [...keys]);
    this.changed.add('root').add(role);
  }

  /** Lets others sign: a role below `targets`, or below another delegation. */
  delegate(
    name: string,
    {
      keys = [ecdsaKey()],
      paths = [''],
      threshold = 1,
    }: { keys?: SigningKey[]; paths?: string[]; threshold?: number } = {},
  ): void {
    const parent = name.slice(0, name.lastIndexOf('/'));
    const { delegations } = this.part(parent);
    for (const key of keys) delegations.keys[key.id] = key.publicKey;
    const others = delegations.roles.filter((role) => role.name !== name);
    delegations.roles = [...others, { name, paths, keyids: keys.map(({ id }) => id), threshold }];
    this.signers.set(name, keys);
    this.changed.add(parent).add(name);
  }

  /** Says what a tag is. @param image the manifest's digest, `sha256:…`, and its size in bytes */
  sign(tag: string, image: { readonly digest: string; readonly size: number }, role = 'targets'): void {
    const sha256 = Buffer.from(image.digest.replace('sha256:', ''), 'hex').toString('base64');
    this.part(role).targets[tag] = { hashes: { sha256 }, length: image.size };
    this.changed.add(role);
  }

  /** Takes a tag back. */
  unsign(tag: string, role = 'targets'): void {
    delete this.part(role).targets[tag];
    this.changed.add(role);
  }

  /** Signs what changed and puts it on the server; `expires` overrides how long a role is good. */
  publish(now: Date, expires: Readonly<Record<string, Date>> = {}): void {
    const until = (role: keyof typeof LIFETIME_DAYS, name: string = role) =>
      (expires[name] ?? new Date(now.getTime() + LIFETIME_DAYS[role] * DAY_MS)).toISOString();
    if (this.changed.delete('root')) this.write('root', next(this.root, until('root')));
    for (const [name, part] of this.targets) {
      if (this.changed.delete(name)) this.write(name, next(part, until('targets', name)));
    }
    const listed = ['root', ...this.targets.keys()].filter((role) => this.files.has(`${role}.json`));
    this.snapshot.meta = Object.fromEntries(listed.map((role) => [role, this.entry(role)]));
    this.write('snapshot', next(this.snapshot, until('snapshot')));
    this.timestamp.meta = { snapshot: this.entry('snapshot') };
    this.write('timestamp', next(this.timestamp, until('timestamp')));
  }

  /** The signed part of a role that signs targets; made when it is first needed. */
  part(role: string): TargetsPart {
    const part = this.targets.get(role) ?? emptyTargets(new Date(this.root.expires));
    this.targets.set(role, part);
    return part;
  }

  /** Signs a part and puts it where clients look for it. */
  write(role: string, part: RootPart | MetaPart | TargetsPart): void {
    const message = canonicalJson(part);
    const signatures = (this.signers.get(role) ?? []).map((key) => ({
      keyid: key.id,
      method: key.method,
      sig: key.sign(message).toString('base64'),
    }));
    this.put(role, Buffer.from(`{"signed":${message.toString('utf8')},"signatures":${JSON.stringify(signatures)}}`));
    if (role === 'root') this.files.set(`${part.version}.root.json`, this.file('root'));
  }

  /** Puts the bytes of a role where clients look for it: under its name, and under its name with its hash. */
  put(role: string, bytes: Buffer): void {
    this.files.set(`${role}.json`, bytes);
    this.files.set(`${role}.${createHash('sha256').update(bytes).digest('hex')}.json`, bytes);
  }

  /** How other metadata names the current file of a role. */
  entry(role: string): FileEntry {
    const bytes = this.file(role);
    const hash = (algorithm: string) => createHash(algorithm).update(bytes).digest('base64');
    return { hashes: { sha256: hash('sha256'), sha512: hash('sha512') }, length: bytes.byteLength };
  }

  file(role: string): Buffer {
    const bytes = this.files.get(`${role}.json`);
    if (bytes === undefined) throw new RangeError(`expected ${role} to be published, got nothing`);
    return bytes;
  }
}

function emptyTargets(now: Date): TargetsPart {
  return {
    _type: 'Targets',
    version: 0,
    expires: now.toISOString(),
    targets: {},
    delegations: { keys: {}, roles: [] },
  };
}

function next<P extends Part>(part: P, expires: string): P {
  part.version += 1;
  part.expires = expires;
  return part;
}
