/**
 * How one publisher signs its images, as it says itself: data of this version, embedded and reviewed, never fetched.
 * One file each in config/presets/, listed in config/preset-catalog.ts.
 */
export interface Preset {
  /** What a configuration calls it. */
  readonly name: string;
  readonly publisher: string;
  /** Counted up when what it verifies changes. */
  readonly version: number;
  /** Patterns of the images it is meant for, with `{owner}` to be filled in where the preset asks for one. */
  readonly images: readonly string[];
  /** Of its registries, those that serve nobody without a login. */
  readonly login?: readonly string[];
  /** An image to try it with. */
  readonly example: string;
  /** Who signs, in a few words. */
  readonly signedBy: string;
  readonly verifies: PresetSigner;
  /** The page of the publisher that says so. */
  readonly source: string;
  /** The day on which it was compared with that page: YYYY-MM-DD. */
  readonly checked: string;
  readonly confidence: 'high' | 'medium';
  /** One sentence about where the material comes from, or how good it is. */
  readonly note: string;
  /** What it does not cover, a sentence each, besides what no signature covers. */
  readonly gaps: readonly string[];
}

export type PresetSigner =
  /** Keyless: a certificate for this identity, with `*` as in the configuration. */
  | { readonly kind: 'identity'; readonly issuer: string; readonly identity: string }
  /** GitHub's artifact attestations of the owner, perhaps of one repository, that the configuration names. */
  | { readonly kind: 'github-owner'; readonly issuer: string; readonly predicateType: string }
  /** A public key that is part of the preset. */
  | { readonly kind: 'key'; readonly pem: string; readonly sha256: string }
  /** Public keys that could not be made part of it: the operator downloads them. */
  | {
      readonly kind: 'key-file';
      readonly downloads: readonly KeyDownload[];
      /** What each key must be: SHA-256 of its SubjectPublicKeyInfo, lower-case hex. Undefined: not known here. */
      readonly sha256: string | undefined;
    };

export interface KeyDownload {
  readonly url: string;
  /** The name that explanations give the file. */
  readonly file: string;
  /** Which images it is for. */
  readonly covers: string;
}

/** A publisher of well-known images of whom no way of verifying them is known, and what is open to who needs them. */
export interface UnsignedPublisher {
  readonly name: string;
  readonly publisher: string;
  readonly images: readonly string[];
  readonly why: string;
  /** A signed alternative, to be read after "pull". */
  readonly instead: string;
  readonly checked: string;
}
