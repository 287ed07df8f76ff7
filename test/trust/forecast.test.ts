import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forecast } from '../../trust/forecast.ts';
import type { TrustStatus } from '../../trust/status.ts';

const NOW = new Date('2026-11-24T12:00:00Z');
const DAY = 24 * 3_600_000;

function status(more: Partial<TrustStatus>): TrustStatus {
  return { repository: 'corp/app', versions: { root: 1 }, expiries: [], ...more };
}

function inDays(days: number): Date {
  return new Date(NOW.getTime() + days * DAY);
}

for (const [what, at, kind, text] of [
  ['long before', inDays(30), undefined, undefined],
  ['within the days asked for', inDays(3), 'expires', 'org: timestamp of corp/app expires in 3 days'],
  ['within a day', inDays(0.5), 'expires', 'org: timestamp of corp/app expires in less than a day'],
  ['this moment', NOW, 'expired', 'org: timestamp of corp/app expired less than a day ago'],
  ['long ago', inDays(-1), 'expired', 'org: timestamp of corp/app expired 1 day ago'],
] as const) {
  test(`an expiry ${what}`, () => {
    const [warning] = forecast('org', status({ expiries: [{ what: 'timestamp', at }] }), NOW, 14 * DAY);
    assert.equal(warning?.kind, kind);
    assert.equal(warning?.text, text);
  });
}

test('an expiry that is no date is warned of, as expired', () => {
  const [warning] = forecast('org', status({ expiries: [{ what: 'root', at: new Date(Number.NaN) }] }), NOW, DAY);
  assert.equal(warning?.kind, 'expired');
});

test('the most urgent comes first, and a refresh that fails before all', () => {
  const failure = { at: NOW, reason: 'TRUST_UNREACHABLE', message: 'connection refused' };
  const expiries = [
    { what: 'snapshot', at: inDays(2) },
    { what: 'timestamp', at: inDays(1) },
  ];
  const warnings = forecast('org', status({ failure, expiries }), NOW, 14 * DAY);
  assert.deepEqual(
    warnings.map(({ text }) => text),
    [
      'org: corp/app could not be refreshed: connection refused (TRUST_UNREACHABLE)',
      'org: timestamp of corp/app expires in 1 day',
      'org: snapshot of corp/app expires in 2 days',
    ],
  );
});
