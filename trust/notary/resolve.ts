import { type Digest, parseDigest } from '../../oci/digest.ts';
import { echo, MetadataError } from '../metadata/metadata-error.ts';
import type { FileMeta } from './file-meta.ts';
import { type DelegationName, isDelegationName, RELEASES, type TargetsName } from './role-name.ts';
import type { TrustedRepository, TrustedTargets } from './trusted-repository.ts';

/** What the operator asks of a tag beyond being signed. */
export interface TagRules {
  /** Only `targets/releases` counts, also while it is missing or expired. */
  readonly requireReleases: boolean;
  /** Delegations that must all have signed the tag, with the same digest. */
  readonly signers: readonly DelegationName[];
}

/** What a tag means. */
export interface Resolution {
  readonly tag: string;
  readonly digest: Digest;
  readonly sha512: string | undefined;
  /** Bytes of the manifest. */
  readonly size: number;
  /** The role whose word it is. */
  readonly role: TargetsName;
  /** Every other delegation that signed the same tag with the same digest. */
  readonly endorsers: readonly DelegationName[];
  /** Targets roles that this rests on: when one of them expires, it is to be asked again. */
  readonly used: readonly TrustedTargets[];
  /** Why roles that would come first did not count. */
  readonly passedOver: readonly string[];
}

type Standing =
  | { readonly kind: 'usable'; readonly role: TrustedTargets; readonly rests: readonly TrustedTargets[] }
  | { readonly kind: 'absent' | 'unsigned' | 'expired'; readonly why: string };

/**
 * The digest of a tag, by Docker's precedence: `targets/releases`, then `targets`; what only another role signed, a role
 * below `targets/releases` included, is not released.
 * @throws MetadataError TAG_NOT_SIGNED, SIGNERS_MISSING, SIGNERS_DISAGREE, METADATA_EXPIRED or SIGNATURE_INVALID
 * (of a required role), METADATA_INVALID (a target without sha256)
 */
export function resolveTag(repository: TrustedRepository, tag: string, rules: TagRules, now: Date): Resolution {
  const releases = standingOf(repository, RELEASES, now);
  const released = releases.kind === 'usable' ? targetIn(releases.role, tag) : undefined;
  const top = repository.targets.get('targets');
  const passedOver = releases.kind === 'expired' || releases.kind === 'unsigned' ? [releases.why] : [];
  if (releases.kind === 'usable' && released !== undefined) {
    return endorsed(
      repository,
      { tag, target: released, role: releases.role, rests: releases.rests, passedOver },
      rules,
      now,
    );
  }
  if (rules.requireReleases) throw notReleased(releases, tag);
  const hidden = rolesWith(repository, tag, now).filter(({ name }) => name.startsWith(`${RELEASES}/`));
  const target = top === undefined || hidden.length > 0 ? undefined : targetIn(top, tag);
  if (top === undefined || target === undefined) throw notSigned(repository, tag, now);
  return endorsed(repository, { tag, target, role: top, rests: [top], passedOver }, rules, now);
}

interface Found {
  readonly tag: string;
  readonly target: FileMeta;
  readonly role: TrustedTargets;
  readonly rests: readonly TrustedTargets[];
  readonly passedOver: readonly string[];
}

function endorsed(repository: TrustedRepository, found: Found, rules: TagRules, now: Date): Resolution {
  const { tag, target, role } = found;
  if (target.sha256 === undefined) {
    throw new MetadataError('METADATA_INVALID', `${role.name}: expected a sha256 hash for tag ${echo(tag)}, got none`);
  }
  const used = new Set(found.rests);
  for (const signer of rules.signers) {
    for (const file of requireSigner(repository, signer, found, now)) used.add(file);
  }
  const endorsers = rolesWith(repository, tag, now).filter(
    (other) => other !== role && targetIn(other, tag)?.sha256 === target.sha256,
  );
  return {
    tag,
    digest: parseDigest(`sha256:${target.sha256}`),
    sha512: target.sha512,
    size: target.length,
    role: role.name,
    endorsers: endorsers.map(({ name }) => name).filter(isDelegationName),
    used: [...used],
    passedOver: found.passedOver,
  };
}

function requireSigner(
  repository: TrustedRepository,
  signer: DelegationName,
  { tag, target }: Found,
  now: Date,
): readonly TrustedTargets[] {
  const standing = standingOf(repository, signer, now);
  if (standing.kind !== 'usable') throw new MetadataError('SIGNERS_MISSING', `required signer: ${standing.why}`);
  const own = targetIn(standing.role, tag);
  if (own === undefined) {
    throw new MetadataError('SIGNERS_MISSING', `required signer ${signer} has not signed tag ${tag}`);
  }
  if (own.sha256 !== target.sha256 || own.length !== target.length) {
    throw new MetadataError(
      'SIGNERS_DISAGREE',
      `required signer ${signer} signed sha256:${own.sha256} as tag ${tag}, released is sha256:${target.sha256}`,
    );
  }
  return standing.rests;
}

/** A role counts when it and every role it hangs from were found good and have not expired. */
function standingOf(repository: TrustedRepository, name: DelegationName, now: Date): Standing {
  const rests: TrustedTargets[] = [];
  const parts = name.split('/');
  for (let length = 1; length <= parts.length; length += 1) {
    const step = parts.slice(0, length).join('/') as TargetsName;
    const role = repository.targets.get(step);
    if (role === undefined) {
      const why = isDelegationName(step) ? repository.skipped.get(step)?.why : undefined;
      return why === undefined ? { kind: 'absent', why: `there is no signed role ${step}` } : { kind: 'unsigned', why };
    }
    const { expires } = role.metadata;
    if (now >= expires) return { kind: 'expired', why: `${step} expired ${expires.toISOString()}` };
    rests.push(role);
  }
  const role = rests.at(-1);
  return role === undefined ? { kind: 'absent', why: `there is no role ${name}` } : { kind: 'usable', role, rests };
}

/** A tag outside the paths of a role is as good as not in it. */
function targetIn(role: TrustedTargets, tag: string): FileMeta | undefined {
  return role.paths.some((path) => tag.startsWith(path)) ? role.metadata.targets.get(tag) : undefined;
}

function rolesWith(repository: TrustedRepository, tag: string, now: Date): readonly TrustedTargets[] {
  return [...repository.targets.values()].filter(
    (role) =>
      targetIn(role, tag) !== undefined &&
      (role.name === 'targets' || standingOf(repository, role.name, now).kind === 'usable'),
  );
}

const NOT_USABLE = { absent: 'TAG_NOT_SIGNED', unsigned: 'SIGNATURE_INVALID', expired: 'METADATA_EXPIRED' } as const;

function notReleased(releases: Standing, tag: string): MetadataError {
  if (releases.kind !== 'usable') return new MetadataError(NOT_USABLE[releases.kind], `required: ${releases.why}`);
  return new MetadataError('TAG_NOT_SIGNED', `${RELEASES}, which is required, has no tag ${tag}`);
}

function notSigned(repository: TrustedRepository, tag: string, now: Date): MetadataError {
  const others = rolesWith(repository, tag, now).map(({ name }) => name);
  const only = others.length === 0 ? '' : `; it is in ${others.join(', ')}, and there not released`;
  return new MetadataError('TAG_NOT_SIGNED', `the repository is signed, its tag ${tag} is not${only}`);
}
