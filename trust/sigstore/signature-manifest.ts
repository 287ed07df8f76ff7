import { type Digest, isDigest } from '../../oci/digest.ts';
import { type Descriptor, parseManifest } from '../../oci/manifest.ts';
import { isObject, memberOf, membersOf } from './bounded-json.ts';
import { echo, SigstoreError } from './sigstore-error.ts';
import type { Served } from './signature-source.ts';

/** A manifest that holds signatures, or an index that lists manifests, with the annotations that `oci/` has no use for. */
export interface SignatureManifest {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly artifactType: string | undefined;
  readonly subject: Descriptor | undefined;
  readonly layers: readonly Annotated[];
  readonly manifests: readonly Annotated[];
}

export interface Annotated {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType: string | undefined;
  readonly annotations: ReadonlyMap<string, string>;
}

/**
 * @param expected the digest it was asked for by; undefined for a tag or a list of referrers
 * @throws SigstoreError METADATA_INVALID, METADATA_MISMATCH
 */
export function readSignatureManifest({ bytes, contentType }: Served, expected: Digest | undefined): SignatureManifest {
  const manifest = parsed(bytes, contentType, expected);
  if (expected !== undefined && manifest.digest !== expected) {
    throw new SigstoreError(
      'METADATA_MISMATCH',
      `the registry serves ${manifest.digest} where ${expected} was asked for`,
    );
  }
  // Parsed again for its annotations: what `parseManifest` took is JSON, an object, and has descriptors where they belong.
  const document: unknown = JSON.parse(new TextDecoder().decode(bytes));
  const type = memberOf(document, 'artifactType') ?? memberOf(memberOf(document, 'config'), 'mediaType');
  return {
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: bytes.byteLength,
    artifactType: typeof type === 'string' ? type : undefined,
    subject: manifest.subject,
    layers: annotatedAt(document, 'layers'),
    manifests: annotatedAt(document, 'manifests'),
  };
}

function parsed(bytes: Uint8Array, contentType: string, expected: Digest | undefined) {
  try {
    return parseManifest(bytes, contentType, expected?.startsWith('sha512:') ? 'sha512' : 'sha256');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : echo(String(cause));
    throw new SigstoreError('METADATA_INVALID', `a manifest with signatures is malformed: ${why}`, { cause });
  }
}

function annotatedAt(document: unknown, field: string): Annotated[] {
  return membersOf(memberOf(document, field) ?? undefined, field).flatMap((entry): Annotated[] => {
    const { mediaType, digest, size, artifactType, annotations } = isObject(entry) ? entry : {};
    if (typeof mediaType !== 'string' || typeof digest !== 'string' || !isDigest(digest) || typeof size !== 'number') {
      return [];
    }
    const texts = Object.entries(isObject(annotations) ? annotations : {}).filter(
      (annotation): annotation is [string, string] => typeof annotation[1] === 'string',
    );
    return [
      {
        mediaType,
        digest,
        size,
        artifactType: typeof artifactType === 'string' ? artifactType : undefined,
        annotations: new Map(texts),
      },
    ];
  });
}
