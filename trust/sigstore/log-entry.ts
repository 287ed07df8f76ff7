import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import { memberOf, parseBoundedJson } from './bounded-json.ts';
import { keyIdOf } from './public-key.ts';
import { echo, SigstoreError } from './sigstore-error.ts';

/** What a bundle's signature is to be checked with: the certificate it brought, or the policy's key. */
export interface Verifier {
  readonly certificate: Buffer | undefined;
  readonly key: KeyObject;
}

/** Kinds whose body can be compared with a signature offline. */
const SUPPORTED: ReadonlySet<string> = new Set([
  'hashedrekord/0.0.1',
  'hashedrekord/0.0.2',
  'dsse/0.0.1',
  'dsse/0.0.2',
  'intoto/0.0.2',
]);

/** @throws SigstoreError SIGNATURE_UNSUPPORTED: said as what it is, never passed over. */
export function requireSupported({ kindVersion: { kind, version } }: TransparencyLogEntry): void {
  if (SUPPORTED.has(`${kind}/${version}`)) return;
  throw new SigstoreError(
    'SIGNATURE_UNSUPPORTED',
    `its log entry is of kind ${echo(`${kind}/${version}`)}, expected one of ${[...SUPPORTED].join(', ')}`,
  );
}

/**
 * The key that the log saw must be the one that the signature is now checked with (CVE-2022-36056, CVE-2026-22703): else
 * a log entry that somebody else made would do for any signature. The library does not compare them.
 * @throws SigstoreError SIGNATURE_INVALID
 */
export function checkLoggedKey(entry: TransparencyLogEntry, verifier: Verifier): void {
  const body = parseBoundedJson(entry.canonicalizedBody, 'the body of the log entry', 'short');
  const logged = loggedVerifier(entry, memberOf(body, 'spec'));
  if (logged !== undefined && isSame(logged, verifier)) return;
  throw new SigstoreError('SIGNATURE_INVALID', 'its log entry is about another key or certificate');
}

type Logged = { readonly certificate: Buffer } | { readonly key: KeyObject };

function loggedVerifier({ kindVersion: { kind, version } }: TransparencyLogEntry, spec: unknown): Logged | undefined {
  switch (`${kind}/${version}`) {
    case 'hashedrekord/0.0.1':
      return fromPem(memberOf(memberOf(memberOf(spec, 'signature'), 'publicKey'), 'content'));
    case 'dsse/0.0.1':
      return fromPem(memberOf(only(memberOf(spec, 'signatures')), 'verifier'));
    case 'intoto/0.0.2': {
      const envelope = memberOf(memberOf(spec, 'content'), 'envelope');
      return fromPem(memberOf(only(memberOf(envelope, 'signatures')), 'publicKey'));
    }
    case 'hashedrekord/0.0.2':
      return fromVerifier(memberOf(memberOf(memberOf(spec, 'hashedRekordV002'), 'signature'), 'verifier'));
    case 'dsse/0.0.2':
      return fromVerifier(memberOf(only(memberOf(memberOf(spec, 'dsseV002'), 'signatures')), 'verifier'));
    default:
      return undefined;
  }
}

/** Rekor v1: base64 of PEM. */
function fromPem(value: unknown): Logged | undefined {
  if (typeof value !== 'string') return undefined;
  const pem = Buffer.from(value, 'base64').toString('latin1');
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return { certificate: new X509Certificate(pem).raw };
  return pem.includes('-----BEGIN PUBLIC KEY-----') ? { key: createPublicKey(pem) } : undefined;
}

/** Rekor v2: base64 of DER. */
function fromVerifier(value: unknown): Logged | undefined {
  const certificate = memberOf(memberOf(value, 'x509Certificate'), 'rawBytes');
  if (typeof certificate === 'string') return { certificate: Buffer.from(certificate, 'base64') };
  const key = memberOf(memberOf(value, 'publicKey'), 'rawBytes');
  if (typeof key !== 'string') return undefined;
  return { key: createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' }) };
}

function isSame(logged: Logged, { certificate, key }: Verifier): boolean {
  if ('certificate' in logged) return certificate?.equals(logged.certificate) ?? false;
  return certificate === undefined && keyIdOf(logged.key) === keyIdOf(key);
}

function only(list: unknown): unknown {
  return Array.isArray(list) && list.length === 1 ? list[0] : undefined;
}
