import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseChallenge } from '../../upstream/challenge.ts';
import { UpstreamError } from '../../upstream/upstream-error.ts';

const bearer = (realm: string, service?: string, scope?: string) => ({ scheme: 'bearer', realm, service, scope });

for (const [header, expected] of [
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull"',
    bearer('https://auth.docker.io/token', 'registry.docker.io', 'repository:library/nginx:pull'),
  ],
  ['bearer REALM=token', bearer('token')],
  ['Bearer  realm = "a" , service = "b"', bearer('a', 'b')],
  ['Bearer realm="with \\"quotes\\" and, commas"', bearer('with "quotes" and, commas')],
  ['Basic realm="x", Bearer realm="y"', bearer('y')],
  ['Bearer realm="y", Basic realm="x"', bearer('y')],
  ['Negotiate, Bearer realm="y"', bearer('y')],
  ['Bearer error="invalid_token", realm="y"', bearer('y')],
  ['Basic realm="x"', { scheme: 'basic' }],
  ['Basic', { scheme: 'basic' }],
  [', Basic realm="x",', { scheme: 'basic' }],
] as const) {
  test(`challenge read: ${header}`, () => {
    assert.deepEqual(parseChallenge(header, 'registry.example'), expected);
  });
}

test('a 401 without a challenge is a plain no', () => {
  assert.throws(() => parseChallenge(undefined, 'registry.example'), { failure: 'denied', status: 401 });
});

for (const header of [
  '',
  ',',
  '"',
  'Bearer',
  'Bearer realm=""',
  'Bearer service="no realm"',
  'Bearer realm="unclosed',
  'Bearer realm="a" realm="b"',
  'Bearer realm="a", realm="b"',
  'Bearer realm="a", REALM="b"',
  'Bearer realm=https://unquoted.example/token',
  'Digest realm="x", nonce="y"',
  'Bearer realm="\u0000" \u0007',
  `Bearer realm="${'x'.repeat(5000)}"`,
  `Bearer realm="a"${', x=y'.repeat(100)}`,
  'Bearer '.repeat(300),
]) {
  test(`challenge refused: ${JSON.stringify(header).slice(0, 60)}`, () => {
    assert.throws(() => parseChallenge(header, 'registry.example'), {
      name: 'UpstreamError',
      failure: 'bad-answer',
      status: 401,
    });
  });
}

test('any text at all is a challenge or a bad answer', () => {
  const pieces = fc.constantFrom('Bearer', 'Basic', ' ', ',', '=', '"', '\\', 'realm', 'x', '\t', '%');
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (header) => {
      try {
        const challenge = parseChallenge(header, 'registry.example');
        return challenge.scheme === 'basic' || challenge.realm !== '';
      } catch (error) {
        return error instanceof UpstreamError && error.failure === 'bad-answer';
      }
    }),
    { numRuns: 2000 },
  );
});
