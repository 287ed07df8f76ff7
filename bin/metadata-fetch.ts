import { parseTag, type RepositoryName, tagReference } from '../oci/reference.ts';
import { RegistryError } from '../oci/registry-error.ts';
import { type MetadataFetch, MetadataTooLarge, MetadataUnavailable } from '../trust/fetch-metadata.ts';
import type { MetadataImages } from '../trust/tuf/image-source.ts';
import type { MetadataClient } from '../upstream/metadata-client.ts';
import type { RegistryClient } from '../upstream/registry-client.ts';
import { BodyTooLarge, UpstreamError } from '../upstream/upstream-error.ts';

/** `trust` and `upstream` do not know each other: here one's client becomes the other's need. */
export function fetchThrough(client: Pick<MetadataClient, 'get'>): MetadataFetch {
  return {
    get: async (url, limit) => {
      try {
        return await client.get(url, limit);
      } catch (error) {
        throw metadataError(error);
      }
    },
  };
}

/** The same for metadata that a registry keeps in an image. */
export function imagesThrough(
  client: Pick<RegistryClient, 'manifest' | 'blob'>,
  repository: RepositoryName,
): MetadataImages {
  return {
    manifest: async (text) => {
      try {
        return (await client.manifest(repository, tagReference(parseTag(text))))?.bytes;
      } catch (error) {
        // The name of a role that no tag can have.
        if (error instanceof RegistryError) return undefined;
        throw metadataError(error);
      }
    },
    blob: async (digest, size) => {
      try {
        const stream = await client.blob(repository, digest, { offset: 0, size });
        return stream && Buffer.concat(await stream.toArray());
      } catch (error) {
        throw metadataError(error);
      }
    },
  };
}

/**
 * A bucket whose contents may not be listed answers 403 for a file that is not there. Of all files only the next root is looked for
 * in vain every time, and every TUF client takes 403 for the end of the roots; it says no more than a 404 would.
 */
export function rootsEndingIn403(client: Pick<MetadataClient, 'get'>): Pick<MetadataClient, 'get'> {
  return {
    get: async (url, limit) => {
      try {
        return await client.get(url, limit);
      } catch (error) {
        const isForbidden = error instanceof UpstreamError && error.failure === 'denied' && error.status === 403;
        if (isForbidden && /\/[0-9]+\.root\.json$/.test(url)) return { kind: 'missing' };
        throw error;
      }
    },
  };
}

function metadataError(error: unknown): unknown {
  if (error instanceof BodyTooLarge) return new MetadataTooLarge(error.message, { cause: error });
  if (!(error instanceof UpstreamError)) return error;
  return new MetadataUnavailable(error.message, { cause: error, retryAfter: error.retryAfter });
}
