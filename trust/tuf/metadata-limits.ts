/** Most bytes of each kind of file, where the metadata itself gives no smaller length. As tuf-js has them where it has them. */
export const ROOT_LIMIT = 512 * 1024;
export const TIMESTAMP_LIMIT = 16 * 1024;

/** A snapshot names every delegated role, in some 100 bytes each. */
export const SNAPSHOT_LIMIT = 8 * 1024 * 1024;

/** A target takes some 200 bytes: 100,000 of them in one role still fit. */
export const TARGETS_LIMIT = 32 * 1024 * 1024;

/** Most bytes of all metadata together: what a hostile server can make us keep in memory and on disk. */
export const REPOSITORY_LIMIT = 128 * 1024 * 1024;

/** Most delegated roles. 2^14 hash bins and a few more fit. */
export const ROLE_LIMIT = 20_000;

/** Most delegations from `targets` down to a role. */
export const DEPTH_LIMIT = 16;

/** Most roles that one search may pass through: each may have thousands of patterns to compare. */
export const VISIT_LIMIT = 1_000;

/** Most targets of one image with one digest that are tried for a digest pull. */
export const CANDIDATE_LIMIT = 1_000;

/** Most tags and digests of one image that are looked up to say where a digest may be found: as far as anybody goes through them. */
export const LISTING_LIMIT = 1_000;

export const TARGET_LIMIT = 500_000;
export const KEY_LIMIT = 20_000;
export const PATTERN_LIMIT = 20_000;

/** Each may cost a signature check. */
export const SIGNATURE_LIMIT = 256;

/** Most root rotations followed in one refresh; tuf-js' own limit too. */
export const ROOT_ROTATION_LIMIT = 256;

/** Roots of a lifetime of rotations. */
export const ROOT_CHAIN_LIMIT = 10_000;

/** Most characters of a role's name: it becomes a file name, where a server may write each as `%XX`. */
export const ROLE_NAME_LIMIT = 200;
