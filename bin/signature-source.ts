import type { UpstreamName } from '../oci/reference.ts';
import {
  type SignatureSource,
  type SignatureSources,
  SourceTooLarge,
  SourceUnavailable,
} from '../trust/sigstore/signature-source.ts';
import type { RegistryClient } from '../upstream/registry-client.ts';
import { BodyTooLarge, UpstreamError } from '../upstream/upstream-error.ts';

type Client = Pick<RegistryClient, 'manifest' | 'blob' | 'referrers'>;

/** `trust` and `upstream` do not know each other: here one's client becomes the other's need. */
export function sourcesThrough(clients: ReadonlyMap<UpstreamName, Client>): SignatureSources {
  const sources = new Map([...clients].map(([name, client]) => [name, sourceThrough(client)]));
  return (upstream) => sources.get(upstream);
}

export function sourceThrough(client: Client): SignatureSource {
  return {
    manifest: (repository, reference, signal) => told(() => client.manifest(repository, reference, signal)),
    referrers: (repository, subject, signal) => told(() => client.referrers(repository, subject, {}, signal)),
    blob: (repository, { digest, size }, signal) =>
      told(async () => {
        const stream = await client.blob(repository, digest, { offset: 0, size }, signal);
        return stream && Buffer.concat(await stream.toArray());
      }),
  };
}

async function told<Value>(ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof BodyTooLarge) throw new SourceTooLarge(error.message, { cause: error });
    if (!(error instanceof UpstreamError)) throw error;
    throw new SourceUnavailable(error.message, { cause: error, retryAfter: error.retryAfter });
  }
}
