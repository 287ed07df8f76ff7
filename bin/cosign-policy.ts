import { readFile } from 'node:fs/promises';
import type { CosignConfig } from '../config/cosign-config.ts';
import type { CertificateSigner, CosignPolicy, KeySigners } from '../trust/sigstore/policy.ts';
import { parsePublicKey } from '../trust/sigstore/public-key.ts';
import { compileTextPattern, type TextPattern } from '../trust/sigstore/text-pattern.ts';

/** The configuration's words as the policy they mean, its key files read. @throws RangeError for a key that is not trusted with anything */
export async function cosignPolicy(config: CosignConfig): Promise<CosignPolicy> {
  const { signer, predicateType, predicate, annotations, reference, maxAge } = config;
  return {
    signer: await signerOf(signer),
    content: {
      predicateType,
      predicate: patterns(predicate),
      annotations: new Map(Object.entries(annotations)),
      reference,
    },
    maxAge,
  };
}

async function signerOf(signer: CosignConfig['signer']): Promise<KeySigners | CertificateSigner> {
  if (signer.kind === 'keys') {
    const { paths, embedded = [], sha256, threshold, log, timestamp } = signer;
    const pems = [...(await Promise.all(paths.map((path) => readFile(path, 'utf8')))), ...embedded];
    const keys = pems.map(parsePublicKey);
    // Checked with the configuration, and again on what is used: the file may have been exchanged since.
    const other = keys.find(({ id }) => sha256 !== undefined && id !== sha256);
    if (other !== undefined) throw new RangeError(`expected the key ${sha256}, got ${other.id}`);
    return { kind: 'keys', keys, threshold, log, timestamp };
  }
  const { issuer, identity, claims, log, certificateLog } = signer;
  return {
    kind: 'certificate',
    issuer,
    identity: compileTextPattern(identity),
    claims: patterns(claims),
    log,
    certificateLog,
  };
}

export function needsRoot({ signer }: CosignPolicy): boolean {
  return signer.kind === 'certificate' || signer.log || signer.timestamp;
}

function patterns<Name extends string>(texts: Readonly<Partial<Record<Name, string | undefined>>>) {
  const entries = Object.entries(texts) as [Name, string | undefined][];
  return new Map(
    entries.flatMap(([name, text]): [Name, TextPattern][] =>
      text === undefined ? [] : [[name, compileTextPattern(text)]],
    ),
  );
}
