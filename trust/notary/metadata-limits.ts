/** Most bytes of a timestamp; as in Notary's client. */
export const TIMESTAMP_LIMIT = 1024 * 1024;

/** Most bytes of any other metadata file. The largest real targets files are well below 1 MiB. */
export const METADATA_LIMIT = 5 * 1024 * 1024;

/** Most bytes of all metadata of one repository together: what a hostile server can make us keep in memory and on disk. */
export const REPOSITORY_LIMIT = 32 * 1024 * 1024;

/** Most delegations of one repository, all levels together. */
export const ROLE_LIMIT = 1000;

/** Most levels of delegations below `targets`. */
export const DELEGATION_DEPTH_LIMIT = 16;

export const KEY_LIMIT = 1000;

/** Each may cost a signature check, so fewer than keys. */
export const SIGNATURE_LIMIT = 256;

/** Bounded by the size of the file already (a target takes some 100 bytes); named so that every list has a limit. */
export const TARGET_LIMIT = 100_000;

/** Most root rotations followed in one refresh, forward or back to the pinned one. */
export const ROOT_CHAIN_LIMIT = 256;
