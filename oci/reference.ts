import { type Digest, parseDigest } from './digest.ts';
import { RegistryError } from './registry-error.ts';

declare const brand: unique symbol;

/** A repository's path within its registry: `library/nginx`. distribution-spec, "Pulling manifests". */
export type RepositoryName = string & { readonly [brand]: 'RepositoryName' };

/** The name of an upstream as references spell it: `docker.io`, `ghcr.io`, `corp`, `registry.example:5000`. */
export type UpstreamName = string & { readonly [brand]: 'UpstreamName' };

export type Tag = string & { readonly [brand]: 'Tag' };

export type Reference =
  | { readonly kind: 'tag'; readonly tag: Tag }
  | { readonly kind: 'digest'; readonly digest: Digest };

/** A repository of an upstream. What policy is asked about, whichever way a client spelt it. */
export interface ImageName {
  readonly upstream: UpstreamName;
  readonly repository: RepositoryName;
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const UPSTREAM = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?$/;

/** Clients limit registry host and name together to 255 characters; distribution-spec, "Pulling manifests". */
const NAME_LIMIT = 255;

const ECHO_LIMIT = 80;

/** @throws RegistryError NAME_INVALID. Length is checked before the pattern, so no text makes it slow. */
export function parseRepositoryName(text: string): RepositoryName {
  if (text.length > NAME_LIMIT || !REPOSITORY.test(text)) {
    throw new RegistryError('NAME_INVALID', `expected a repository name such as library/nginx, got ${echo(text)}`);
  }
  return text as RepositoryName;
}

/** @throws RegistryError TAG_INVALID. */
export function parseTag(text: string): Tag {
  if (!isTag(text)) {
    throw new RegistryError(
      'TAG_INVALID',
      `expected a tag of 1 to 128 letters, digits, "_", "." or "-", got ${echo(text)}`,
    );
  }
  return text;
}

export function isTag(text: string): text is Tag {
  return TAG.test(text);
}

/** @throws RegistryError NAME_INVALID. */
export function parseUpstreamName(text: string): UpstreamName {
  if (!isUpstreamName(text)) {
    throw new RegistryError('NAME_INVALID', `expected a registry host such as docker.io, got ${echo(text)}`);
  }
  return text;
}

export function isUpstreamName(text: string): text is UpstreamName {
  return UPSTREAM.test(text);
}

/** A tag or a digest, told apart by the colon that no tag can have. @throws RegistryError TAG_INVALID, DIGEST_INVALID. */
export function parseReference(text: string): Reference {
  return text.includes(':') ? { kind: 'digest', digest: parseDigest(text) } : { kind: 'tag', tag: parseTag(text) };
}

export function tagReference(tag: Tag): Reference {
  return { kind: 'tag', tag };
}

export function digestReference(digest: Digest): Reference {
  return { kind: 'digest', digest };
}

/** The text of the reference alone: `1.27` or `sha256:…`. */
export function referenceText(reference: Reference): string {
  return reference.kind === 'tag' ? reference.tag : reference.digest;
}

/** `docker.io/library/nginx`: the name that policy patterns are matched against. */
export function nameText(name: ImageName): string {
  return `${name.upstream}/${name.repository}`;
}

/** `docker.io/library/nginx:1.27` or `docker.io/library/nginx@sha256:…`. */
export function imageText(name: ImageName, reference: Reference): string {
  return `${nameText(name)}${reference.kind === 'tag' ? ':' : '@'}${referenceText(reference)}`;
}

function echo(text: string): string {
  return JSON.stringify(text.slice(0, ECHO_LIMIT));
}
