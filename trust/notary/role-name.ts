import { echo, malformed } from '../metadata/metadata-error.ts';

declare const brand: unique symbol;

/** `targets/…`: a role that another targets role delegates to. Safe as a part of a URL path. */
export type DelegationName = string & { readonly [brand]: 'DelegationName' };

/** The name of a role that signs targets. */
export type TargetsName = 'targets' | DelegationName;

export const BASE_ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const;
export type BaseRole = (typeof BASE_ROLES)[number];

export type RoleName = BaseRole | DelegationName;

/** The delegation whose word on a tag Docker takes before that of `targets`. */
export const RELEASES = 'targets/releases' as DelegationName;

/** Notary's own limit on the name of a role. */
const NAME_LIMIT = 255;

/** Parts of lower-case letters, digits, `-` and `_`: no dots, so no `..`, and no empty part, so no `//`. */
const DELEGATION = /^targets(?:\/[-a-z0-9_]+)+$/;

export function isDelegationName(text: string): text is DelegationName {
  return text.length <= NAME_LIMIT && DELEGATION.test(text);
}

/** @throws MetadataError METADATA_INVALID: the name becomes part of a URL (`targets/../x` would be another file). */
export function parseDelegationName(text: string, where: string): DelegationName {
  if (!isDelegationName(text)) {
    throw malformed(where, 'delegation names such as targets/releases', echo(text));
  }
  return text;
}

/** The role that may delegate to this one: its name without the last part. */
export function parentOf(name: DelegationName): TargetsName {
  return name.slice(0, name.lastIndexOf('/')) as TargetsName;
}

/** A signer as an operator writes it, `alice` or `targets/alice`. @throws RangeError */
export function parseSigner(text: string): DelegationName {
  const name = text.startsWith('targets/') ? text : `targets/${text}`;
  if (!isDelegationName(name)) {
    throw new RangeError(`expected a signer such as alice or targets/alice, got ${echo(text)}`);
  }
  return name;
}
