import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkConfig } from '../../config/check.ts';
import { parseConfigDocument } from '../../config/document.ts';

const AUTHORITY = { type: 'notary', server: 'https://n.example', pin: 'tofu' };

/** Pieces that belong somewhere, so that a random arrangement of them gets past the first check. */
const leaf = fc.oneof(
  fc.constantFrom(
    '127.0.0.1:5000',
    'docker.io',
    'docker.io/**',
    'dct',
    'notary',
    'https://a.example',
    'tofu',
    '15m',
    '5GiB',
    'warn',
  ),
  fc.constantFrom(null, true, false, 0, 5000, ''),
  fc.string(),
);
const key = fc.oneof(
  fc.constantFrom(
    'listen',
    'address',
    'tls',
    'cert',
    'upstreams',
    'a.example',
    'url',
    'hosts',
    'credentials',
    'username',
  ),
  fc.constantFrom(
    'authorities',
    'dct',
    'type',
    'server',
    'pin',
    'rootKeys',
    'gun',
    'policy',
    'images',
    'require',
    'any',
  ),
  fc.string(),
);
const { value: anything } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.constant(AUTHORITY),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
}));
const section = fc.constantFrom('listen', 'data', 'cache', 'upstreams', 'authorities', 'policy', 'pullWindow', 'log');

test('whatever a document says, it is a configuration or has problems that say where', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(section, anything), async (root) => {
      // JSON is YAML, and JSON.stringify quotes whatever YAML would read in another way.
      const document = parseConfigDocument(JSON.stringify(root));
      const { config, problems } = await checkConfig(document, { path: (text) => `/nowhere/${text}`, env: {} });
      assert.equal(config === undefined, problems.length > 0);
      for (const { line, column, expected, got } of problems) {
        assert.ok(line !== undefined && line >= 1 && column !== undefined && column >= 1);
        assert.ok(expected !== '' && got !== '' && !/Invalid|undefined|\[object/.test(expected));
      }
      for (const rule of config?.policy ?? []) {
        assert.notEqual(rule.require === undefined, rule.unsafeAllowUnsigned === false, 'a rule demands or gives way');
        assert.notEqual(rule.require?.authorities.length, 0);
      }
    }),
    { numRuns: 500 },
  );
});
