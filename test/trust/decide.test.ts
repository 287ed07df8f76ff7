import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../oci/digest.ts';
import type { Finding, NotVouched, Unknown, Vouched } from '../../trust/authority.ts';
import { type Answer, decide, takeUpstreamsWord } from '../../trust/decide.ts';
import type { Rule } from '../../trust/rule.ts';

const NOW = new Date('2026-11-24T12:00:00Z');
const HOUR = 3_600_000;
const A = digestOf(Buffer.from('a'));
const B = digestOf(Buffer.from('b'));

function vouched(more: Partial<Vouched> = {}): Vouched {
  return {
    outcome: 'vouched',
    digest: A,
    refreshedAt: NOW,
    validUntil: new Date(NOW.getTime() + HOUR),
    stateVersion: '1',
    evidence: [],
    ...more,
  };
}

const REFUSED: NotVouched = { outcome: 'refused', reason: 'TAG_NOT_SIGNED', message: 'not signed', evidence: [] };
const UNKNOWN: Unknown = {
  outcome: 'undetermined',
  reason: 'TRUST_UNREACHABLE',
  message: 'out',
  retryAfter: 7,
  evidence: [],
};

function rule(kind: 'all' | 'any', authorities: readonly string[]): Rule {
  return {
    id: 'policy[0]',
    patterns: [],
    require: { kind, authorities },
    mode: 'enforce',
    unsafeAllowUnsigned: false,
    maxAge: HOUR,
  };
}

function answers(...findings: Finding[]): Answer[] {
  return findings.map((finding, at) => ({ authority: `a${at}`, finding }));
}

for (const [what, kind, findings, outcome, reason] of [
  ['all: everyone vouches for one digest', 'all', [vouched(), vouched()], 'admitted', undefined],
  ['all: two digests', 'all', [vouched(), vouched({ digest: B })], 'refused', 'AUTHORITIES_DISAGREE'],
  ['all: one refuses', 'all', [vouched(), REFUSED], 'refused', 'TAG_NOT_SIGNED'],
  ['all: one is unknown', 'all', [vouched(), UNKNOWN], 'undetermined', 'TRUST_UNREACHABLE'],
  ['all: a refusal outweighs an unknown', 'all', [UNKNOWN, REFUSED], 'refused', 'TAG_NOT_SIGNED'],
  ['all: no answers at all', 'all', [], 'undetermined', 'INTERNAL'],
  ['any: one vouches, one refuses', 'any', [REFUSED, vouched()], 'admitted', undefined],
  ['any: one vouches, one is unknown', 'any', [UNKNOWN, vouched()], 'admitted', undefined],
  ['any: all refuse', 'any', [REFUSED, REFUSED], 'refused', 'TAG_NOT_SIGNED'],
  ['any: an unknown outweighs a refusal', 'any', [REFUSED, UNKNOWN], 'undetermined', 'TRUST_UNREACHABLE'],
  ['any: no answers at all', 'any', [], 'undetermined', 'INTERNAL'],
  ['expired this moment', 'all', [vouched({ validUntil: NOW })], 'refused', 'METADATA_EXPIRED'],
  ['an expiry that is no date', 'all', [vouched({ validUntil: new Date(Number.NaN) })], 'refused', 'METADATA_EXPIRED'],
  [
    'as old as the rule allows',
    'all',
    [vouched({ refreshedAt: new Date(NOW.getTime() - HOUR) })],
    'admitted',
    undefined,
  ],
  [
    'older than the rule allows',
    'all',
    [vouched({ refreshedAt: new Date(NOW.getTime() - HOUR - 1) })],
    'undetermined',
    'TRUST_STALE',
  ],
  ['a refresh that is no date', 'all', [vouched({ refreshedAt: new Date(Number.NaN) })], 'undetermined', 'TRUST_STALE'],
] as const) {
  test(`${what}: ${outcome} ${reason ?? ''}`, () => {
    const verdict = decide(
      rule(
        kind,
        findings.map((_, at) => `a${at}`),
      ),
      answers(...findings),
      NOW,
    );
    assert.equal(verdict.outcome, outcome);
    assert.equal(verdict.outcome === 'admitted' ? undefined : verdict.reason, reason);
  });
}

test('any takes the word of the first that vouches, and its digest alone', () => {
  const verdict = decide(rule('any', ['a0', 'a1']), answers(vouched({ digest: B }), vouched()), NOW);
  assert.equal(verdict.outcome === 'admitted' && verdict.digest, B);
});

test('a verdict is valid until the earliest of what it rests on', () => {
  const soon = new Date(NOW.getTime() + 5000);
  const aged = vouched({ refreshedAt: new Date(NOW.getTime() - HOUR + 3000) });
  const byExpiry = decide(rule('all', ['a0', 'a1']), answers(vouched({ validUntil: soon }), vouched()), NOW);
  const byAge = decide(rule('all', ['a0', 'a1']), answers(vouched({ validUntil: soon }), aged), NOW);
  assert.deepEqual(byExpiry.outcome === 'admitted' && byExpiry.validUntil, soon);
  assert.deepEqual(byAge.outcome === 'admitted' && byAge.validUntil, new Date(NOW.getTime() + 3000));
});

test('a denial names the authority that caused it and how long to wait', () => {
  const verdict = decide(rule('all', ['a0', 'a1']), answers(vouched(), UNKNOWN), NOW);
  assert.equal(verdict.outcome === 'undetermined' && verdict.authority, 'a1');
  assert.equal(verdict.outcome === 'undetermined' && verdict.retryAfter, 7);
});

test('the evidence says of each authority whether it vouches, for what, and what it looked at', () => {
  const steps = [{ ok: true, text: 'looked' }];
  const verdict = decide(rule('any', ['a0', 'a1']), answers({ ...REFUSED, evidence: steps }, vouched()), NOW);
  assert.deepEqual(verdict.evidence, [
    { ok: false, text: 'a0: not signed (TAG_NOT_SIGNED)', steps },
    { ok: true, text: `a1 vouches for ${A}`, steps: [] },
  ]);
});

test('stale trust says how long ago it was refreshed, or that nobody knows', () => {
  for (const [refreshedAt, said] of [
    [new Date(NOW.getTime() - 2 * HOUR), 'trust was last refreshed 7200 s ago, longer ago than the rule allows'],
    [new Date(Number.NaN), 'trust was last refreshed at no known time, longer ago than the rule allows'],
  ] as const) {
    const verdict = decide(rule('all', ['a0']), answers(vouched({ refreshedAt })), NOW);
    assert.equal(verdict.outcome === 'undetermined' && verdict.message, said);
  }
});

test('an unknown that names no time is asked again after ours', () => {
  const { retryAfter: _, ...unnamed } = UNKNOWN;
  const verdict = decide(rule('all', ['a0']), answers(unnamed), NOW);
  assert.equal(verdict.outcome === 'undetermined' && verdict.retryAfter, 10);
});

test("the upstream's word is said to be only that, with what would have been answered", () => {
  const unsigned = takeUpstreamsWord(rule('all', []), A, NOW);
  assert.deepEqual(unsigned.evidence, [{ ok: false, text: 'policy[0] has unsafeAllowUnsigned: nothing was proved' }]);
  assert.equal('warning' in unsigned, false);
  assert.deepEqual(unsigned.validUntil, new Date(NOW.getTime() + HOUR));
  const denied = decide(rule('all', ['a0']), answers(REFUSED), NOW);
  assert.ok(denied.outcome === 'refused');
  const warned = takeUpstreamsWord(rule('all', ['a0']), A, NOW, denied);
  assert.equal(warned.warning, denied);
  assert.deepEqual(warned.evidence, [
    { ok: false, text: 'policy[0] only warns: it would have been refused (TAG_NOT_SIGNED)' },
    ...denied.evidence,
  ]);
});
