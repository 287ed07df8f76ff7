import { type KeyObject, sign } from 'node:crypto';
import { bitString, objectId, sequence } from './der.ts';
import { derChildren, derElement } from '../../trust/der.ts';

const SUBJECT_ALT_NAME = objectId('2.5.29.17');
/** `critical: true`, in front of the extension's value. */
const CRITICAL_LENGTH = 3;
const EMAIL_TAG = 0x81;

/**
 * @sigstore/mock makes every identity a URI. Where it is one of these, this makes it an e-mail address and signs anew, as
 * Fulcio does for service accounts; any other certificate is returned as it is.
 */
export function withMailAddress(certificate: Buffer, caKey: KeyObject, addresses: ReadonlySet<string>): Buffer {
  const extension = certificate.indexOf(SUBJECT_ALT_NAME) + SUBJECT_ALT_NAME.byteLength;
  const names = derElement(certificate, derElement(certificate, extension + CRITICAL_LENGTH).start);
  const name = derElement(certificate, names.start);
  if (!addresses.has(certificate.toString('latin1', name.start, name.end))) return certificate;
  const changed = Buffer.from(certificate);
  changed[names.start] = EMAIL_TAG;
  const outer = derElement(changed, 0);
  const [tbs, algorithm] = derChildren(changed, outer);
  if (tbs === undefined || algorithm === undefined) throw new Error('the mock made no certificate');
  const signed = changed.subarray(outer.start, tbs.end);
  return sequence(signed, changed.subarray(tbs.end, algorithm.end), bitString(sign('sha384', signed, caKey)));
}
