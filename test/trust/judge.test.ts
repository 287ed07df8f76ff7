import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Digest, digestOf } from '../../oci/digest.ts';
import {
  digestReference,
  type ImageName,
  parseReference,
  parseRepositoryName,
  parseUpstreamName,
} from '../../oci/reference.ts';
import type { Authority, Finding, Question } from '../../trust/authority.ts';
import { Judge } from '../../trust/judge.ts';
import { compilePattern, type Rule } from '../../trust/rule.ts';
import { RecordingLog } from '../support/recording-log.ts';

const NOW = new Date('2026-11-24T12:00:00Z');
const SIGNED = digestOf(Buffer.from('signed'));
const MOVED = digestOf(Buffer.from('moved'));
const NAME: ImageName = { upstream: parseUpstreamName('corp'), repository: parseRepositoryName('app') };
const TAG = parseReference('1');

const vouching = (digest: Digest) => (): Finding => ({
  outcome: 'vouched',
  digest,
  refreshedAt: NOW,
  validUntil: new Date(NOW.getTime() + 1000),
  stateVersion: '1',
  evidence: [],
});
const refusing = (): Finding => ({ outcome: 'refused', reason: 'NOT_SIGNED', message: 'no trust data', evidence: [] });

function authority(
  name: string,
  judge: (question: Question) => Finding,
  way: Authority['way'] = 'resolves',
): Authority {
  const status = () => ({ name, kind: 'fixed', trust: [] });
  return { name, way, judge: async (question) => judge(question), status, close: async () => undefined };
}

function rule(more: Partial<Rule>): Rule {
  return {
    id: 'policy[0]',
    patterns: [compilePattern('corp/**')],
    mode: 'enforce',
    unsafeAllowUnsigned: false,
    maxAge: 1000,
    ...more,
  };
}

function judgeOf(rules: readonly Rule[], authorities: readonly Authority[], log = new RecordingLog()): Judge {
  return new Judge(rules, authorities, log);
}

const require = { kind: 'all', authorities: ['dct'] } as const;
const upstreamSays = (digest: Digest) => async () => digest;
const neverAsked = () => Promise.reject(new Error('the upstream was asked'));

test('what no rule covers is refused before anyone is asked', async () => {
  const asked: Question[] = [];
  const dct = authority('dct', (question) => {
    asked.push(question);
    return refusing();
  });
  const judge = judgeOf([rule({ patterns: [compilePattern('other/**')], require })], [dct]);
  const verdict = await judge.judge(NAME, TAG, NOW, neverAsked);
  assert.equal(verdict.outcome === 'refused' && verdict.reason, 'NO_RULE');
  assert.deepEqual(asked, []);
});

test('a tag means the signed digest, whatever the upstream would say, and the upstream is not asked', async () => {
  const judge = judgeOf([rule({ require })], [authority('dct', vouching(SIGNED))]);
  const verdict = await judge.judge(NAME, TAG, NOW, neverAsked);
  assert.equal(verdict.outcome === 'admitted' && verdict.digest, SIGNED);
});

test('an authority that throws leaves the verdict undetermined', async () => {
  const broken = authority('dct', () => {
    throw new TypeError('a bug at /secret/place');
  });
  const log = new RecordingLog();
  const verdict = await judgeOf([rule({ require })], [broken], log).judge(NAME, TAG, NOW, neverAsked);
  assert.equal(verdict.outcome === 'undetermined' && verdict.reason, 'INTERNAL');
  assert.doesNotMatch(JSON.stringify(verdict), /secret/, 'what it threw is for the log alone');
  const [line] = log.at('error');
  assert.match(String(Object.values(line?.facts ?? {})), /secret/);
});

test('an authority that is not there leaves the verdict undetermined', async () => {
  const verdict = await judgeOf([rule({ require })], []).judge(NAME, TAG, NOW, neverAsked);
  assert.equal(verdict.outcome === 'undetermined' && verdict.reason, 'INTERNAL');
});

test("unsafeAllowUnsigned takes the upstream's word, and the evidence says that nothing was proved", async () => {
  const verdict = await judgeOf([rule({ unsafeAllowUnsigned: true })], []).judge(NAME, TAG, NOW, upstreamSays(MOVED));
  assert.equal(verdict.outcome === 'admitted' && verdict.digest, MOVED);
  assert.equal(verdict.evidence[0]?.ok, false);
});

test("mode warn serves what would have been refused, by the upstream's word, and keeps the refusal", async () => {
  const judge = judgeOf([rule({ require, mode: 'warn' })], [authority('dct', refusing)]);
  const verdict = await judge.judge(NAME, TAG, NOW, upstreamSays(MOVED));
  assert.equal(verdict.outcome === 'admitted' && verdict.digest, MOVED);
  assert.equal(verdict.outcome === 'admitted' && verdict.warning?.reason, 'NOT_SIGNED');
});

test("a digest under unsafeAllowUnsigned needs the upstream's word too", async () => {
  const judge = judgeOf([rule({ unsafeAllowUnsigned: true })], []);
  const verdict = await judge.judge(NAME, digestReference(MOVED), NOW, upstreamSays(MOVED));
  assert.equal(verdict.outcome === 'admitted' && verdict.digest, MOVED);
  await assert.rejects(judge.judge(NAME, digestReference(MOVED), NOW, neverAsked), /the upstream was asked/);
});

test('a digest is attested without the upstream being asked', async () => {
  const attestor = authority('sig', vouching(SIGNED), 'attests');
  const judge = judgeOf([rule({ require: { kind: 'all', authorities: ['sig'] } })], [attestor]);
  const verdict = await judge.judge(NAME, digestReference(SIGNED), NOW, neverAsked);
  assert.equal(verdict.outcome === 'admitted' && verdict.digest, SIGNED);
});

test('mode warn still prefers the signed digest where there is one', async () => {
  const judge = judgeOf([rule({ require, mode: 'warn' })], [authority('dct', vouching(SIGNED))]);
  const verdict = await judge.judge(NAME, TAG, NOW, neverAsked);
  assert.equal(verdict.outcome === 'admitted' && verdict.digest, SIGNED);
  assert.equal(verdict.outcome === 'admitted' && verdict.warning, undefined);
});

test('an authority that attests is asked about the digest the resolving one gave', async () => {
  const asked: Question[] = [];
  const attestor = authority(
    'sig',
    (question) => {
      asked.push(question);
      return vouching(SIGNED)();
    },
    'attests',
  );
  const both = { kind: 'all', authorities: ['sig', 'dct'] } as const;
  const judge = judgeOf([rule({ require: both })], [attestor, authority('dct', vouching(SIGNED))]);
  const verdict = await judge.judge(NAME, TAG, NOW, neverAsked);
  assert.equal(verdict.outcome, 'admitted');
  assert.deepEqual(asked[0]?.reference, digestReference(SIGNED));
});

test('without a resolving authority the upstream says which digest is attested', async () => {
  const attestor = authority(
    'sig',
    ({ reference }) => (reference.kind === 'digest' && reference.digest === MOVED ? vouching(MOVED)() : refusing()),
    'attests',
  );
  const judge = judgeOf([rule({ require: { kind: 'all', authorities: ['sig'] } })], [attestor]);
  const verdict = await judge.judge(NAME, TAG, NOW, upstreamSays(MOVED));
  assert.equal(verdict.outcome === 'admitted' && verdict.digest, MOVED);
});

test("the question carries the one moment and the rule's limit", async () => {
  let seen: Question | undefined;
  const dct = authority('dct', (question) => {
    seen = question;
    return refusing();
  });
  await judgeOf([rule({ require, maxAge: 42 })], [dct]).judge(NAME, TAG, NOW, neverAsked);
  assert.equal(seen?.now, NOW);
  assert.equal(seen?.maxAge, 42);
});
