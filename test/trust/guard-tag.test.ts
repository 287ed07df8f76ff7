import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../oci/digest.ts';
import {
  digestReference,
  parseRepositoryName,
  parseTag,
  parseUpstreamName,
  tagReference,
} from '../../oci/reference.ts';
import type { Authority, Vouched } from '../../trust/authority.ts';
import type { TagGuard } from '../../trust/guard-tag.ts';
import { Judge } from '../../trust/judge.ts';
import { compilePattern, type Rule } from '../../trust/rule.ts';
import { type SignedTag, TagMemoryDamaged, TagMemoryUnwritable } from '../../trust/tag-memory.ts';
import { RecordingLog } from '../support/recording-log.ts';

const DIGEST = digestOf(Buffer.from('image'));
const OTHER = digestOf(Buffer.from('newer image'));
const NOW = new Date('2026-11-24T12:00:00Z');
const NAME = { upstream: parseUpstreamName('corp'), repository: parseRepositoryName('app') };
const TAG = tagReference(parseTag('1'));
const EARLIER = new Date('2026-11-01T00:00:00Z');

function authority(name: string, way: Authority['way'], signedAt?: Date): Authority {
  const finding: Vouched = {
    outcome: 'vouched',
    digest: DIGEST,
    refreshedAt: NOW,
    validUntil: new Date(NOW.getTime() + 3_600_000),
    stateVersion: '1',
    evidence: [],
    ...(signedAt === undefined ? {} : { signedAt }),
  };
  const status = () => ({ name, kind: 'test', trust: [] });
  return { name, way, judge: async () => finding, status, close: async () => undefined };
}

function rule(authorities: readonly string[], noRollback = true): Rule {
  const require = { kind: 'all', authorities } as const;
  const patterns = [compilePattern('**')];
  return {
    id: 'policy[0]',
    patterns,
    require,
    mode: 'enforce',
    unsafeAllowUnsigned: false,
    maxAge: 3_600_000,
    noRollback,
  };
}

const guardThat = (answer: () => SignedTag | undefined): TagGuard => ({ newerThan: async () => answer() });
const NEWER: SignedTag = { digest: OTHER, signedAt: new Date('2026-11-20T00:00:00Z') };
const REMEMBERS = guardThat(() => NEWER);

async function judged(
  authorities: readonly Authority[],
  tags: TagGuard | undefined,
  { noRollback = true, reference = TAG as Parameters<Judge['judge']>[1] } = {},
) {
  const rules = [
    rule(
      authorities.map(({ name }) => name),
      noRollback,
    ),
  ];
  const verdict = await new Judge(rules, authorities, new RecordingLog(), tags).judge(
    NAME,
    reference,
    NOW,
    async () => DIGEST,
  );
  return verdict.outcome === 'admitted' ? 'admitted' : `${verdict.outcome} ${verdict.reason} ${verdict.message}`;
}

const SIGNED = authority('a', 'attests', EARLIER);

test('a tag that went back is refused, with what it meant', async () => {
  assert.match(
    await judged([SIGNED], REMEMBERS),
    /^refused METADATA_ROLLBACK the tag went back to content signed on 2026-11-01.*2026-11-20/,
  );
  assert.equal(
    await judged(
      [SIGNED],
      guardThat(() => undefined),
    ),
    'admitted',
  );
});

test('only where the rule says so, and only for tags', async () => {
  assert.equal(await judged([SIGNED], REMEMBERS, { noRollback: false }), 'admitted');
  assert.equal(await judged([SIGNED], REMEMBERS, { reference: digestReference(DIGEST) }), 'admitted');
});

test('what is asked about is the tag, its digest and the newest proved time', async () => {
  const asked: unknown[] = [];
  const guard: TagGuard = {
    newerThan: async (...of) => {
      asked.push(of);
      return undefined;
    },
  };
  await judged([SIGNED, authority('b', 'attests', NOW), authority('c', 'attests')], guard);
  assert.deepEqual(asked, [['corp/app:1', { digest: DIGEST, signedAt: NOW }]]);
});

test('metadata that resolves the tag guards it by itself', async () => {
  assert.equal(await judged([authority('r', 'resolves'), SIGNED], REMEMBERS), 'admitted');
});

test('a signature of no proved time cannot be compared, and is refused', async () => {
  assert.match(await judged([authority('a', 'attests')], REMEMBERS), /^refused SIGNATURE_EXPIRED /);
});

test('a memory that is damaged, unwritable, broken or not there admits nothing', async () => {
  const failing = (error: Error) =>
    guardThat(() => {
      throw error;
    });
  assert.match(await judged([SIGNED], failing(new TagMemoryDamaged('x'))), /^refused TRUST_STATE_DAMAGED /);
  assert.match(await judged([SIGNED], failing(new TagMemoryUnwritable('x'))), /^undetermined TRUST_STATE_UNWRITABLE /);
  assert.match(await judged([SIGNED], failing(new TypeError('x'))), /^undetermined INTERNAL /);
  assert.match(await judged([SIGNED], undefined), /^undetermined INTERNAL /);
});
