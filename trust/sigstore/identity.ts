import type { SigningCertificate } from './certificate.ts';
import type { CertificateSigner } from './policy.ts';
import { echo, SigstoreError } from './sigstore-error.ts';
import { matchesPattern } from './text-pattern.ts';

/**
 * Whether the certificate is that of the wanted signer: issuer and identity as whole texts. The library would take the
 * identity for a regular expression that may match anywhere, and an empty one for none.
 * @throws SigstoreError IDENTITY_MISMATCH
 */
export function checkIdentity(certificate: SigningCertificate, wanted: CertificateSigner): void {
  const { identity, issuer, claims } = certificate;
  if (issuer !== wanted.issuer) {
    throw mismatch(`was authenticated by ${quoted(issuer)}`, `by ${echo(wanted.issuer)}`);
  }
  // Fulcio's URIs, addresses and user names are different things, even where their texts are alike.
  const kind = wanted.identity.text.includes('://') ? identity.kind === 'uri' : identity.kind !== 'uri';
  if (!kind || !matchesPattern(wanted.identity, identity.text)) {
    throw mismatch(`is ${echo(identity.text)}`, echo(wanted.identity.text));
  }
  for (const [name, pattern] of wanted.claims) {
    const claim = claims.get(name);
    if (claim === undefined || !matchesPattern(pattern, claim)) {
      throw mismatch(`has ${name} ${quoted(claim)}`, echo(pattern.text));
    }
  }
}

function mismatch(got: string, expected: string): SigstoreError {
  return new SigstoreError('IDENTITY_MISMATCH', `the signer ${got}, expected ${expected}`);
}

function quoted(text: string | undefined): string {
  return text === undefined ? 'none' : echo(text);
}
