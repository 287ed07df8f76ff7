import { echo, MetadataError } from '../metadata/metadata-error.ts';
import type { Certificate } from './certificate.ts';
import { type Moment, outOfPeriod } from './certificate-chain.ts';
import type { Gun } from './gun.ts';
import type { Key } from './key.ts';
import type { RootMetadata } from './root-metadata.ts';
import { signersOf } from './signature.ts';

/** A key of the root role whose certificate fits the repository. */
export interface RootKey {
  readonly key: Key;
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
}

/** The keys of a root that may speak for the repository, and why the others may not. */
export interface RootKeys {
  readonly fit: readonly RootKey[];
  readonly unfit: readonly MetadataError[];
}

/**
 * Root keys are certificates, because only a certificate names its repository: without that, metadata of one
 * repository could be served for another whose root has the same key.
 */
export function rootKeysOf(root: RootMetadata, gun: Gun, at: Moment): RootKeys {
  const fit: RootKey[] = [];
  const unfit: MetadataError[] = [];
  for (const key of root.roles.root.keys) {
    try {
      fit.push(rootKey(key, gun, at));
    } catch (error) {
      if (!(error instanceof MetadataError)) throw error;
      unfit.push(error);
    }
  }
  return { fit, unfit };
}

/**
 * The keys of a root that signed it and whose certificates fit.
 * @throws MetadataError when they are fewer than it asks for: SIGNATURE_INVALID, or what is wrong with a certificate
 */
export function ownSigners(root: RootMetadata, gun: Gun, at: Moment): readonly RootKey[] {
  const { fit, unfit } = rootKeysOf(root, gun, at);
  const keys = fit.map(({ key }) => key);
  const signing = new Set(signersOf(root, keys));
  const { threshold } = root.roles.root;
  if (signing.size >= threshold) return fit.filter(({ key }) => signing.has(key));
  // An expired certificate, say, explains more than a count does.
  const [fault] = unfit;
  if (fault !== undefined) throw fault;
  throw new MetadataError(
    'SIGNATURE_INVALID',
    `root ${root.version}: expected valid signatures of ${threshold} of its own keys, got ${signing.size}`,
  );
}

function rootKey(key: Key, gun: Gun, at: Moment): RootKey {
  const [leaf, ...intermediates] = key.material().certificates;
  const where = `root key ${key.id}`;
  if (leaf === undefined) throw untrusted(`${where}: expected a certificate, got a bare key of type ${key.type}`);
  // Exactly one leaf, in front: otherwise which certificate names the repository depends on the reader.
  if (leaf.x509.ca || !intermediates.every(({ x509 }) => x509.ca)) {
    throw untrusted(`${where}: expected one leaf certificate, then CAs, got another order`);
  }
  if (leaf.commonName === undefined || !isNamed(leaf.commonName, gun)) {
    throw untrusted(`${where}: expected a certificate for ${gun}, got one for ${echo(leaf.commonName ?? '')}`);
  }
  const fault = outOfPeriod(leaf, at);
  if (fault !== undefined) {
    const reason = fault.startsWith('expired') ? 'METADATA_EXPIRED' : 'KEY_NOT_TRUSTED';
    throw new MetadataError(reason, `${where}: its certificate for ${gun} is out of its period: ${fault}`);
  }
  return { key, leaf, intermediates };
}

/**
 * The GUN itself, or a wildcard for whole parts of it: `docker.io/acme/*`. Notary also takes `docker.io/acme*`,
 * which would cover the repositories of `acme-evil`; here it covers nothing.
 */
function isNamed(commonName: string, gun: Gun): boolean {
  return commonName === gun || (commonName.endsWith('/*') && gun.startsWith(commonName.slice(0, -1)));
}

function untrusted(message: string): MetadataError {
  return new MetadataError('KEY_NOT_TRUSTED', message);
}
