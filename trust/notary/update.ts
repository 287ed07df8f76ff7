import { hexDigest } from '../metadata/hex-digest.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { assemble, type FileSource } from './assemble.ts';
import { requireUnexpired } from './envelope.ts';
import type { MetadataFileMeta } from './file-meta.ts';
import { firstRoots, laterRoots, type RootJudgement, type RootSource } from './find-roots.ts';
import type { Gun } from './gun.ts';
import type { Pin } from './pin.ts';
import type { RoleName } from './role-name.ts';
import { isAnchored, type RootChain, type RootFile, readRoot } from './root-chain.ts';
import { allFilesOf, type TrustedRepository } from './trusted-repository.ts';
import { requireNotBelow } from './version-floor.ts';

/** All that a server is asked for. */
export interface MetadataSource extends FileSource, RootSource {
  newestRoot(): Promise<Uint8Array>;
}

export interface Update {
  readonly gun: Gun;
  readonly pin: Pin;
  readonly source: MetadataSource;
  /** What is remembered, whether or not it meets the pin as it is configured now. */
  readonly previous: TrustedRepository | undefined;
  readonly now: Date;
}

/**
 * What the server says now, found good, as a whole: Notary's update workflow. The root is only asked for when there is
 * none, or the one in force has expired, or something does not verify under it; then once, and everything is tried again
 * under the newest. A failure leaves what was remembered as it was; nothing of a half good answer is kept.
 * @returns the remembered repository itself when nothing has changed
 * @throws MetadataError, and what the source throws
 */
export async function update(request: Update): Promise<TrustedRepository> {
  const { previous } = request;
  const remembered = rememberedChain(request);
  if (remembered === undefined) {
    const newest = readRoot(await rootOrWithdrawn(request));
    return withRetry(request, await followNewest(request, undefined, newest));
  }
  try {
    return await underRoot(request, remembered);
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
    if (error.reason === 'NOT_SIGNED') throw withdrawn(error, previous);
    return await underNewestRoot(request, remembered, error);
  }
}

/** The chain in force, unless the pin was changed to one that no root of it meets. */
function rememberedChain({ previous, pin, gun }: Update): RootChain | undefined {
  if (previous === undefined) return undefined;
  return isAnchored(previous.chain, pin, gun) ? previous.chain : undefined;
}

async function underRoot(request: Update, chain: RootChain): Promise<TrustedRepository> {
  const { gun, source, previous, now } = request;
  // Before anything is asked for: an expired root is replaced first, it could not vouch for what comes.
  requireUnexpired(chain.current.metadata.expires, now, 'root');
  requireUnexpired(chain.certifiedUntil, now, 'the certificate of the root key');
  const files = rememberedFirst(source, previous);
  return await assemble({ gun, chain, source: files, floors: previous?.floors ?? new Map(), previous, at: now });
}

/** @throws the fault there was under the old root, when there is no newer one */
async function underNewestRoot(request: Update, chain: RootChain, fault: MetadataError): Promise<TrustedRepository> {
  const newest = readRoot(await rootOrWithdrawn(request));
  if (newest.sha256 === chain.current.sha256) throw fault;
  return await underRoot(request, await followNewest(request, chain, newest));
}

/** A publication between the fetch of the root and of the rest is no attack: one more look at the root settles it. */
async function withRetry(request: Update, chain: RootChain): Promise<TrustedRepository> {
  try {
    return await underRoot(request, chain);
  } catch (error) {
    if (!(error instanceof MetadataError) || error.reason === 'NOT_SIGNED') throw error;
    return await underNewestRoot(request, chain, error);
  }
}

async function followNewest(request: Update, chain: RootChain | undefined, newest: RootFile): Promise<RootChain> {
  const { gun, pin, source, now, previous } = request;
  const judgement: RootJudgement = { source, gun, pin, now };
  if (chain !== undefined) return await laterRoots(chain, newest, judgement);
  // A new pin does not forget the versions that were seen under the old one.
  const floor = { version: newest.metadata.version, sha256: newest.sha256 };
  if (previous !== undefined) requireNotBelow(previous.floors, 'root', floor);
  return await firstRoots(newest, judgement);
}

async function rootOrWithdrawn({ source, previous }: Update): Promise<Uint8Array> {
  try {
    return await source.newestRoot();
  } catch (error) {
    throw error instanceof MetadataError ? withdrawn(error, previous) : error;
  }
}

/** 404 instead of a timestamp must not make us live on what is remembered: that would be a way to freeze us. */
function withdrawn(error: MetadataError, previous: TrustedRepository | undefined): MetadataError {
  if (previous === undefined || error.reason !== 'NOT_SIGNED') return error;
  return new MetadataError(
    'NOT_SIGNED',
    `${error.message}, although it was signed before: its trust data was withdrawn`,
    {
      cause: error,
    },
  );
}

/** Files are named by their hash, so one that is remembered need not be fetched again. */
function rememberedFirst(source: FileSource, previous: TrustedRepository | undefined): FileSource {
  if (previous === undefined) return source;
  const remembered = new Map(allFilesOf(previous).map(({ sha256, bytes }) => [sha256, bytes]));
  return {
    timestamp: () => source.timestamp(),
    file: async (role: RoleName, meta: MetadataFileMeta) =>
      remembered.get(meta.sha256) ?? (await source.file(role, meta)),
  };
}

/** Short, and different whenever anything that is trusted differs: the timestamp names all but the root by hash. */
export function stateVersionOf({ chain, timestamp }: TrustedRepository): string {
  const roots = chain.roots.map(({ sha256 }) => sha256).join();
  const hash = hexDigest('sha256', Buffer.from(`${roots},${timestamp.sha256}`));
  return `${chain.current.metadata.version}.${timestamp.metadata.version}-${hash.slice(0, STATE_HASH_LENGTH)}`;
}

/** 64 bits: enough that two states of one repository never share it by accident. */
const STATE_HASH_LENGTH = 16;
