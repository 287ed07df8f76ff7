import type { Bundle, TransparencyLogEntry } from '@sigstore/bundle';
import { type SignedEntity, type TrustMaterial, toSignedEntity, Verifier } from '@sigstore/verify';
import { readSigningCertificate, type SigningCertificate } from './certificate.ts';
import { checkIdentity } from './identity.ts';
import { libraryFault } from './library-fault.ts';
import { checkLoggedKey, requireSupported } from './log-entry.ts';
import type { CertificateSigner, CosignPolicy, KeySigners } from './policy.ts';
import type { PublicKey } from './public-key.ts';
import { SigstoreError } from './sigstore-error.ts';
import { SignedContent } from './signed-content.ts';
import type { TrustedRoot } from './trusted-root.ts';

/** Who signed, and what proves when. About content nothing is said yet. */
export interface VerifiedSignature {
  readonly signer: { readonly kind: 'key'; readonly key: PublicKey } | CertificateHolder;
  /** The earliest time that a timestamp or a log's signed time proves; undefined where nothing does. */
  readonly signedAt: Date | undefined;
  /** Where it is logged; undefined where no log was asked for. */
  readonly log: { readonly id: string; readonly index: string } | undefined;
}

export interface CertificateHolder {
  readonly kind: 'certificate';
  readonly certificate: SigningCertificate;
}

/** What signatures are checked with. Only keys alone need no root. */
export interface SignatureTrust {
  readonly policy: CosignPolicy;
  readonly root: TrustedRoot | undefined;
  readonly now: Date;
}

/** A proved time may be ahead of our clock by this, in milliseconds. */
const CLOCK_TOLERANCE_MS = 10 * 60 * 1000;

/**
 * The one way to ask the library, with every check around it that the library leaves out. Whatever is thrown underneath
 * comes out as a SigstoreError: a refusal.
 * @param artifact what a message signature is over
 * @throws SigstoreError
 */
export function verifySignature(
  bundle: Bundle,
  artifact: Uint8Array | undefined,
  { policy, root, now }: SignatureTrust,
): VerifiedSignature {
  try {
    const content = SignedContent.of(bundle, artifact);
    const { signer } = policy;
    const verified =
      signer.kind === 'keys'
        ? verifyByKey(bundle, content, signer, root)
        : verifyByCertificate(bundle, content, signer, needed(root));
    checkAge(verified.signedAt, policy.maxAge, now);
    return verified;
  } catch (error) {
    throw libraryFault(error);
  }
}

function verifyByKey(
  bundle: Bundle,
  content: SignedContent,
  signer: KeySigners,
  root: TrustedRoot | undefined,
): VerifiedSignature {
  // A certificate brings its own key, and the library would take that for the policy's.
  if (bundle.verificationMaterial.content.$case !== 'publicKey') {
    throw new SigstoreError('KEY_NOT_TRUSTED', 'it comes with a certificate where a known key was expected');
  }
  const key = signer.keys.find((known) => content.isSignedBy(known.key));
  if (key === undefined) throw new SigstoreError('KEY_NOT_TRUSTED', 'it is not by a key that the policy names');
  const who = { kind: 'key', key } as const;
  // Logged where we know no log, a signature is no worse than one that is not logged at all.
  if (!signer.log && !signer.timestamp) return { signer: who, signedAt: undefined, log: undefined };
  const material = keyMaterial(needed(root).material, key);
  const entity = entityOf(bundle, content, { log: signer.log, timestamps: signer.timestamp });
  ask(material, entity, { log: signer.log, certificateLog: false, timestamp: signer.timestamp });
  return { signer: who, ...proved(entity, { certificate: undefined, key: key.key }, material) };
}

/** This one key, whatever hint the bundle gives. */
function keyMaterial(material: TrustMaterial, { key }: PublicKey): TrustMaterial {
  return { ...material, publicKey: () => ({ publicKey: key, validFor: () => true }) };
}

function verifyByCertificate(
  bundle: Bundle,
  content: SignedContent,
  signer: CertificateSigner,
  { material }: TrustedRoot,
): VerifiedSignature {
  const certificate = readSigningCertificate(certificateOf(bundle));
  // Before anything costly: most of what an attacker could pile up ends here.
  checkIdentity(certificate, signer);
  const entity = entityOf(bundle, content, { log: true, timestamps: true });
  ask(material, entity, { log: signer.log, certificateLog: signer.certificateLog, timestamp: true });
  const proofs = proved(entity, { certificate: certificate.der, key: certificate.key }, material);
  return { signer: { kind: 'certificate', certificate }, ...proofs };
}

function certificateOf({ verificationMaterial: { content } }: Bundle): Uint8Array {
  const certificate =
    content.$case === 'certificate'
      ? content.certificate
      : content.$case === 'x509CertificateChain'
        ? content.x509CertificateChain.certificates[0]
        : undefined;
  if (certificate === undefined) {
    throw new SigstoreError('KEY_NOT_TRUSTED', 'it is signed with a key where a certificate was expected');
  }
  return certificate.rawBytes;
}

/** What the library is given: our own reading of the content, and only the proofs that count. */
function entityOf(
  bundle: Bundle,
  content: SignedContent,
  counted: { readonly log: boolean; readonly timestamps: boolean },
): SignedEntity {
  const entity = toSignedEntity(bundle);
  const tlogEntries = counted.log ? entity.tlogEntries : [];
  for (const entry of tlogEntries) requireSupported(entry);
  const timestamps = entity.timestamps.filter((timestamp) =>
    timestamp.$case === 'transparency-log'
      ? // A log's time is signed only by its promise; beside a proof alone it is anybody's word.
        counted.log && timestamp.tlogEntry.inclusionPromise !== undefined
      : counted.timestamps,
  );
  return { ...entity, signature: content.forLibrary(), tlogEntries, timestamps };
}

function ask(
  material: TrustMaterial,
  entity: SignedEntity,
  wanted: { readonly log: boolean; readonly certificateLog: boolean; readonly timestamp: boolean },
): void {
  const thresholds = {
    tlogThreshold: wanted.log ? 1 : 0,
    ctlogThreshold: wanted.certificateLog ? 1 : 0,
    timestampThreshold: wanted.timestamp ? 1 : 0,
  };
  // Without the library's policy: identities are compared by `checkIdentity`, exactly.
  new Verifier(material, thresholds).verify(entity);
}

/** What the library found good, looked at once more for what it does not compare. */
function proved(
  entity: SignedEntity,
  verifier: Parameters<typeof checkLoggedKey>[1],
  material: TrustMaterial,
): Pick<VerifiedSignature, 'signedAt' | 'log'> {
  const times = entity.timestamps.map((timestamp) =>
    timestamp.$case === 'timestamp-authority'
      ? timestamp.timestamp.signingTime.getTime()
      : Number(timestamp.tlogEntry.integratedTime) * 1000,
  );
  const signedAt = times.length === 0 ? undefined : new Date(Math.min(...times));
  for (const entry of entity.tlogEntries) {
    checkLoggedKey(entry, verifier);
    if (entry.inclusionPromise === undefined) checkLogPeriod(entry, signedAt, material);
  }
  const [first] = entity.tlogEntries;
  const log = first && { id: first.logId.keyId.toString('hex'), index: first.logIndex };
  return { signedAt, log };
}

/** The library asks for a log's period only where the log itself gives the time: a key that was retired must not log on. */
function checkLogPeriod(entry: TransparencyLogEntry, signedAt: Date | undefined, { tlogs }: TrustMaterial): void {
  if (signedAt === undefined) return;
  const inTime = tlogs.some(
    ({ logID, validFor }) => logID.equals(entry.logId.keyId) && validFor.start <= signedAt && signedAt <= validFor.end,
  );
  if (!inTime) throw new SigstoreError('SIGNATURE_INVALID', 'its log was not to be trusted any more, or not yet');
}

function checkAge(signedAt: Date | undefined, maxAge: number | undefined, now: Date): void {
  if (signedAt !== undefined && !(signedAt.getTime() <= now.getTime() + CLOCK_TOLERANCE_MS)) {
    throw new SigstoreError('SIGNATURE_INVALID', 'it is said to be made in the future');
  }
  if (maxAge === undefined) return;
  // Written so that an unknown time is too old.
  if (!(signedAt !== undefined && now.getTime() - signedAt.getTime() <= maxAge)) {
    const when = signedAt === undefined ? 'at no proved time' : `on ${signedAt.toISOString()}`;
    throw new SigstoreError('SIGNATURE_EXPIRED', `it was made ${when}, longer ago than the policy allows`);
  }
}

function needed(root: TrustedRoot | undefined): TrustedRoot {
  if (root === undefined) throw new RangeError('expected a trusted root for this policy, got none');
  return root;
}
