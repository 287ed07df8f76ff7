import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../oci/digest.ts';
import { type ImageName, parseRepositoryName, parseTag, parseUpstreamName } from '../../oci/reference.ts';
import type { Authority } from '../../trust/authority.ts';
import { Judge } from '../../trust/judge.ts';
import { compilePattern, type Rule } from '../../trust/rule.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { SignedTargets } from '../support/signed-targets.ts';

const NOW = new Date('2026-11-24T12:00:00Z');
const NAME: ImageName = { upstream: parseUpstreamName('corp'), repository: parseRepositoryName('app') };
const DIGEST = digestOf(Buffer.from('signed'));

function rule(id: string, images: string, more: Partial<Rule>): Rule {
  return { id, patterns: [compilePattern(images)], mode: 'enforce', unsafeAllowUnsigned: false, maxAge: 1000, ...more };
}

function signing(name: string, ...tags: string[]): SignedTargets {
  const authority = new SignedTargets(name);
  for (const tag of tags) authority.sign('corp/app', tag, DIGEST);
  return authority;
}

const all = (...authorities: string[]) => ({ require: { kind: 'all', authorities } }) as const;
const any = (...authorities: string[]) => ({ require: { kind: 'any', authorities } }) as const;
const out = (name: string) => Object.assign(new SignedTargets(name), { unreachable: true });
const attests = (name: string) => new SignedTargets(name, 'attests');

const cases: readonly [string, readonly Rule[], readonly Authority[], readonly string[], 'known' | 'unknown'][] = [
  [
    'all that is named, where the rule covers the repository',
    [rule('0', 'corp/**', all('a'))],
    [signing('a', '1', '2')],
    ['1', '2'],
    'known',
  ],
  ['nothing, where no rule covers it', [rule('0', 'corp/other', all('a'))], [signing('a', '1')], [], 'known'],
  [
    'only tags that the pattern covers',
    [rule('0', 'corp/app:v*', all('a'))],
    [signing('a', 'v1', 'w1')],
    ['v1'],
    'known',
  ],
  [
    'only of the authority that the first rule for the tag requires',
    [rule('0', 'corp/app:v*', all('a')), rule('1', 'corp/app', all('b'))],
    [signing('a', 'v1', 'w1'), signing('b', 'v2', 'w2')],
    ['v1', 'w2'],
    'known',
  ],
  [
    'nothing of tags that are taken unsigned',
    [rule('0', 'corp/app:v*', { unsafeAllowUnsigned: true, ...all('a') }), rule('1', 'corp/app', all('a'))],
    [signing('a', 'v1', 'w1')],
    ['w1'],
    'known',
  ],
  [
    'what any one names, where all must agree',
    [rule('0', '**', all('a', 'b'))],
    [signing('a', '1'), signing('b', '2')],
    ['1'],
    'known',
  ],
  [
    'what each names, where one is enough',
    [rule('0', '**', any('a', 'b'))],
    [signing('a', '1'), signing('b', '2')],
    ['1', '2'],
    'known',
  ],
  ['nothing of one that attests', [rule('0', '**', all('a'))], [attests('a')], [], 'known'],
  [
    'what is named, beside one that attests',
    [rule('0', '**', all('s', 'a'))],
    [attests('s'), signing('a', '1')],
    ['1'],
    'known',
  ],
  ['not to know, when the only authority is out', [rule('0', '**', all('a'))], [out('a')], [], 'unknown'],
  ['to know, when one of all is out', [rule('0', '**', all('a', 'b'))], [out('a'), signing('b', '1')], ['1'], 'known'],
  [
    'not to know, when one of any is out',
    [rule('0', '**', any('a', 'b'))],
    [out('a'), signing('b', '1')],
    ['1'],
    'unknown',
  ],
  ['nothing of a repository without trust data', [rule('0', '**', all('a'))], [signing('a')], [], 'known'],
  ['nothing of an authority that is not there', [rule('0', '**', all('a'))], [], [], 'known'],
];

for (const [what, rules, authorities, expected, knowledge] of cases) {
  test(`what is signed in a repository is ${what}`, async () => {
    const { targets, unknown } = await new Judge(rules, authorities, new RecordingLog()).signedTargets(NAME, NOW);
    assert.deepEqual(
      [...targets].map(({ tag }) => tag),
      expected,
    );
    assert.equal(unknown === undefined ? 'known' : 'unknown', knowledge);
  });
}

test('an authority is not asked what is signed where no rule that requires it covers the repository', async () => {
  const [one, other] = [signing('a', '1'), signing('b', '1')];
  const rules = [rule('0', 'corp/other', all('a')), rule('1', 'corp/app', all('b'))];
  await new Judge(rules, [one, other], new RecordingLog()).signedTargets(NAME, NOW);
  assert.deepEqual([one.listed, other.listed], [0, 1]);
});

test('an authority that throws leaves unknown what is signed, and says why in the log alone', async () => {
  const broken = signing('a', '1');
  broken.signedTargets = () => Promise.reject(new TypeError('a bug at /secret/place'));
  const log = new RecordingLog();
  const { targets, unknown } = await new Judge([rule('0', '**', all('a'))], [broken], log).signedTargets(NAME, NOW);
  assert.deepEqual([...targets], []);
  assert.equal(unknown?.reason, 'INTERNAL');
  assert.doesNotMatch(JSON.stringify(unknown), /secret/);
  assert.match(String(Object.values(log.at('error')[0]?.facts ?? {})), /secret/);
});

test('the version changes with the trusted metadata of an authority, and with nothing else', async () => {
  const signed = signing('a', '1');
  const judge = new Judge([rule('0', '**', all('a'))], [signed], new RecordingLog());
  const { version } = await judge.signedTargets(NAME, NOW);
  assert.equal((await judge.signedTargets(NAME, NOW)).version, version);
  signed.withdraw('corp/app', '1');
  assert.notEqual((await judge.signedTargets(NAME, NOW)).version, version);
});

test('the list is made as it is read', async () => {
  const endless = signing('a');
  endless.signedTargets = async () => ({
    outcome: 'listed',
    stateVersion: '1',
    targets: (function* () {
      for (;;) yield { tag: parseTag('1'), digest: DIGEST };
    })(),
  });
  const { targets } = await new Judge([rule('0', '**', all('a'))], [endless], new RecordingLog()).signedTargets(
    NAME,
    NOW,
  );
  const [first] = targets;
  assert.equal(first?.tag, '1');
});

for (const [images, names] of [
  ['corp/app', [undefined]],
  ['corp/app:v*', []],
] as const) {
  test(`what is signed under its digest is named by ${images} ${names.length} times: a pattern with a tag covers no digest`, async () => {
    const authority = new SignedTargets('a');
    authority.signedTargets = async () => ({
      outcome: 'listed',
      stateVersion: '1',
      targets: [{ tag: undefined, digest: DIGEST }],
    });
    const judge = new Judge([rule('0', images, all('a'))], [authority], new RecordingLog());
    const { targets } = await judge.signedTargets(NAME, NOW);
    assert.deepEqual(
      [...targets].map(({ tag }) => tag),
      names,
    );
  });
}
