import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayOf, forecast, type Outlook, troublesOf } from '../../trust/forecast.ts';
import type { AuthorityStatus, Expiry, TrustStatus } from '../../trust/status.ts';

const NOW = new Date('2026-11-24T12:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SETTINGS = { warnBefore: 14 * DAY };
const NO_DATE = new Date(Number.NaN);

function at(offset: number): Date {
  return new Date(NOW.getTime() + offset);
}

function trust(expiries: readonly Expiry[], more: Partial<TrustStatus> = {}): TrustStatus {
  return { of: 'corp/app', refreshedAt: at(-MINUTE), failure: undefined, versions: {}, expiries, ...more };
}

function authority(...bodies: readonly TrustStatus[]): AuthorityStatus {
  return { name: 'dct', kind: 'notary', trust: bodies };
}

function levelOf(expiry: Expiry, more: Partial<TrustStatus> = {}, now = NOW): string | undefined {
  return forecast([authority(trust([expiry], more))], now, SETTINGS).rows[0]?.level;
}

const FAILURE = { reason: 'TRUST_UNREACHABLE', message: 'connection refused', at: at(-MINUTE) } as const;

const levels: readonly (readonly [what: string, expiry: Expiry, level: string])[] = [
  ['a root with a moment more than the time to warn', { what: 'root', at: at(14 * DAY + 1) }, 'ok'],
  ['a root at the very time to warn', { what: 'root', at: at(14 * DAY) }, 'warning'],
  ['a root in its last moment', { what: 'root', at: at(1) }, 'warning'],
  ['a root at its very end', { what: 'root', at: at(0) }, 'expired'],
  ['a root that ended before the last refresh', { what: 'root', at: at(-DAY) }, 'expired'],
  ['a date that is none', { what: 'root', at: NO_DATE }, 'expired'],
  ['an online date that is none', { what: 'timestamp', at: NO_DATE }, 'expired'],
  ['a delegation', { what: 'targets/releases', at: at(3 * DAY) }, 'warning'],
  ['a certificate', { what: 'certificate of the root key', at: at(3 * DAY) }, 'warning'],
  ['a timestamp of unknown life with more than six hours', { what: 'timestamp', at: at(6 * HOUR + 1) }, 'ok'],
  ['a timestamp of unknown life with six hours', { what: 'timestamp', at: at(6 * HOUR) }, 'warning'],
  ['a snapshot of unknown life with six hours', { what: 'snapshot', at: at(6 * HOUR) }, 'warning'],
  ['a timestamp of one day, new', { what: 'timestamp', at: at(DAY), since: NOW }, 'ok'],
  [
    'a timestamp of one day with more than a quarter',
    { what: 'timestamp', at: at(6 * HOUR + 1), since: at(-18 * HOUR + 1) },
    'ok',
  ],
  [
    'a timestamp of one day with its last quarter',
    { what: 'timestamp', at: at(6 * HOUR), since: at(-18 * HOUR) },
    'warning',
  ],
  [
    'a timestamp of one hour, half of it gone',
    { what: 'timestamp', at: at(30 * MINUTE), since: at(-30 * MINUTE) },
    'ok',
  ],
  [
    'a snapshot of a year with more than the time to warn',
    { what: 'snapshot', at: at(15 * DAY), since: at(-350 * DAY) },
    'ok',
  ],
  [
    'a snapshot of a year at the time to warn',
    { what: 'snapshot', at: at(14 * DAY), since: at(-351 * DAY) },
    'warning',
  ],
  ['an online role whose beginning is no date', { what: 'timestamp', at: at(DAY), since: NO_DATE }, 'warning'],
  ['a snapshot that a person renews', { what: 'snapshot', at: at(3 * DAY), renewal: 'by-hand' }, 'warning'],
  ['a delegation that a server renews', { what: 'targets/nightly', at: at(DAY), renewal: 'online' }, 'ok'],
  ['a timestamp renewed on demand, in its last moment', { what: 'timestamp', at: at(1), renewal: 'on-demand' }, 'ok'],
  ['a timestamp renewed on demand, ended since', { what: 'timestamp', at: at(0), renewal: 'on-demand' }, 'due'],
  ['a timestamp ended since', { what: 'timestamp', at: at(0) }, 'due'],
  ['a timestamp that had ended when it was fetched', { what: 'timestamp', at: at(-MINUTE) }, 'expired'],
];

for (const [what, expiry, level] of levels) {
  test(`${what}: ${level}`, () => assert.equal(levelOf(expiry), level));
}

const ended: Expiry = { what: 'timestamp', at: at(-1) };
const root: Expiry = { what: 'root', at: at(-1) };

const bodies: readonly (readonly [what: string, expiry: Expiry, more: Partial<TrustStatus>, level: string])[] = [
  ['a timestamp that ended and cannot be refreshed', ended, { failure: FAILURE }, 'expired'],
  ['a timestamp of trust that was never refreshed', ended, { refreshedAt: undefined }, 'expired'],
  ['a timestamp of trust whose refresh is no date', ended, { refreshedAt: NO_DATE }, 'expired'],
  ['a root that ended while its repository is in use', root, { refreshedAt: at(-25 * HOUR) }, 'expired'],
  ['a root that ended while nobody asked', root, { refreshedAt: at(-25 * HOUR - 1) }, 'due'],
  ['the same when the refresh failed', root, { refreshedAt: at(-30 * HOUR), failure: FAILURE }, 'expired'],
];

for (const [what, expiry, more, level] of bodies) {
  test(`${what}: ${level}`, () => assert.equal(levelOf(expiry, more), level));
}

test('at a time that is none everything is expired', () => {
  assert.equal(levelOf({ what: 'root', at: at(300 * DAY) }, {}, NO_DATE), 'expired');
});

test('what ends soonest comes first, what is no date before it, and equals in the order of their names', () => {
  const dates = [at(3 * DAY), NO_DATE, at(DAY), at(2 * DAY), NO_DATE, at(DAY)];
  const statuses = [
    authority(trust(dates.map((date, index) => ({ what: `role${index}`, at: date })))),
    { ...authority(trust([{ what: 'role', at: at(DAY) }])), name: 'cosign' },
  ];
  const { rows } = forecast(statuses, NOW, SETTINGS);
  assert.deepEqual(
    rows.map(({ authority: name, what }) => `${name} ${what}`),
    ['dct role1', 'dct role4', 'cosign role', 'dct role2', 'dct role5', 'dct role3', 'dct role0'],
  );
});

const soon: Expiry = { what: 'root', at: at(DAY) };
const outlooks: readonly (readonly [what: string, bodies: readonly TrustStatus[], outlook: Outlook])[] = [
  ['nothing at all', [], 'good'],
  ['what is far off, and what is due', [trust([{ what: 'root', at: at(99 * DAY) }, ended])], 'good'],
  ['something that ends soon', [trust([soon])], 'warning'],
  ['something expired beside it', [trust([soon, root])], 'bad'],
  ['a refresh that fails, with nothing that ends', [trust([], { failure: FAILURE })], 'bad'],
];

for (const [what, statuses, outlook] of outlooks) {
  test(`${what}: ${outlook}`, () => {
    assert.equal(forecast([authority(...statuses)], NOW, SETTINGS).outlook, outlook);
  });
}

test('a refresh that fails is listed with its reason', () => {
  const { failures } = forecast([authority(trust([]), trust([], { failure: FAILURE }))], NOW, SETTINGS);
  assert.deepEqual(failures, [{ authority: 'dct', of: 'corp/app', ...FAILURE }]);
});

test('troubles are told by authority and count, without the names of repositories', () => {
  const statuses = [
    authority(
      trust([soon, { what: 'targets', at: at(2 * DAY) }, root], { of: 'corp/secret', failure: FAILURE }),
      trust([], { failure: { ...FAILURE, reason: 'METADATA_ROLLBACK' } }),
    ),
    { ...authority(trust([{ what: 'targets', at: at(3 * DAY) }])), name: 'b' },
    { ...authority(trust([ended])), name: 'well' },
  ];
  assert.deepEqual(troublesOf(forecast(statuses, NOW, SETTINGS)), [
    'b: 1 to expire soon, the first on 2026-11-27',
    'dct: 2 refreshes fail (METADATA_ROLLBACK, TRUST_UNREACHABLE)',
    'dct: 1 expired',
    'dct: 2 to expire soon, the first on 2026-11-25',
  ]);
});

test('a day is written as one, or as none', () => {
  assert.equal(dayOf(NOW), '2026-11-24');
  assert.equal(dayOf(NO_DATE), 'no date');
});
