/**
 * A Notary v1 repository of trust data that a test can bend. All of NotaryPublisher (sign, delegate, publish, entrust),
 * and what an attacker would do:
 *
 *   const repository = new NotaryRepository({ gun: 'docker.io/acme/app', now });
 *   repository.sign('1.0', { digest, size });
 *   repository.publish(now);
 *   const before = repository.stored();                        // all files the server has
 *   repository.edit('targets', (part) => { part.version = 0 }) // changed, signed by the right keys, listed everywhere
 *   repository.tamper('targets', (envelope) => { ... })        // changed after signing, listed everywhere
 *   repository.rotate('root');                                 // new keys; the old ones sign the root too
 *   repository.publish(now);
 *   repository.restore(before);                                // the server is rolled back
 *   repository.files.set('timestamp.json', bytes);             // or any single file is exchanged
 */
import { type MetaPart, NotaryPublisher, type RootPart, type TargetsPart } from './notary-publisher.ts';
import { ecdsaKey, rootKey, type SigningKey } from './signing-key.ts';

/** A metadata file as JSON: what is signed, and by whom. */
export interface LooseEnvelope {
  signed: Record<string, unknown>;
  signatures: { keyid: string; method: string; sig: string }[];
}

interface Parts {
  root: RootPart;
  snapshot: MetaPart;
  timestamp: MetaPart;
}

export class NotaryRepository extends NotaryPublisher {
  readonly #now: Date;

  constructor(wish: { readonly gun: string; readonly now: Date; readonly rootKeys?: readonly SigningKey[] }) {
    super(wish);
    this.#now = wish.now;
  }

  /** A copy of all that the server has. */
  stored(): ReadonlyMap<string, Buffer> {
    return new Map(this.files);
  }

  /** Makes the server have this, and nothing else. */
  restore(files: ReadonlyMap<string, Buffer>): void {
    this.files.clear();
    for (const [name, bytes] of files) this.files.set(name, bytes);
  }

  /** Changes a part, signs it with its keys, without a new version, and has snapshot and timestamp name the result. */
  edit<R extends string>(role: R, change: (part: R extends keyof Parts ? Parts[R] : TargetsPart) => void): void {
    const part = this.#partOf(role);
    change(part as R extends keyof Parts ? Parts[R] : TargetsPart);
    this.write(role, part);
    this.relist(role);
  }

  /** Changes a file after it was signed, and has snapshot and timestamp name the result. */
  tamper(role: string, change: (envelope: LooseEnvelope) => void): void {
    const envelope: LooseEnvelope = JSON.parse(this.file(role).toString('utf8'));
    change(envelope);
    this.replace(role, Buffer.from(JSON.stringify(envelope)));
  }

  /** Exchanges a file for any bytes, and has snapshot and timestamp name them. */
  replace(role: string, bytes: Buffer): void {
    this.put(role, bytes);
    if (role === 'root') this.files.set(`${this.root.version}.root.json`, bytes);
    this.relist(role);
  }

  /** New versions of snapshot and timestamp that name the current file of a role. */
  relist(role: string): void {
    if (role === 'timestamp') return;
    if (role !== 'snapshot') {
      this.snapshot.meta[role] = this.entry(role);
      this.snapshot.version += 1;
      this.write('snapshot', this.snapshot);
    }
    this.timestamp.meta = { snapshot: this.entry('snapshot') };
    this.timestamp.version += 1;
    this.write('timestamp', this.timestamp);
  }

  /**
   * Gives a base role new keys from the next publication on. A new root is signed by the keys of the one before as well,
   * unless it is to be `unsigned` by them.
   */
  rotate(role: string, wish: { keys?: SigningKey[]; handover?: 'signed' | 'unsigned' } = {}): SigningKey[] {
    const listed = this.root.roles[role]?.keyids ?? [];
    const before = (this.signers.get(role) ?? []).filter(({ id }) => listed.includes(id));
    const keys = wish.keys ?? [role === 'root' ? rootKey({ gun: this.gun, now: this.#now }) : ecdsaKey()];
    this.entrust(role, keys);
    if (role === 'root' && wish.handover !== 'unsigned') this.signers.set('root', [...keys, ...before]);
    return keys;
  }

  #partOf(role: string): RootPart | MetaPart | TargetsPart {
    if (role === 'root' || role === 'snapshot' || role === 'timestamp') return this[role];
    return this.part(role);
  }
}
