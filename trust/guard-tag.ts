import type { Authority, Finding, Vouched } from './authority.ts';
import type { Rule } from './rule.ts';
import { TagMemoryDamaged, TagMemoryUnwritable, type SignedTag } from './tag-memory.ts';
import { type Admitted, refused, undetermined, type Verdict } from './verdict.ts';

/** Where `freshness.noRollback` remembers; `TagMemory` is one. */
export interface TagGuard {
  newerThan(image: string, seen: SignedTag): Promise<SignedTag | undefined>;
}

/** Who answered what, of the authorities of a rule. */
export interface Asked {
  readonly way: Authority['way'] | undefined;
  readonly finding: Finding;
}

/**
 * Under `freshness.noRollback`: an admitted tag must not go back to content signed earlier than what it has meant. Metadata that
 * resolves tags has versions of its own against that, so only attested digests are looked at.
 */
export async function guardTag(
  verdict: Admitted,
  image: string,
  {
    rule,
    asked,
    guard,
  }: { readonly rule: Rule; readonly asked: readonly Asked[]; readonly guard: TagGuard | undefined },
): Promise<Verdict> {
  const vouched = asked.filter((one): one is Asked & { finding: Vouched } => one.finding.outcome === 'vouched');
  if (vouched.some(({ way }) => way === 'resolves')) return verdict;
  const more = { rule: rule.id, evidence: verdict.evidence };
  const times = vouched.flatMap(({ finding }) => (finding.signedAt === undefined ? [] : [finding.signedAt.getTime()]));
  if (times.length === 0) {
    const message = 'the rule goes back to nothing older, and no signature of it proves when it was made';
    return refused('SIGNATURE_EXPIRED', message, more);
  }
  if (guard === undefined) return undetermined('INTERNAL', 'there is nowhere to remember tags', more);
  const seen: SignedTag = { digest: verdict.digest, signedAt: new Date(Math.max(...times)) };
  try {
    const newer = await guard.newerThan(image, seen);
    if (newer === undefined) return verdict;
    const message =
      `the tag went back to content signed on ${seen.signedAt.toISOString()}; ` +
      `it has meant ${newer.digest}, signed on ${newer.signedAt.toISOString()}`;
    return refused('METADATA_ROLLBACK', message, more);
  } catch (error) {
    if (error instanceof TagMemoryDamaged) return refused('TRUST_STATE_DAMAGED', error.message, more);
    if (error instanceof TagMemoryUnwritable) return undetermined('TRUST_STATE_UNWRITABLE', error.message, more);
    throw error;
  }
}
