import type { Reason } from '../trust/reason.ts';
import type { Denied } from '../trust/verdict.ts';
import { waysOpen } from './ways-open.ts';

/** A request ends with a verdict that denies it. Carries what the answer, the log and the audit need. */
export class DeniedError extends Error {
  override readonly name = 'DeniedError';
  readonly image: string;
  readonly verdict: Denied;

  /** @param image the upstream name with tag or digest, as policy saw it */
  constructor(image: string, verdict: Denied) {
    super(sentence(image, verdict));
    this.image = image;
    this.verdict = verdict;
  }
}

/** One line for the person at the terminal: the image, why, and what to do. */
export function sentence(image: string, verdict: Denied): string {
  const said = verdict.outcome === 'refused' ? 'DockLock refused' : 'DockLock could not verify';
  const advice = (verdict.reason === 'NO_RULE' ? waysOpen(image) : undefined) ?? ADVICE[verdict.reason];
  return `${said} ${image}: ${verdict.message} [${verdict.reason}]. ${advice}`;
}

const NEWER = 'Wait for the publisher to sign again; the gateway never goes back to older metadata';

/** What to do about it, for every reason there is. */
const ADVICE: Record<Reason, string> = {
  NO_RULE:
    "Add a rule for it to the gateway's policy (docklock presets: whose signatures are known), vouch for it (docklock vouch), or pull an image that a rule covers",
  NOT_SIGNED: 'Ask the publisher to sign it, or pull a signed image',
  TAG_NOT_SIGNED: 'Pull a signed tag, or ask the publisher to sign this one',
  DIGEST_NOT_SIGNED: 'Pull it by its tag, or pull a digest that is signed now',
  SIGNATURE_INVALID: 'Do not use it; tell the publisher and who runs the trust server',
  KEY_NOT_TRUSTED: 'Compare the pinned key in the configuration with the key the publisher announces',
  IDENTITY_MISMATCH: 'Compare the identity in the configuration with the one the publisher announces',
  SUBJECT_MISMATCH: 'Ask the publisher to sign this very image under this name',
  SIGNATURE_UNLOGGED: 'Ask the publisher to sign it with a transparency log',
  SIGNATURE_EXPIRED: 'Ask the publisher to sign it again',
  SIGNATURE_UNSUPPORTED: 'Ask the publisher to sign it again with a current cosign',
  ATTESTATION_MISSING: 'Ask the publisher to attach the attestation that the policy requires',
  METADATA_EXPIRED: 'Ask the publisher, or who runs the trust server, to renew the signatures',
  METADATA_ROLLBACK: NEWER,
  METADATA_MISMATCH: 'Try again shortly; if it stays, tell who runs the trust server',
  METADATA_INVALID: 'Tell who runs the trust server',
  SIGNERS_MISSING: 'Ask the missing signer to sign this tag',
  SIGNERS_DISAGREE: 'Ask the signers which content they mean',
  AUTHORITIES_DISAGREE: 'Ask the publishers which content they mean',
  TRUST_STATE_DAMAGED: 'Ask who runs the gateway to restore its trust state from a backup (docs/operations.md)',
  CONTENT_MISMATCH: 'Do not use it; tell who runs the upstream registry',
  MANIFEST_INVALID: 'Ask the publisher to push a well-formed image',
  NOT_ADMITTED: 'Pull the image by its tag or digest first, then its blobs',
  TRUST_UNREACHABLE: 'Try again later; this does not say that the image is bad',
  TRUST_STALE: 'Try again later; this does not say that the image is bad',
  TRUST_STATE_UNWRITABLE: 'Ask who runs the gateway to look at its data folder',
  UPSTREAM_UNREACHABLE: 'Try again later; this does not say that the image is bad',
  INTERNAL: "Try again later, and report it with the gateway's log",
};
