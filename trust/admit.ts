import type { Manifest } from '../oci/manifest.ts';
import { type Admitted, type Refused, refused } from './verdict.ts';

declare const proof: unique symbol;

/** A manifest whose bytes are those of an admitted digest. Only `admit` makes one, and only this type can be served. */
export type AdmittedManifest = Manifest & { readonly [proof]: true };

/**
 * Binds a verdict to bytes. The digest was computed from the bytes in hand by `parseManifest`, so an upstream that
 * answers verify and fetch differently, or serves other bytes for a digest, is found here.
 */
export function admit(verdict: Admitted, manifest: Manifest): AdmittedManifest | Refused {
  if (manifest.digest !== verdict.digest) {
    return refused('CONTENT_MISMATCH', `the upstream serves ${manifest.digest} where ${verdict.digest} was asked for`, {
      rule: verdict.rule,
      evidence: verdict.evidence,
    });
  }
  if (verdict.size !== undefined && verdict.size !== manifest.bytes.byteLength) {
    return refused(
      'CONTENT_MISMATCH',
      `the manifest has ${manifest.bytes.byteLength} bytes where ${verdict.size} were signed`,
      { rule: verdict.rule, evidence: verdict.evidence },
    );
  }
  return manifest as AdmittedManifest;
}
