import type { EvidenceStep } from '../evidence.ts';
import type { Pin } from './pin.ts';
import type { Resolution } from './resolve.ts';
import type { RoleName } from './role-name.ts';
import type { RootChain } from './root-chain.ts';
import type { TrustedFile, TrustedRepository } from './trusted-repository.ts';

/** What of a file the steps show. */
type ShownFile = Pick<TrustedFile<{ readonly version: number; readonly expires: Date }>, 'metadata' | 'signers'>;

/** The root in force, and how it came to be. */
export function chainStep(chain: RootChain): EvidenceStep {
  const { current, roots, signers } = chain;
  const { version, expires } = current.metadata;
  const names = signers.map(({ leaf }) => leaf.commonName ?? '');
  const first = roots[0]?.metadata.version ?? version;
  const handedOver = first === version ? '' : `, handed over from root ${first} key by key`;
  return {
    ok: true,
    text: `root ${version} is signed by ${names.join(', ')}${handedOver}, good until ${dayOf(expires)}`,
    facts: {
      role: 'root',
      version,
      keys: signers.map(({ key }) => key.id),
      canonicalKeys: signers.map(({ key }) => key.material().canonicalId),
      commonNames: names,
      certifiedUntil: chain.certifiedUntil.toISOString(),
      expires: expires.toISOString(),
    },
  };
}

/** One file that was found good. */
export function fileStep(role: RoleName, { metadata, signers }: ShownFile): EvidenceStep {
  return {
    ok: true,
    text: `${role} ${metadata.version} is signed by ${signers.length} of its keys, good until ${dayOf(metadata.expires)}`,
    facts: {
      role,
      version: metadata.version,
      keys: signers.map(({ id }) => id),
      expires: metadata.expires.toISOString(),
    },
  };
}

/** What a repository rests on before any tag is looked at. */
export function repositorySteps({ gun, chain, timestamp, snapshot }: TrustedRepository): EvidenceStep[] {
  const root = chainStep(chain);
  return [{ ...root, facts: { ...root.facts, gun } }, fileStep('timestamp', timestamp), fileStep('snapshot', snapshot)];
}

/** Everything a vouched digest rests on, from the pin down to the tag. */
export function vouchedSteps(repository: TrustedRepository, resolution: Resolution, pin: Pin): EvidenceStep[] {
  const { role, digest, tag, endorsers, used, passedOver } = resolution;
  const [root, ...below] = repositorySteps(repository);
  return [
    ...(root === undefined ? [] : [{ ...root, facts: { ...root.facts, pin: pin.kind } }]),
    ...below,
    ...used.map((file) => fileStep(file.name, file)),
    ...passedOver.map((why) => ({ ok: false, text: `passed over: ${why}` })),
    {
      ok: true,
      text: `${role} says that tag ${tag} is ${digest}`,
      facts: { tag, role, digest, size: resolution.size, signers: endorsers },
    },
  ];
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
