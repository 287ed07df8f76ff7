import { createHash } from 'node:crypto';
import type { DockerRegistry } from './docker-registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** Pushes an image of one layer, which nobody runs, without any docker. Answers its digest. */
export async function pushSmallImage(
  registry: DockerRegistry,
  repository: string,
  tag: string,
  content: string,
): Promise<string> {
  const layer = await pushBlob(registry, repository, LAYER, Buffer.from(content));
  const rootfs = { type: 'layers', diff_ids: [layer.digest] };
  const config = { architecture: 'amd64', os: 'linux', rootfs };
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: await pushBlob(registry, repository, CONFIG, Buffer.from(JSON.stringify(config))),
    layers: [layer],
  });
  return await registry.putManifest(repository, tag, MANIFEST, new Uint8Array(Buffer.from(body)));
}

async function pushBlob({ url }: DockerRegistry, repository: string, mediaType: string, bytes: Buffer) {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const begun = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const to = new URL(begun.headers.get('location') ?? '', url);
  to.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  const { status } = await fetch(to, { method: 'PUT', headers, body: new Uint8Array(bytes) });
  if (status !== 201) throw new Error(`expected 201 for a blob, got ${status}`);
  return { mediaType, digest, size: bytes.byteLength };
}
