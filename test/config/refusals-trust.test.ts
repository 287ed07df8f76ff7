import assert from 'node:assert/strict';
import { test } from 'node:test';
import { glance, problemsOf } from './config-folder.ts';

const ADDRESS = 'an http:// or https:// address';
const KINDS = 'the type of an authority (notary, tuf, cosign), or preset in its place';
const PIN_HINT =
  'write { rootKeys: [key id, …] } for known root keys, { ca: ./ca.pem } for root keys whose certificate that CA issued, or tofu to believe whatever the server says first';
const ONE_DEMAND = 'a rule names who must vouch for its images, or says that unsigned ones are served';
const LIST = 'a list of authorities';
const REQUIRE = `${LIST}, { all: [...] } or { any: [...] }`;
const AGE = 'a duration from 1s to 365d, such as 500ms, 10s, 15m, 24h or 7d';

type Row = readonly [yaml: string, ...problems: string[]];

/** What is wrong with an authority of which the rest is right. Columns count from the entry's own line, the third. */
const NOTARY: readonly Row[] = [
  ['{}', `3:3 authorities.a.type: ${KINDS}, not nothing`],
  ['text', '3:6 authorities.a: a mapping with a type (notary, tuf, cosign) or a preset, not "text"'],
  ['', '3:6 authorities.a: a mapping with a type (notary, tuf, cosign) or a preset, not an empty value'],
  ['{ type: notation }', `3:14 authorities.a.type: ${KINDS}, not "notation"`],
  ['{ type: notry }', `3:14 authorities.a.type: ${KINDS}, not "notry"; did you mean notary?`],
  ['{ type: notary, pin: tofu }', `3:3 authorities.a.server: ${ADDRESS}, not nothing`],
  ['{ type: notary, server: "https://n" }', `3:3 authorities.a.pin: rootKeys, ca or tofu, not nothing; ${PIN_HINT}`],
  [
    '{ type: notary, server: "https://n", pin: }',
    `3:48 authorities.a.pin: rootKeys, ca or tofu, not an empty value; ${PIN_HINT}`,
  ],
  [
    '{ type: notary, server: "https://n", pin: true }',
    `3:48 authorities.a.pin: rootKeys, ca or tofu, not the boolean true; ${PIN_HINT}`,
  ],
  [
    '{ type: notary, server: "https://n", pin: TOFU }',
    `3:48 authorities.a.pin: rootKeys, ca or tofu, not "TOFU"; ${PIN_HINT}`,
  ],
  [
    '{ type: notary, server: "https://n", pin: {} }',
    `3:48 authorities.a.pin: exactly one of rootKeys, ca, not none of them; ${PIN_HINT}`,
  ],
  [
    '{ type: notary, server: "https://n", pin: { tofu: true } }',
    `3:48 authorities.a.pin: exactly one of rootKeys, ca, not none of them; ${PIN_HINT}`,
    '3:50 authorities.a.pin.tofu: one of the keys rootKeys, ca, not "tofu"',
  ],
  [
    '{ type: notary, server: "https://n", pin: { rootKeys: [] } }',
    '3:60 authorities.a.pin.rootKeys: a list of key ids, not an empty list',
  ],
  [
    '{ type: notary, server: "https://n", pin: { rootKeys: [abc, 1] } }',
    '3:61 authorities.a.pin.rootKeys[0]: a key id of 64 hex digits, not "abc"',
    '3:66 authorities.a.pin.rootKeys[1]: a key id of 64 hex digits, not the number 1; put it in quotes',
  ],
  [
    '{ type: notary, server: "https://n", pin: tofu, gun: docker.io/library/alpine }',
    '3:59 authorities.a.gun: a name with {repository} in it, not "docker.io/library/alpine"; else one trust collection would vouch for every repository',
  ],
  [
    '{ type: notary, server: "https://n", pin: tofu, gun: "{repository}:{tag}" }',
    '3:59 authorities.a.gun: only {registry} and {repository} between braces, not "{repository}:{tag}"',
  ],
  [
    '{ type: notary, server: "https://n", pin: tofu, gun: "../{repository}" }',
    '3:59 authorities.a.gun: a name with {repository} and perhaps {registry} in it, not "../{repository}"',
  ],
  [
    '{ type: notary, server: "https://n", pin: tofu, requireReleases: 1 }',
    '3:71 authorities.a.requireReleases: true or false, not the number 1',
  ],
  [
    '{ type: notary, server: "https://n", pin: tofu, signers: [Al ice] }',
    '3:64 authorities.a.signers[0]: the name of a delegation, such as alice, not "Al ice"',
  ],
  [
    '{ type: notary, server: "https://n", pin: tofu, signers: [] }',
    '3:63 authorities.a.signers: a list of signers, not an empty list',
  ],
  [
    '{ type: notary, server: "https://n", pin: tofu, signers: [alice, targets/alice] }',
    '3:63 authorities.a.signers: a list of signers, each of them once, not "alice" again',
  ],
  [
    '{ type: notary, server: "https://n", pin: tofu, signers: [targets/releases] }',
    '3:64 authorities.a.signers[0]: a signer, not "targets/releases"; for targets/releases write requireReleases: true',
  ],
  [
    '{ type: notary, server: "https://n", pin: tofu, refresh: 2d }',
    '3:63 authorities.a.refresh: a duration from 1s to 24h, such as 500ms, 10s, 15m, 24h or 7d, not "2d"',
  ],
];

for (const [yaml, ...expected] of NOTARY) {
  test(`refused as an authority: ${yaml}`, async (t) => {
    assert.deepEqual(
      glance(await problemsOf(t, `upstreams: { docker.io: {} }\nauthorities:\n  a: ${yaml}\n`)),
      expected,
    );
  });
}

test('an authority is named so that its name can be part of a file name', async (t) => {
  for (const name of ['..', 'a/b', '"a b"', '__proto__', `"${'x'.repeat(64)}"`]) {
    const problems = await problemsOf(t, `authorities: { ${name}: { type: notary, server: "https://n", pin: tofu } }`);
    assert.deepEqual(
      problems.map(({ expected }) => expected),
      ['the name of an authority: up to 63 letters, digits, ".", "_" and "-"'],
    );
  }
});

/** What is wrong with a rule, in its own line, the fourth; dct and org exist. */
const RULES: readonly Row[] = [
  ['text', '4:5 policy[0]: a mapping with images and require, not "text"'],
  [
    '{ require: [dct] }',
    '4:5 policy[0].images: a pattern such as docker.io/library/*, or a list of patterns, not nothing',
  ],
  [
    '{ images: [], require: [dct] }',
    '4:15 policy[0].images: a pattern such as docker.io/library/*, or a list of patterns, not an empty list',
  ],
  [
    '{ images: nginx, require: [dct] }',
    '4:15 policy[0].images: an upstream and a repository, not "nginx"; names begin with the upstream: docker.io/library/nginx; ** alone is every image',
  ],
  [
    '{ images: [a/b, a/b], require: [dct] }',
    '4:15 policy[0].images: a pattern such as docker.io/library/*, or a list of patterns, each of them once, not "a/b" again',
  ],
  ['{ images: a/b }', `4:5 policy[0]: exactly one of require, unsafeAllowUnsigned, not none of them; ${ONE_DEMAND}`],
  [
    '{ images: a/b, unsafeAllowUnsigned: false }',
    `4:5 policy[0]: exactly one of require, unsafeAllowUnsigned, not none of them; ${ONE_DEMAND}`,
  ],
  [
    '{ images: a/b, require: [dct], unsafeAllowUnsigned: true }',
    `4:5 policy[0]: exactly one of require, unsafeAllowUnsigned, not require and unsafeAllowUnsigned; ${ONE_DEMAND}`,
  ],
  ['{ images: a/b, unsafeAllowUnsigned: "true" }', '4:41 policy[0].unsafeAllowUnsigned: true or false, not "true"'],
  ['{ images: a/b, require: }', `4:29 policy[0].require: ${REQUIRE}, not an empty value`],
  ['{ images: a/b, require: dct }', `4:29 policy[0].require: ${REQUIRE}, not "dct"`],
  ['{ images: a/b, require: [] }', `4:29 policy[0].require: ${LIST}, not an empty list`],
  ['{ images: a/b, require: {} }', '4:29 policy[0].require: exactly one of all, any, not none of them'],
  ['{ images: a/b, require: { any: [] } }', `4:36 policy[0].require.any: ${LIST}, not an empty list`],
  ['{ images: a/b, require: { all: [] } }', `4:36 policy[0].require.all: ${LIST}, not an empty list`],
  [
    '{ images: a/b, require: { all: [dct], any: [org] } }',
    '4:29 policy[0].require: exactly one of all, any, not all and any',
  ],
  ['{ images: a/b, require: [dct, dct] }', `4:29 policy[0].require: ${LIST}, each of them once, not "dct" again`],
  [
    '{ images: a/b, require: [dctt] }',
    '4:30 policy[0].require[0]: the name of an authority (dct, org), not "dctt"; did you mean dct?',
  ],
  [
    '{ images: a/b, require: { any: [dct, kubernetes] } }',
    '4:42 policy[0].require.any[1]: the name of an authority (dct, org), not "kubernetes"',
  ],
  [
    '{ images: a/b, require: [__proto__, 5] }',
    '4:30 policy[0].require[0]: the name of an authority (dct, org), not "__proto__"',
    '4:41 policy[0].require[1]: the name of an authority, not the number 5; put it in quotes',
  ],
  [
    '{ images: a/b, require: [dct], mode: Warn }',
    '4:42 policy[0].mode: enforce or warn, not "Warn"; did you mean warn?',
  ],
  ['{ images: a/b, require: [dct], freshness: 24h }', '4:47 policy[0].freshness: a mapping with maxAge, not "24h"'],
  ['{ images: a/b, require: [dct], freshness: { maxAge: 0s } }', `4:57 policy[0].freshness.maxAge: ${AGE}, not "0s"`],
  [
    '{ images: a/b, requires: [dct] }',
    `4:5 policy[0]: exactly one of require, unsafeAllowUnsigned, not none of them; ${ONE_DEMAND}`,
    '4:20 policy[0].requires: one of the keys images, require, mode, unsafeAllowUnsigned, freshness, not "requires"; did you mean require?',
  ],
];

for (const [yaml, ...expected] of RULES) {
  test(`refused as a rule: ${yaml}`, async (t) => {
    const notary = '{ type: notary, server: "https://n", pin: tofu }';
    const text = `upstreams: { a: {} }\nauthorities: { dct: ${notary}, org: ${notary} }\npolicy:\n  - ${yaml}\n`;
    assert.deepEqual(glance(await problemsOf(t, text)), expected);
  });
}

test('without authorities, a rule is told that there are none', async (t) => {
  assert.deepEqual(glance(await problemsOf(t, 'policy: [{ images: "**", require: [dct] }]')), [
    '1:36 policy[0].require[0]: the name of an authority (none is configured), not "dct"',
  ]);
});

test('an authority that is itself mistaken is still one that rules may name', async (t) => {
  const problems = await problemsOf(
    t,
    'authorities: { a: { type: notation } }\npolicy: [{ images: "**", require: [a] }]',
  );
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['authorities.a.type'],
  );
});
