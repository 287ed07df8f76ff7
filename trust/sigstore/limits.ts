/**
 * How much of what a registry says about signatures is looked at. All of it may come from an attacker who can push, so
 * each bound is checked before the thing is parsed; what is past a bound is refused, never cut off and believed.
 *
 * Together they keep the whole of one judgement so small that it may run on the main thread: one bundle at its bounds
 * (1 MiB, 8 log entries) takes some 40 ms, an honest one 5, and between two of them the event loop gets its turn.
 */

/** Bytes of one bundle, DSSE envelope or signed payload. GitHub's provenance is 20 KB; SBOMs beyond this are not for a gate to read. */
export const DOCUMENT_LIMIT = 1024 * 1024;

/** Bytes of all of them in one judgement. */
export const TOTAL_LIMIT = 16 * 1024 * 1024;

/** Signatures of one image that are looked at, among its referrers and again under its tag: each costs two requests. Builds that sign anew at each run come to dozens. */
export const SIGNATURES_LIMIT = 100;

/** Members of any list within a bundle; an inclusion proof in a log of 2^63 entries has 63. */
export const LIST_LIMIT = 64;

/** Objects and lists within each other; honest bundles nest 8 deep. */
export const DEPTH_LIMIT = 16;

/** Log entries of one bundle; honest ones have one. Each costs two signature checks. */
export const LOG_ENTRIES_LIMIT = 8;

/** RFC 3161 timestamps of one bundle; honest ones have one. */
export const TIMESTAMPS_LIMIT = 8;

/** Images of one index that are followed to their attestation manifests. */
export const PLATFORMS_LIMIT = 32;

/** Milliseconds that all requests of one judgement may take together: a client waits about a minute, and the pull needs most of it. */
export const JUDGE_BUDGET_MS = 20_000;
