import type { Bundle } from '@sigstore/bundle';
import { isObject, memberOf, membersOf, parseBoundedJson, textOf } from './bounded-json.ts';
import { echo, malformed, SigstoreError } from './sigstore-error.ts';

/** What a signer says of an image: read only after the signature was found good. */
export interface ImageClaim {
  readonly kind: 'signature' | 'attestation';
  readonly subjects: readonly Subject[];
  readonly predicateType: string | undefined;
  readonly predicate: unknown;
}

export interface Subject {
  /** `sha256:…`, as a registry writes it; all that were given. */
  readonly digests: readonly string[];
  /** The name it was signed under, where it says one. */
  readonly reference: string | undefined;
  readonly annotations: Readonly<Record<string, unknown>>;
}

const SIMPLE_SIGNING_TYPE = 'cosign container image signature';
const IN_TOTO_PAYLOAD = 'application/vnd.in-toto+json';
const STATEMENT_TYPES: ReadonlySet<unknown> = new Set([
  'https://in-toto.io/Statement/v0.1',
  'https://in-toto.io/Statement/v1',
]);
/** What cosign 3 writes for a signature that is nothing but one. */
export const COSIGN_SIGN = 'https://sigstore.dev/cosign/sign/v1';

/** @param artifact the payload of a message signature. @throws SigstoreError METADATA_INVALID, SIGNATURE_UNSUPPORTED, SUBJECT_MISMATCH */
export function readClaim({ content }: Bundle, artifact: Uint8Array | undefined): ImageClaim {
  if (content.$case === 'dsseEnvelope') {
    const { payload, payloadType } = content.dsseEnvelope;
    if (payloadType !== IN_TOTO_PAYLOAD) {
      throw new SigstoreError(
        'SIGNATURE_UNSUPPORTED',
        `expected a payload ${IN_TOTO_PAYLOAD}, got ${echo(payloadType)}`,
      );
    }
    return readStatement(payload);
  }
  if (artifact === undefined) throw malformed('the signature', 'what it is over', 'nothing');
  return readSimpleSigning(artifact);
}

/** in-toto attestation, Statement v1 and v0.1. @throws SigstoreError */
export function readStatement(payload: Uint8Array): ImageClaim {
  const statement = parseBoundedJson(payload, 'the statement', 'any');
  const type = memberOf(statement, '_type');
  if (!STATEMENT_TYPES.has(type)) throw malformed('the statement', 'an in-toto statement', echo(String(type)));
  const predicateType = textOf(memberOf(statement, 'predicateType'), 'predicateType of the statement');
  const subjects = membersOf(memberOf(statement, 'subject'), 'subject of the statement').map(subjectOf);
  if (subjects.length === 0) throw malformed('the statement', 'a subject', 'none');
  const kind = predicateType === COSIGN_SIGN ? 'signature' : 'attestation';
  return { kind, subjects, predicateType, predicate: memberOf(statement, 'predicate') };
}

function subjectOf(subject: unknown): Subject {
  const digest = memberOf(subject, 'digest');
  const name = memberOf(subject, 'name');
  const annotations = memberOf(subject, 'annotations');
  return {
    digests: isObject(digest) ? Object.entries(digest).map(([algorithm, hex]) => `${algorithm}:${String(hex)}`) : [],
    reference: typeof name === 'string' && name !== '' ? name : undefined,
    annotations: isObject(annotations) ? annotations : {},
  };
}

/** containers/image, "simple signing", as cosign writes it. */
function readSimpleSigning(payload: Uint8Array): ImageClaim {
  const document = parseBoundedJson(payload, 'the signed payload', 'any');
  const critical = memberOf(document, 'critical');
  const type = memberOf(critical, 'type');
  if (type !== SIMPLE_SIGNING_TYPE) {
    throw new SigstoreError('SUBJECT_MISMATCH', `expected a ${SIMPLE_SIGNING_TYPE}, got ${echo(String(type))}`);
  }
  const digest = textOf(memberOf(memberOf(critical, 'image'), 'docker-manifest-digest'), 'docker-manifest-digest');
  const reference = memberOf(memberOf(critical, 'identity'), 'docker-reference');
  const optional = memberOf(document, 'optional');
  const subject: Subject = {
    digests: [digest],
    reference: typeof reference === 'string' && reference !== '' ? reference : undefined,
    annotations: isObject(optional) ? optional : {},
  };
  return { kind: 'signature', subjects: [subject], predicateType: undefined, predicate: undefined };
}
