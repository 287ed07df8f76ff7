import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { OCI_INDEX } from '../../oci/media-type.ts';
import { admit } from '../../trust/admit.ts';
import type { Admitted } from '../../trust/verdict.ts';

const bytes = Buffer.from('{"schemaVersion":2,"manifests":[]}');
const manifest = parseManifest(bytes, OCI_INDEX);

function verdict(more: Partial<Admitted>): Admitted {
  return {
    outcome: 'admitted',
    digest: manifest.digest,
    rule: 'policy[0]',
    evidence: [],
    validUntil: new Date(),
    ...more,
  };
}

test('bytes with the admitted digest and the signed size are admitted', () => {
  assert.equal(admit(verdict({ size: bytes.byteLength }), manifest), manifest);
  assert.equal(admit(verdict({}), manifest), manifest);
});

test('bytes with another digest are refused', () => {
  const answer = admit(verdict({ digest: digestOf(Buffer.from('other')) }), manifest);
  assert.equal('reason' in answer && answer.reason, 'CONTENT_MISMATCH');
});

test('bytes of another size than was signed are refused', () => {
  const answer = admit(verdict({ size: bytes.byteLength + 1 }), manifest);
  assert.equal('reason' in answer && answer.reason, 'CONTENT_MISMATCH');
});
