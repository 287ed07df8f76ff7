import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { Secret } from '../../upstream/secret.ts';

test('a secret shows itself only when asked to', () => {
  const secret = new Secret('hunter2');
  const shown = [
    `${secret}`,
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }, { depth: 10, showHidden: true }),
    format('%s %o %j', secret, secret, secret),
    JSON.stringify(Object.entries(secret)),
  ].join('\n');
  assert.doesNotMatch(shown, /hunter2/);
  assert.match(shown, /\[secret\]/);
  assert.equal(secret.reveal(), 'hunter2');
});
