import { Fields } from '../metadata/fields.ts';
import { MetadataError, malformed } from '../metadata/metadata-error.ts';
import { type Dated, type Envelope, openEnvelope, type TrustedFile, trustedFile } from './envelope.ts';
import type { Key } from './key.ts';
import { ROOT_CHAIN_LIMIT, ROOT_LIMIT } from './metadata-limits.ts';
import { parseKeys, parseRoleKeys, type RoleKeys, requireThreshold, signersOf } from './signature.ts';

export const TOP_ROLES = ['root', 'timestamp', 'snapshot', 'targets'] as const;
export type TopRole = (typeof TOP_ROLES)[number];

/** TUF specification 4.3, "root.json". */
export interface RootMetadata extends Dated {
  readonly roles: Readonly<Record<TopRole, RoleKeys>>;
  /** Files are named with their version in front. */
  readonly consistent: boolean;
}

export interface RootFile extends TrustedFile<RootMetadata> {
  readonly envelope: Envelope;
}

/** Roots in order, each signed by the keys of the one before and by its own. The first is the pinned one, or came before it. */
export interface RootChain {
  readonly roots: readonly RootFile[];
  readonly current: RootFile;
  /** Keys of the current root that signed it. */
  readonly signers: readonly Key[];
}

/** @throws MetadataError METADATA_INVALID; SIGNATURE_INVALID unless its own keys signed it */
export function readRoot(bytes: Uint8Array): RootFile {
  const names = ['keys', 'roles', 'consistent_snapshot'];
  const envelope = openEnvelope(bytes, { type: 'root', limit: ROOT_LIMIT, where: 'root', names });
  const { fields, version, expires } = envelope;
  const keys = parseKeys(fields, 'root');
  const roles = new Fields(fields.object('roles'), 'root.roles', TOP_ROLES);
  const keysOf = (role: TopRole): RoleKeys => parseRoleKeys(roles.object(role), keys, `root.roles.${role}`);
  const metadata: RootMetadata = {
    version,
    expires,
    roles: {
      root: keysOf('root'),
      timestamp: keysOf('timestamp'),
      snapshot: keysOf('snapshot'),
      targets: keysOf('targets'),
    },
    // Left out, it is false: tuf-js takes it so.
    consistent: fields.value('consistent_snapshot') === true,
  };
  requireThreshold(envelope, metadata.roles.root, `root ${version}`);
  return { ...trustedFile(bytes, envelope, metadata), envelope };
}

/** @throws MetadataError KEY_NOT_TRUSTED, METADATA_MISMATCH */
export function linkRoots(roots: readonly RootFile[]): RootChain {
  const current = roots.at(-1);
  if (current === undefined) throw new RangeError('expected at least one root, got none');
  if (roots.length > ROOT_CHAIN_LIMIT) throw malformed('roots', `at most ${ROOT_CHAIN_LIMIT}`, 'more');
  roots.forEach((root, at) => {
    const previous = roots[at - 1];
    if (previous !== undefined) requireSuccessor(previous, root);
  });
  return { roots, current, signers: signersOf(current.envelope, current.metadata.roles.root.keys) };
}

/**
 * TUF specification 5.3.4 and 5.3.5: signed by as many keys of the root before as that one asks for, and the very next
 * version, since a skipped root may be the one that took a stolen key out of force.
 * @throws MetadataError KEY_NOT_TRUSTED, METADATA_MISMATCH
 */
export function requireSuccessor(previous: RootFile, next: RootFile): void {
  const { version, roles } = previous.metadata;
  const signers = signersOf(next.envelope, roles.root.keys);
  if (signers.length < roles.root.threshold) {
    throw new MetadataError(
      'KEY_NOT_TRUSTED',
      `root ${next.metadata.version} does not follow from root ${version}: ` +
        `expected signatures of ${roles.root.threshold} of its keys, got ${signers.length}`,
    );
  }
  if (next.metadata.version !== version + 1) {
    throw new MetadataError('METADATA_MISMATCH', `expected root ${version + 1}, got root ${next.metadata.version}`);
  }
}

/** Whether trust in the chain begins at the root that the operator pinned. */
export function isAnchored(chain: RootChain, pinned: RootFile): boolean {
  return chain.roots.some(({ signedHash }) => signedHash === pinned.signedHash);
}

/** Which repository it is, by all its roots. */
export function lineageOf({ roots }: RootChain): readonly string[] {
  return roots.map(({ signedHash }) => signedHash);
}
