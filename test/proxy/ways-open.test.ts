import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentence } from '../../proxy/denial.ts';
import { reasonPhrase } from '../../proxy/error-response.ts';
import { waysOpen } from '../../proxy/ways-open.ts';
import { refused } from '../../trust/verdict.ts';

const OFFICIAL =
  'Docker Official Images have no signature to verify: pull a signed alternative (Docker Hardened Images at dhi.io, ' +
  "Chainguard's at cgr.dev/chainguard), or vouch for it (docklock vouch); see docklock presets docker-official-images";
const PRESET = (name: string) =>
  `The preset ${name} verifies it: whoever runs the gateway can add it and a rule (docklock presets ${name})`;

/** What is said of an image that no rule covers; nothing where nothing is known of its publisher. */
const TABLE: readonly [image: string, advice: string | undefined][] = [
  ['docker.io/library/nginx:1.27', OFFICIAL],
  [`docker.io/library/nginx@sha256:${'a'.repeat(64)}`, OFFICIAL],
  ['registry.k8s.io/pause:3.10', PRESET('kubernetes')],
  ['registry.k8s.io/ingress-nginx/controller', PRESET('kubernetes')],
  ['dhi.io/python:3.14', PRESET('docker-hardened-images')],
  ['docker.io/istio/pilot:1.24.0', PRESET('istio')],
  ['docker.io/library/team/nginx:1', undefined],
  ['docker.io/library-evil/nginx:1', undefined],
  ['registry.k8s.io.evil.example/pause:1', undefined],
  ['registry.example:5000/registry.k8s.io/pause:1', undefined],
  ['ghcr.io/acme/app:1', undefined],
];

for (const [image, advice] of TABLE) {
  test(`${image} without a rule: ${advice ?? 'nothing is known'}`, () => assert.equal(waysOpen(image), advice));
}

test('the whole sentence for an official image fits into the reason phrase, which is all that some clients show', () => {
  const verdict = refused('NO_RULE', 'no policy rule covers docker.io/library/nginx');
  const said = sentence('docker.io/library/nginx:latest', verdict);
  assert.equal(
    said,
    `DockLock refused docker.io/library/nginx:latest: no policy rule covers docker.io/library/nginx [NO_RULE]. ${OFFICIAL}`,
  );
  assert.equal(reasonPhrase(said), said);
});

test('an image of whom nothing is known is told the ways that are always open', () => {
  const said = sentence('ghcr.io/acme/app:1', refused('NO_RULE', 'no policy rule covers ghcr.io/acme/app'));
  for (const way of [/Add a rule/, /docklock presets/, /docklock vouch/]) assert.match(said, way);
  assert.equal(reasonPhrase(said), said);
});

test('a publisher that is known changes nothing of what is said for another reason', () => {
  const said = sentence('registry.k8s.io/pause:3.10', refused('NOT_SIGNED', 'no signature was found'));
  assert.match(said, /\[NOT_SIGNED\]\. Ask the publisher to sign it/);
});
