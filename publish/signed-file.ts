import { createHash } from 'node:crypto';
import { canonicalJson } from '../trust/metadata/canonical-json.ts';
import { Fields } from '../trust/metadata/fields.ts';
import { type JsonObject, parseStrictJson } from '../trust/metadata/strict-json.ts';
import { type KeyId, type PublicKey, type SigningKey, signatureOf, verifies } from './key.ts';
import { type Metadata, type MetaFile, type RoleKeys, sorted } from './metadata.ts';
import { metadataJson, type Parsed, parseMetadata } from './metadata-json.ts';
import { messageOf, PublishError } from './publish-error.ts';

/** A metadata file: what it says, who signed it, and its exact bytes. Whether the signatures count is asked separately. */
export interface SignedFile<Body extends Metadata> {
  readonly body: Body;
  /** Hex by key id. */
  readonly signatures: ReadonlyMap<KeyId, string>;
  /** What the keys sign: TUF 1.0, "4.2. File formats: general principles". */
  readonly message: Uint8Array;
  readonly bytes: Uint8Array;
}

/** 256 MiB of targets are a million images: more is not read. */
const FILE_LIMIT = 256 * 1024 * 1024;
const SIGNATURE_LIMIT = 1000;

/** The file with these signatures and those of these keys. The same input gives the same bytes with Ed25519 keys. */
export function signFile<Body extends Metadata>(body: Body, keys: readonly SigningKey[]): SignedFile<Body> {
  return seal(body, metadataJson(body), keys, new Map());
}

/** The same file with the signatures of these keys added. */
export function addSignatures<Body extends Metadata>(
  file: SignedFile<Body>,
  keys: readonly SigningKey[],
): SignedFile<Body> {
  return seal(file.body, metadataJson(file.body), keys, file.signatures);
}

function seal<Body extends Metadata>(
  body: Body,
  signed: JsonObject,
  keys: readonly SigningKey[],
  signatures: ReadonlyMap<KeyId, string>,
): SignedFile<Body> {
  const message = canonicalJson(signed);
  const all = new Map([...signatures, ...keys.map((key) => [key.public.id, signatureOf(key, message)] as const)]);
  const listed = [...all].sort(([one], [other]) => (one < other ? -1 : 1)).map(([keyid, sig]) => ({ keyid, sig }));
  // Not the canonical form itself, which leaves a key's line breaks as they are and then is no JSON.
  const text = JSON.stringify(sorted({ signatures: listed, signed }));
  return { body, signatures: all, message, bytes: Buffer.from(text) };
}

/** @throws PublishError for what is not a metadata file of this type, written as we write it. */
export function readFile<Type extends Metadata['type']>(
  bytes: Uint8Array,
  type: Type,
  where: string,
): SignedFile<Parsed<Type>> {
  try {
    const document = new Fields(parseStrictJson(bytes, FILE_LIMIT, where), where, ['signatures', 'signed']);
    const signed = document.object('signed');
    const body = parseMetadata(signed, type, where) as Parsed<Type>;
    // Another spelling of the same would change under its signatures when we add ours.
    if (!canonicalJson(metadataJson(body)).equals(canonicalJson(signed))) {
      throw new PublishError(`${where}: expected metadata spelt as docklock writes it, got another spelling`);
    }
    const signatures = document.list('signatures', SIGNATURE_LIMIT).map((value) => {
      const fields = new Fields(value, `${where} signature`, ['keyid', 'sig']);
      return [fields.text('keyid') as KeyId, fields.text('sig')] as const;
    });
    return { body, signatures: new Map(signatures), message: canonicalJson(signed), bytes };
  } catch (cause) {
    if (cause instanceof PublishError) throw cause;
    throw new PublishError(
      `${messageOf(cause)}; is this a file of a TUF repository? If it was damaged, put it back from a backup`,
      { cause },
    );
  }
}

/** Keys of the role whose signature on the file is good, each once. */
export function signersOf(
  file: SignedFile<Metadata>,
  role: RoleKeys,
  keys: ReadonlyMap<KeyId, PublicKey>,
): readonly KeyId[] {
  return role.keyIds.filter((id) => {
    const [key, signature] = [keys.get(id), file.signatures.get(id)];
    return key !== undefined && signature !== undefined && verifies(key, file.message, signature);
  });
}

export function isSignedBy(file: SignedFile<Metadata>, role: RoleKeys, keys: ReadonlyMap<KeyId, PublicKey>): boolean {
  return signersOf(file, role, keys).length >= role.threshold;
}

/** How another file lists this one. */
export function metaFileOf({ body, bytes }: SignedFile<Metadata>): MetaFile {
  return { version: body.version, length: bytes.byteLength, sha256: sha256Of(bytes) };
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
