import { MetadataError } from '../metadata/metadata-error.ts';
import { type Certificate, parseCertificates } from './certificate.ts';
import { chainsTo, type Moment } from './certificate-chain.ts';
import type { Gun } from './gun.ts';
import { ownSigners, type RootKey, rootKeysOf } from './root-key.ts';
import type { RootMetadata } from './root-metadata.ts';
import { signersOf } from './signature.ts';

/** What the operator wrote: where trust in a repository begins. */
export type PinOption =
  | { readonly kind: 'rootKeys'; readonly ids: readonly string[] }
  | { readonly kind: 'ca'; readonly pem: string }
  | { readonly kind: 'tofu' };

/**
 * Where trust in a repository begins. `rootKeys`: these keys, by the ID of the certificate or by the canonical ID of the
 * key in it (what Docker's tools show; it outlives a renewed certificate). `ca`: certificates that this CA issued.
 * `tofu`: whichever root is seen first.
 */
export type Pin =
  | { readonly kind: 'rootKeys'; readonly ids: ReadonlySet<string> }
  | { readonly kind: 'ca'; readonly anchors: readonly Certificate[] }
  | { readonly kind: 'tofu' };

const KEY_ID = /^[0-9a-f]{64}$/;

/** @throws RangeError when a key ID is not one, or there is none; MetadataError when the CA is not a certificate. */
export function parsePin(option: PinOption): Pin {
  if (option.kind === 'tofu') return option;
  if (option.kind === 'ca') return { kind: 'ca', anchors: parseCertificates(option.pem) };
  const ids = new Set(option.ids.map((id) => id.toLowerCase()));
  // An empty pin would be met by nobody; a mistyped one too, but late and without a word of why.
  for (const id of ids) if (!KEY_ID.test(id)) throw new RangeError(`expected a key ID of 64 hex digits, got "${id}"`);
  if (ids.size === 0) throw new RangeError('expected at least one root key ID to pin, got none');
  return { kind: 'rootKeys', ids };
}

/**
 * Why the root does not meet the pin, or `undefined` when it does. The root's own threshold must be met by pinned keys
 * alone: one pinned key among strangers does not carry a root that needs two.
 * @returns a MetadataError KEY_NOT_TRUSTED with the IDs that could be pinned, or what is wrong with the root itself
 */
export function pinFault(root: RootMetadata, pin: Pin, gun: Gun, at: Moment): MetadataError | undefined {
  const fault = ownFault(root, gun, at);
  if (fault !== undefined) return fault;
  const { fit } = rootKeysOf(root, gun, at);
  const pinned = fit.filter((rootKey) => isPinned(rootKey, pin, at)).map(({ key }) => key);
  const { threshold, keys } = root.roles.root;
  if (signersOf(root, pinned).length >= threshold) return undefined;
  return new MetadataError(
    'KEY_NOT_TRUSTED',
    `root ${root.version} of ${gun}: expected signatures of ${threshold} ${PINNED[pin.kind]}, ` +
      `got ${pinned.length} such keys among its root keys ${keys.map(({ id }) => id).join(', ')}`,
  );
}

function ownFault(root: RootMetadata, gun: Gun, at: Moment): MetadataError | undefined {
  try {
    ownSigners(root, gun, at);
    return undefined;
  } catch (error) {
    if (error instanceof MetadataError) return error;
    throw error;
  }
}

const PINNED: Readonly<Record<Pin['kind'], string>> = {
  rootKeys: 'pinned keys',
  ca: 'keys certified by the pinned CA',
  tofu: 'keys of its own',
};

function isPinned({ key, leaf, intermediates }: RootKey, pin: Pin, at: Moment): boolean {
  if (pin.kind === 'tofu') return true;
  if (pin.kind === 'ca') return chainsTo(pin.anchors, leaf, intermediates, at);
  return pin.ids.has(key.id) || pin.ids.has(key.material().canonicalId);
}
