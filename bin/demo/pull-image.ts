import { type Digest, matchesDigest, parseDigest } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { parseImage } from '../verify.ts';

/** What a client got of a pull, as a client sees it. */
export interface Answer {
  readonly outcome: 'admitted' | 'refused' | 'undetermined';
  readonly status: number;
  /** The digest that was pulled, or the sentence that came instead. */
  readonly text: string;
}

/** Pulls an image as a client does: its manifest, then every blob, each checked. */
export async function pullImage(url: string, image: string): Promise<Answer> {
  const { path, reference } = parseImage(image);
  const wanted = reference.kind === 'tag' ? reference.tag : reference.digest;
  const response = await fetch(`${url}/v2/${path}/manifests/${wanted}`);
  if (response.status !== 200) return refusal(response);
  const bytes = Buffer.from(await response.arrayBuffer());
  const manifest = parseManifest(bytes, response.headers.get('content-type') ?? '');
  for (const blob of manifest.blobs) {
    const refused = await pullBlob(`${url}/v2/${path}/blobs/${blob.digest}`, blob.digest);
    if (refused !== undefined) return refused;
  }
  return { outcome: 'admitted', status: 200, text: parseDigest(response.headers.get('docker-content-digest') ?? '') };
}

async function pullBlob(url: string, digest: Digest): Promise<Answer | undefined> {
  const response = await fetch(url);
  if (response.status !== 200) return refusal(response);
  try {
    const bytes = Buffer.from(await response.arrayBuffer());
    if (matchesDigest(bytes, digest)) return undefined;
    throw new Error(`DockLock served bytes that are not ${digest}`);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // The body ended short of its length: what a client sees when the last byte was held back.
    return {
      outcome: 'refused',
      status: response.status,
      text: `the body was cut off before its last byte (${digest})`,
    };
  }
}

async function refusal(response: Response): Promise<Answer> {
  const { errors } = (await response.json()) as { errors: { message: string }[] };
  const outcome = response.status === 403 ? 'refused' : 'undetermined';
  return { outcome, status: response.status, text: errors[0]?.message ?? response.statusText };
}
