import assert from 'node:assert/strict';
import { test } from 'node:test';
import { read } from './config-folder.ts';
import { CERTIFICATE, PRIVATE_KEY } from './pem.ts';

const FILES = { 'a.crt': CERTIFICATE, 'a.key': PRIVATE_KEY };
const ENV = { A: 'secret' };
const KEY_ID = '2f3b1a7c5d9e8f604132a4b5c6d7e8f90123456789abcdef0123456789abcdef';

const UPSTREAMS = 'upstreams: { docker.io: {}, ghcr.io: {}, corp: {} }';
const NOTARY = `{ type: notary, server: "https://n.example", pin: { rootKeys: ["${KEY_ID}"] } }`;
const AUTHORITIES = `authorities: { dct: ${NOTARY} }`;
const RULE = 'policy: [{ images: docker.io/library/*, require: [dct] }]';

test('a configuration that enforces everywhere has no warnings', async (t) => {
  assert.deepEqual((await read(t, [UPSTREAMS, AUTHORITIES, RULE].join('\n'))).warnings, []);
});

/** Parts that replace those of the configuration above, and the one warning each brings. */
const TABLE: readonly [yaml: string, ...warnings: string[]][] = [
  [
    'listen: 0.0.0.0:5000',
    'listen: 0.0.0.0:5000 is plain http beyond this machine: who is on the way sees and answers for us',
  ],
  [
    'listen: ["[::1]:1", 127.8.8.8:1, localhost:2, "[::]:5000"]',
    'listen: [::]:5000 is plain http beyond this machine: who is on the way sees and answers for us',
  ],
  ['listen: { address: 0.0.0.0:443, tls: { cert: a.crt, key: a.key } }'],
  [
    'listen: [127.0.0.1:1, { address: 127.0.0.1:2, mirror: true }]',
    'listen: 127.0.0.1:2 is a mirror: while DockLock is down its clients pull from the registry itself, unverified (docs/clients.md)',
    'listen: 127.0.0.1:2 is a mirror without a default upstream: it refuses all that dockerd asks; add default: true to an upstream',
  ],
  ['policy: []', 'authorities.dct: no rule requires it', 'policy: there is no rule, so everything is refused'],
  ['upstreams: {}', 'upstreams: there is none, so nothing can be pulled'],
  [
    'upstreams: { docker.io: {}, corp: { url: "http://corp.example", ca: a.crt, credentials: { username: ci, passwordEnv: A } } }',
    'upstreams.corp: ca is never used, http://corp.example is plain http',
    'upstreams.corp: the password goes over plain http to http://corp.example',
  ],
  ['upstreams: { docker.io: {}, corp: { url: "http://[::1]:5001", credentials: { username: ci, passwordEnv: A } } }'],
  ['upstreams: { docker.io: {}, corp: { url: "http://corp.example" } }'],
  [
    'authorities: { dct: { type: notary, server: "http://n.example", pin: tofu, credentials: docker-config } }',
    'authorities.dct: the password goes over plain http to http://n.example',
    'authorities.dct: pin is tofu, so whoever answers the first time is believed ever after',
  ],
  [
    `authorities: { dct: { type: notary, server: "https://notary.docker.io", pin: { rootKeys: ["${KEY_ID}"] } } }`,
    'authorities.dct: notary.docker.io is shut down on 2026-12-08, after which nothing it vouched for is admitted',
  ],
  [`authorities: { dct: ${NOTARY}, org: ${NOTARY} }`, 'authorities.org: no rule requires it'],
  [
    'policy: [{ images: "**", require: [dct], freshness: { maxAge: 10s } }]',
    'authorities.dct: freshness.maxAge of 10s is not longer than the refresh of 10s, so trust is too old between two refreshes',
  ],
  ['policy: [{ images: "**", require: [dct], freshness: { maxAge: 11s } }]'],
  [
    'policy: [{ images: [a.example/**, ghcr.oi/x, "*/x"], require: [dct] }]',
    'policy[0]: a.example/** matches nothing, a.example is no upstream; names begin with one of docker.io, ghcr.io, corp',
    'policy[0]: ghcr.oi/x matches nothing, ghcr.oi is no upstream; did you mean ghcr.io?',
  ],
  [
    'policy: [{ images: [docker.io/nginx, docker.io/*, docker.io/**], require: [dct] }]',
    'policy[0]: docker.io/nginx matches nothing, images of Docker Hub have two parts; write docker.io/library/nginx',
    'policy[0]: docker.io/* matches nothing, images of Docker Hub have two parts; write docker.io/library/*',
  ],
  [
    'policy: [{ images: [corp/a, corp/b], require: [dct] }, { images: [corp/c, corp/b], require: [dct] }]',
    'policy[1]: corp/b is never reached, policy[0] has corp/b and the first match wins',
  ],
  [
    'policy: [{ images: "**", require: [dct] }, { images: corp/c, require: [dct] }]',
    'policy[1]: corp/c is never reached, policy[0] has ** and the first match wins',
  ],
  [
    'policy: [{ images: [corp/c, corp/d], require: [dct], mode: warn }]',
    'policy[0]: what is refused of corp/c, corp/d is served all the same (mode: warn)',
  ],
  [
    'policy: [{ images: corp/c, require: [dct] }, { images: corp/**, unsafeAllowUnsigned: true }]',
    'policy[1]: unsigned content of corp/** is served (unsafeAllowUnsigned)',
  ],
];

for (const [yaml, ...expected] of TABLE) {
  test(`${expected.length === 0 ? 'nothing to warn of' : 'warned of'}: ${yaml}`, async (t) => {
    const key = yaml.slice(0, yaml.indexOf(':'));
    const rest = [UPSTREAMS, AUTHORITIES, RULE].filter((part) => !part.startsWith(`${key}:`));
    assert.deepEqual((await read(t, [yaml, ...rest].join('\n'), FILES, ENV)).warnings, expected);
  });
}
