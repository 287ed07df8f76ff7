import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isDigest, type Digest } from '../../oci/digest.ts';
import { checkClaim } from '../../trust/sigstore/check-claim.ts';
import { readClaim } from '../../trust/sigstore/image-claim.ts';
import { parseBundle } from '../../trust/sigstore/parse-bundle.ts';
import { type CosignPolicy, requireStrict } from '../../trust/sigstore/policy.ts';
import { parsePublicKey } from '../../trust/sigstore/public-key.ts';
import { publicGoodSeed } from '../../trust/sigstore/public-good-root.ts';
import { parseTrustedRoot } from '../../trust/sigstore/trusted-root.ts';
import { verifySignature } from '../../trust/sigstore/verify-signature.ts';

/** What sigstore-conformance's cases are signed as, where they do not say. */
const IDENTITY =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main';
const ISSUER = 'https://token.actions.githubusercontent.com';

/** sigstore-conformance passes both flags for the case of this name: a key, and an identity. */
const BOTH = /-and-client-identity/;

const NO_CONTENT: CosignPolicy['content'] = {
  predicateType: undefined,
  predicate: new Map(),
  annotations: new Map(),
  reference: undefined,
};

/**
 * One folder as sigstore-conformance lays them out: `bundle.sigstore.json`, and perhaps `artifact` (else `a.txt` beside the
 * folder) or `digest`, `identity`, `issuer`, `key.pub`, `trusted_root.json` (else the public good instance).
 * @throws whatever the gateway's own code refuses the bundle with
 */
export async function verifyCase(folder: string, now: Date): Promise<void> {
  const file = (name: string) => optional(join(folder, name));
  const bundle = parseBundle(await readFile(join(folder, 'bundle.sigstore.json')));
  const root = parseTrustedRoot((await file('trusted_root.json')) ?? publicGoodSeed().bytes);
  const policy = await policyOf(folder);
  requireStrict(policy);
  const said = (await file('digest'))?.toString().trim();
  const artifact = said === undefined ? await artifactOf(folder) : undefined;
  verifySignature(bundle, artifact, { policy, root, now });
  if (bundle.content.$case === 'messageSignature') return;
  const claim = readClaim(bundle, artifact);
  // Any statement about the artifact will do here: what it is for is the gateway's own question.
  const content = { ...NO_CONTENT, predicateType: claim.predicateType };
  const digests = digestsOf(said, artifact);
  const digest = digests.find((one) => claim.subjects.some((subject) => subject.digests.includes(one))) ?? digests[0];
  if (digest === undefined) throw new RangeError(`expected a digest, got ${said}`);
  checkClaim(claim, { digest, reference: undefined }, content);
}

async function policyOf(folder: string): Promise<CosignPolicy> {
  const [key, identity, issuer] = await Promise.all(
    ['key.pub', 'identity', 'issuer'].map((name) => optional(join(folder, name))),
  );
  if (key !== undefined && (identity !== undefined || BOTH.test(basename(folder)))) {
    throw new RangeError('expected a key or an identity, got both');
  }
  const signer: CosignPolicy['signer'] =
    key === undefined
      ? { ...KEYLESS, issuer: textOf(issuer, ISSUER), identity: exactly(textOf(identity, IDENTITY)) }
      : { kind: 'keys', keys: [parsePublicKey(key.toString())], threshold: 1, log: true, timestamp: false };
  return { signer, content: NO_CONTENT, maxAge: undefined };
}

const KEYLESS = { kind: 'certificate', claims: new Map(), log: true, certificateLog: true } as const;

function exactly(text: string): { text: string; literals: string[] } {
  return { text, literals: [text] };
}

function textOf(bytes: Buffer | undefined, otherwise: string): string {
  return bytes?.toString().trim() ?? otherwise;
}

async function artifactOf(folder: string): Promise<Buffer> {
  return (
    (await optional(join(folder, 'artifact'))) ??
    (await readFile(join(dirname(folder), 'a.txt')).catch(() => readFile(join(dirname(dirname(folder)), 'a.txt'))))
  );
}

function digestsOf(said: string | undefined, artifact: Buffer | undefined): Digest[] {
  const digests =
    artifact === undefined
      ? [said ?? '']
      : ['sha256', 'sha512'].map((name) => `${name}:${createHash(name).update(artifact).digest('hex')}`);
  return digests.filter(isDigest);
}

async function optional(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
