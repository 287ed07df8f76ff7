export const IN_TOTO = 'application/vnd.in-toto+json';

/** What cosign 3 signs for an image. */
export function imageStatement(digest: string, more: { name?: string; annotations?: object } = {}): object {
  const [algorithm = '', hex = ''] = digest.split(':');
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { [algorithm]: hex }, ...more }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  };
}

export function attestation(digest: string, predicateType: string, predicate: object = {}, name = ''): object {
  return { ...imageStatement(digest, { name }), predicateType, predicate };
}

/** What cosign 1 and 2 sign for an image. */
export function simpleSigning(digest: string, reference = 'corp/app', optional: object = {}): object {
  return {
    critical: {
      identity: { 'docker-reference': reference },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional,
  };
}
