import type { EvidenceStep } from '../evidence.ts';
import type { TrustedFile } from './envelope.ts';
import type { Key } from './key.ts';
import type { Repository } from './repository.ts';
import type { RootChain } from './root-chain.ts';
import type { Resolution } from './search.ts';

/** What of a file the steps show. */
type ShownFile = Pick<TrustedFile, 'metadata'> & { readonly signers: readonly Key[] };

/** The root in force, and how it came to be. */
export function chainStep({ current, roots, signers }: RootChain): EvidenceStep {
  const { version, expires } = current.metadata;
  const first = roots[0]?.metadata.version ?? version;
  const handedOver = first === version ? 'is the pinned one' : `follows from root ${first} version by version`;
  return {
    ok: true,
    text: `root ${version} ${handedOver}, signed by ${signers.length} of its keys, good until ${dayOf(expires)}`,
    facts: { role: 'root', version, from: first, keys: signers.map(({ id }) => id), expires: expires.toISOString() },
  };
}

/** One file that was found good. */
export function fileStep(role: string, { metadata, signers }: ShownFile): EvidenceStep {
  const { version, expires } = metadata;
  return {
    ok: true,
    text: `${role} ${version} is signed by ${signers.length} of its keys, good until ${dayOf(expires)}`,
    facts: { role, version, keys: signers.map(({ id }) => id), expires: expires.toISOString() },
  };
}

/** What a judgement rests on before any target is looked for. */
export function repositorySteps({ chain, timestamp, snapshot, targets }: Repository): EvidenceStep[] {
  return [
    chainStep(chain),
    fileStep('timestamp', timestamp),
    fileStep('snapshot', snapshot),
    fileStep('targets', targets),
  ];
}

/** Everything a vouched digest rests on: the roles that were passed through, down to the target. */
export function vouchedSteps(repository: Repository, { path, target, trail, visited }: Resolution): EvidenceStep[] {
  const roles = trail.map(({ name }) => name);
  const role = roles.at(-1) ?? '';
  return [
    ...repositorySteps(repository),
    ...trail.slice(1).map(({ name, metadata, signers }) => fileStep(name, { metadata, signers })),
    {
      ok: true,
      text: `${roles.join(' → ')} says that ${path} is sha256:${target.sha256}`,
      facts: {
        target: path,
        role,
        trail: roles,
        visited: visited.map(({ name }) => name),
        sha256: target.sha256 ?? '',
        size: target.length,
      },
    },
  ];
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
