/** Cosign: signatures and attestations kept in a registry. */
export interface CosignConfig {
  readonly kind: 'cosign';
  /** The name that rules use. */
  readonly name: string;
  /** The preset it was made of, and the patterns of the images that one is meant for. Default: none. */
  readonly preset?: { readonly name: string; readonly version: number; readonly images: readonly string[] };
  readonly signer: CosignSigner;
  /** Whose CAs, logs and timestamps are believed. Default: Sigstore's public good instance. */
  readonly trustRoot: TrustRootConfig;
  /** How long a trusted root that is kept fresh may be used when it cannot be refreshed. Default: 90 days. */
  readonly trustRootMaxAge: number;
  /** Default: a signature of the image, no attestation. */
  readonly predicateType?: string;
  /** Texts, perhaps with `*`, by path within the predicate. Default: none. */
  readonly predicate: Readonly<Record<string, string>>;
  /** Default: none. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The name the image must have been signed under, with `{registry}` and `{repository}` to be filled in. Default: any. */
  readonly reference?: string;
  /** How old a signature may be. Default: any age. */
  readonly maxAge?: number;
  /** Upstream and repository that hold the signatures, with the same to be filled in. Default: beside the image. */
  readonly repository?: string;
  /** Whether a signed attestation manifest of BuildKit's counts too. Default: false. */
  readonly attestationManifests: boolean;
  /** How long what was found good is used before the registry is asked again. Default: 1 hour. */
  readonly recheck: number;
}

export type TrustRootConfig =
  /** Sigstore's public good instance, kept fresh from its TUF repository. */
  | { readonly kind: 'public-good' }
  /** A trusted_root.json. */
  | { readonly kind: 'file'; readonly path: string }
  /** Kept fresh from a TUF repository: a private deployment's, GitHub's, or a mirror. */
  | {
      readonly kind: 'tuf';
      /** http or https, without a slash at the end: metadata is under it, targets under `targets/`. */
      readonly mirror: string;
      /** The root.json at which trust begins. */
      readonly root: string;
      /** The name of the trusted root among the targets. Default: trusted_root.json. */
      readonly target: string;
      /** PEM file of the only CAs the server may show. Default: the system's. */
      readonly ca?: string;
    };

export type CosignSigner =
  | {
      readonly kind: 'keys';
      /** PEM files, a public key each. */
      readonly paths: readonly string[];
      /** Keys beside those of the files: PEM texts that a preset brings along. Default: none. */
      readonly embedded?: readonly string[];
      /** SHA-256 of the SubjectPublicKeyInfo that each key must have, in lower-case hex. Default: any key. */
      readonly sha256?: string;
      /** How many of them must have signed. Default: 1. */
      readonly threshold: number;
      /** Default: false. */
      readonly log: boolean;
      /** Default: false. */
      readonly timestamp: boolean;
    }
  | {
      readonly kind: 'certificate';
      readonly issuer: string;
      /** Perhaps with `*`. */
      readonly identity: string;
      readonly claims: Readonly<Partial<Record<CertificateClaim, string | undefined>>>;
      /** Default: true. */
      readonly log: boolean;
      /** Default: true. */
      readonly certificateLog: boolean;
    };

/** What a keyless certificate says of the build, under Fulcio's names. */
export type CertificateClaim =
  | 'buildSignerURI'
  | 'buildSignerDigest'
  | 'runnerEnvironment'
  | 'sourceRepositoryURI'
  | 'sourceRepositoryDigest'
  | 'sourceRepositoryRef'
  | 'sourceRepositoryOwnerURI'
  | 'buildConfigURI'
  | 'buildTrigger'
  | 'sourceRepositoryVisibility';
