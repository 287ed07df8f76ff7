import type { Certificate } from './certificate.ts';

/** When something is looked at; `anytime` leaves validity periods aside, for what was checked when it was new. */
export type Moment = Date | 'anytime';

/** Clocks of publishers run ahead; Notary allows a certificate to be this much too young. */
const NOT_BEFORE_LEEWAY_MS = 24 * 60 * 60 * 1000;

/** Leaf, three intermediates, root: deeper than any private PKI, and it bounds the search. */
const CHAIN_LIMIT = 5;

/** NIST: 2048 bits is the least RSA modulus still allowed; for the certificates between leaf and anchor. */
const RSA_BITS_LEAST = 2048;

/** Why the certificate is not valid at that moment, or `undefined`. */
export function outOfPeriod(certificate: Certificate, at: Moment): string | undefined {
  const { notBefore, notAfter } = certificate;
  if (!(notBefore < notAfter)) return 'a validity period that ends before it begins';
  if (at === 'anytime') return undefined;
  if (at.getTime() < notBefore.getTime() - NOT_BEFORE_LEEWAY_MS) return `not valid before ${notBefore.toISOString()}`;
  if (at >= notAfter) return `expired ${notAfter.toISOString()}`;
  return undefined;
}

/**
 * Whether the leaf was issued by one of the anchors, directly or through the intermediates given: names, signatures,
 * CA flag, key usage, path length, validity and key sizes of each link. Certificates with critical extensions we do not
 * know (name constraints, for one) are no link: RFC 5280, section 4.2, asks to reject what is not understood.
 */
export function chainsTo(
  anchors: readonly Certificate[],
  leaf: Certificate,
  intermediates: readonly Certificate[],
  at: Moment,
): boolean {
  if (!isSound(leaf, at)) return false;
  if (anchors.some(({ x509 }) => x509.raw.equals(leaf.x509.raw))) return true;
  return reaches({ anchors, intermediates, at }, leaf, 0);
}

interface Search {
  readonly anchors: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly at: Moment;
}

function reaches(search: Search, child: Certificate, below: number): boolean {
  if (below >= CHAIN_LIMIT) return false;
  const issued = (issuer: Certificate) => isSound(issuer, search.at) && hasIssued(issuer, child, below);
  if (search.anchors.some(issued)) return true;
  // A used intermediate leaves the search, so it is linear in depth and cannot run in circles.
  return search.intermediates.some(
    (issuer) =>
      issued(issuer) &&
      reaches(
        { ...search, intermediates: search.intermediates.filter((other) => other !== issuer) },
        issuer,
        below + 1,
      ),
  );
}

function hasIssued(issuer: Certificate, child: Certificate, below: number): boolean {
  return (
    issuer.x509.ca &&
    // Without this a CA that was only allowed to issue leaves could make CAs of its own.
    below <= issuer.pathLength &&
    child.x509.checkIssued(issuer.x509) &&
    child.x509.verify(issuer.x509.publicKey)
  );
}

function isSound(certificate: Certificate, at: Moment): boolean {
  const bits = certificate.x509.publicKey.asymmetricKeyDetails?.modulusLength ?? RSA_BITS_LEAST;
  return (
    bits >= RSA_BITS_LEAST && certificate.unknownCritical.length === 0 && outOfPeriod(certificate, at) === undefined
  );
}
