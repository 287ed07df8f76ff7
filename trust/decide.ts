import type { Digest } from '../oci/digest.ts';
import type { Finding, Vouched } from './authority.ts';
import type { EvidenceStep } from './evidence.ts';
import type { Rule } from './rule.ts';
import { type Admitted, DEFAULT_RETRY_AFTER, type Denied, refused, undetermined, type Verdict } from './verdict.ts';

/** What one authority of a rule answered. */
export interface Answer {
  readonly authority: string;
  readonly finding: Finding;
}

/**
 * The verdict of a rule from the answers of its authorities. Pure: the same answers at the same moment give the same verdict.
 * `all`: a refusal outweighs an unknown, since waiting would not help. `any`: an unknown outweighs a refusal, since
 * the authority that could not be asked might have vouched.
 */
export function decide(rule: Rule, answers: readonly Answer[], now: Date): Verdict {
  const checked = answers.map(({ authority, finding }) => ({ authority, finding: stillGood(finding, rule, now) }));
  const evidence = checked.map(evidenceOf);
  const vouched = checked.filter((answer): answer is Answer & { finding: Vouched } => isVouched(answer.finding));
  const wanted = rule.require?.kind === 'any' ? 1 : answers.length;
  if (answers.length > 0 && vouched.length >= wanted) return admit(rule, vouched, evidence);
  return deny(rule, checked, evidence);
}

function admit(
  rule: Rule,
  vouched: readonly { authority: string; finding: Vouched }[],
  evidence: readonly EvidenceStep[],
): Verdict {
  const counted = rule.require?.kind === 'any' ? vouched.slice(0, 1) : vouched;
  const digests = new Set(counted.map((answer) => answer.finding.digest));
  const [digest] = digests;
  if (digest === undefined || digests.size > 1) {
    const said = counted.map((answer) => `${answer.authority} says ${answer.finding.digest}`).join(', ');
    return refused('AUTHORITIES_DISAGREE', `required authorities vouch for different content: ${said}`, {
      rule: rule.id,
      evidence,
    });
  }
  const size = counted.map((answer) => answer.finding.size).find((bytes) => bytes !== undefined);
  return {
    outcome: 'admitted',
    digest,
    ...(size === undefined ? {} : { size }),
    rule: rule.id,
    evidence,
    validUntil: earliest(counted.flatMap(({ finding }) => [finding.validUntil, aged(finding, rule)])),
  };
}

/** An authority checks expiry itself; this second look is what keeps a kept finding from outliving its metadata. */
function stillGood(finding: Finding, rule: Rule, now: Date): Finding {
  if (finding.outcome !== 'vouched') return finding;
  // Written so that an invalid date compares false and is refused.
  if (!(finding.validUntil.getTime() > now.getTime())) {
    return {
      outcome: 'refused',
      reason: 'METADATA_EXPIRED',
      message: 'the signed metadata has expired',
      evidence: finding.evidence,
    };
  }
  if (!(aged(finding, rule).getTime() >= now.getTime())) {
    return {
      outcome: 'undetermined',
      reason: 'TRUST_STALE',
      message: `trust was last refreshed ${sinceThen(finding.refreshedAt, now)}, longer ago than the rule allows`,
      evidence: finding.evidence,
    };
  }
  return finding;
}

function deny(rule: Rule, answers: readonly Answer[], evidence: readonly EvidenceStep[]): Denied {
  const unknownFirst = rule.require?.kind === 'any';
  const order = unknownFirst ? (['undetermined', 'refused'] as const) : (['refused', 'undetermined'] as const);
  for (const outcome of order) {
    for (const { authority, finding } of answers) {
      if (finding.outcome !== outcome) continue;
      const more = { rule: rule.id, authority, evidence };
      return finding.outcome === 'refused'
        ? refused(finding.reason, finding.message, more)
        : undetermined(finding.reason, finding.message, {
            ...more,
            retryAfter: finding.retryAfter ?? DEFAULT_RETRY_AFTER,
          });
    }
  }
  // No authority answered at all: nothing was proved.
  return undetermined('INTERNAL', 'no authority gave an answer', { rule: rule.id, evidence });
}

/** Under `unsafeAllowUnsigned`, and under `mode: warn` where nothing is vouched for: the upstream's word, said to be only that. */
export function takeUpstreamsWord(rule: Rule, digest: Digest, now: Date, warning?: Denied): Admitted {
  const text =
    warning === undefined
      ? `${rule.id} has unsafeAllowUnsigned: nothing was proved`
      : `${rule.id} only warns: it would have been ${warning.outcome} (${warning.reason})`;
  return {
    outcome: 'admitted',
    digest,
    rule: rule.id,
    evidence: [{ ok: false, text }, ...(warning?.evidence ?? [])],
    validUntil: new Date(now.getTime() + rule.maxAge),
    ...(warning === undefined ? {} : { warning }),
  };
}

function isVouched(finding: Finding): finding is Vouched {
  return finding.outcome === 'vouched';
}

function aged(finding: Vouched, rule: Rule): Date {
  return new Date(finding.refreshedAt.getTime() + rule.maxAge);
}

function sinceThen(then: Date, now: Date): string {
  const seconds = Math.round((now.getTime() - then.getTime()) / 1000);
  return Number.isFinite(seconds) ? `${seconds} s ago` : 'at no known time';
}

function earliest(dates: readonly Date[]): Date {
  return new Date(Math.min(...dates.map((date) => date.getTime())));
}

function evidenceOf({ authority, finding }: Answer): EvidenceStep {
  const text =
    finding.outcome === 'vouched'
      ? `${authority} vouches for ${finding.digest}`
      : `${authority}: ${finding.message} (${finding.reason})`;
  return { ok: finding.outcome === 'vouched', text, steps: finding.evidence };
}
