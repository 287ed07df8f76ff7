/** Manifest media types served and asked for: OCI image-spec and Docker image manifest v2, schema 2. */
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
/** The artifact manifest of image-spec 1.1-rc; withdrawn, still stored in registries. */
export const OCI_ARTIFACT = 'application/vnd.oci.artifact.manifest.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

export const MANIFEST_MEDIA_TYPES = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST, OCI_ARTIFACT] as const;
export type ManifestMediaType = (typeof MANIFEST_MEDIA_TYPES)[number];

export function isManifestMediaType(text: string): text is ManifestMediaType {
  return (MANIFEST_MEDIA_TYPES as readonly string[]).includes(text);
}

export function isIndexMediaType(text: string): boolean {
  return text === OCI_INDEX || text === DOCKER_LIST;
}

/** A Content-Type without its parameters, lower case. */
export function mediaTypeOf(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}
