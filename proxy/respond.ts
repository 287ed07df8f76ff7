import { pipeline } from 'node:stream/promises';
import type { Context } from 'koa';
import { OCI_INDEX } from '../oci/media-type.ts';
import { type ImageName, nameText } from '../oci/reference.ts';
import { sentence } from './denial.ts';
import { reasonPhrase } from './error-response.ts';
import type { ReferrerList } from './list-referrers.ts';
import type { AdmittedBlob, BlobBody } from './pull-blob.ts';
import type { PulledManifest } from './pull-manifest.ts';
import type { PassedOn } from './signature-material.ts';

/** Names the image that signature material is about: it is passed on for the client's own check, and nobody vouches for it. */
const MATERIAL_OF = 'DockLock-Signature-Material-Of';

/**
 * Only an admitted manifest, or signature material of one, type-checks here: nothing else can leave. HEAD is the same without
 * the body.
 */
export function respondWithManifest(ctx: Context, pulled: PulledManifest | PassedOn, image: string): void {
  const { verdict } = pulled;
  const manifest = 'material' in pulled ? pulled.material.manifest : pulled.manifest;
  if ('material' in pulled) ctx.set(MATERIAL_OF, pulled.material.subject);
  ctx.status = 200;
  ctx.set({
    'Content-Type': manifest.mediaType,
    'Content-Length': `${manifest.bytes.byteLength}`,
    'Docker-Content-Digest': manifest.digest,
    ETag: `"${manifest.digest}"`,
  });
  if (verdict.warning !== undefined) {
    const text = reasonPhrase(sentence(image, verdict.warning)).replace(/["\\]/g, "'");
    ctx.set('Warning', `299 - "${text}"`);
  }
  ctx.body = Buffer.from(manifest.bytes.buffer, manifest.bytes.byteOffset, manifest.bytes.byteLength);
}

/** Headers of a blob, whole or in part; what a HEAD gets. */
export function blobHeaders(ctx: Context, blob: AdmittedBlob, range: BlobBody['range']): void {
  const length = range === undefined ? blob.size : range.end - range.start + 1;
  ctx.status = range === undefined ? 200 : 206;
  ctx.set({
    'Content-Type': 'application/octet-stream',
    'Content-Length': `${length}`,
    'Docker-Content-Digest': blob.digest,
    'Accept-Ranges': 'bytes',
    ETag: `"${blob.digest}"`,
    // Content-addressed: what this address holds can never change.
    'Cache-Control': 'private, max-age=31536000, immutable',
  });
  if (range !== undefined) ctx.set('Content-Range', `bytes ${range.start}-${range.end}/${blob.size}`);
}

/**
 * Streams the body. A failure on the way destroys the connection short of Content-Length, so that no client can take it
 * for whole; a client that leaves ends only its own stream.
 */
export async function respondWithBlob(ctx: Context, blob: AdmittedBlob, body: BlobBody): Promise<void> {
  blobHeaders(ctx, blob, body.range);
  ctx.respond = false;
  const { res } = ctx;
  res.statusCode = ctx.status;
  await pipeline(body.stream, res);
}

export function respondWithReferrers(ctx: Context, list: ReferrerList): void {
  ctx.status = 200;
  ctx.body = Buffer.from(list.bytes);
  ctx.set('Content-Type', OCI_INDEX);
  if (list.filtered) ctx.set('OCI-Filters-Applied', 'artifactType');
}

/** distribution-spec, "Proxying": the answer repeats which namespace it speaks for. */
export function announceNamespace(ctx: Context, name: ImageName): void {
  ctx.set('OCI-Namespace', name.upstream);
  ctx.state.image = nameText(name);
}
