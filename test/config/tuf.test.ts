import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../config/read.ts';
import { folderWith, glance, problemsOf } from './config-folder.ts';

const ROOT = JSON.stringify({ signed: { _type: 'root' }, signatures: [] });
const METADATA = 'an https:// address, a folder such as ./metadata, or oci://upstream/repository';
const NAME = 'a name with {repository} and {tag} in it';
const SERVER_ONLY = 'only where metadata is an http:// or https:// address';

const config = (keys: string) => `upstreams: { corp: {}, "r.example:5000": {} }
authorities:
  a: { type: tuf, ${keys} }
policy: [{ images: "**", require: [a] }]
`;

const READ: readonly (readonly [written: string, metadata: object])[] = [
  ['https://tuf.example/metadata/', { kind: 'server', url: 'https://tuf.example/metadata' }],
  ['http://127.0.0.1:8080', { kind: 'server', url: 'http://127.0.0.1:8080' }],
  ['./metadata', { kind: 'folder', path: 'FOLDER/metadata' }],
  ['/srv/tuf', { kind: 'folder', path: '/srv/tuf' }],
  ['oci://corp/tuf/metadata', { kind: 'image', upstream: 'corp', repository: 'tuf/metadata', tag: 'latest' }],
  ['oci://r.example:5000/tuf:v2', { kind: 'image', upstream: 'r.example:5000', repository: 'tuf', tag: 'v2' }],
];

for (const [written, metadata] of READ) {
  test(`metadata: ${written}`, async (t) => {
    const yaml = config(`metadata: "${written}", root: root.json`);
    const folder = await folderWith(t, { 'docklock.yaml': yaml, 'root.json': ROOT });
    const { authorities, warnings } = await readConfig(join(folder, 'docklock.yaml'));
    assert.deepEqual(JSON.parse(JSON.stringify(authorities).replaceAll(folder, 'FOLDER')), [
      {
        kind: 'tuf',
        name: 'a',
        metadata,
        root: 'FOLDER/root.json',
        target: '{registry}/{repository}:{tag}',
        roles: [],
        credentials: { kind: 'anonymous' },
        refresh: 10_000,
      },
    ]);
    assert.deepEqual(warnings, []);
  });
}

/** What is wrong with an authority of which the rest is right. */
const REFUSED: readonly (readonly [keys: string, ...problems: string[]])[] = [
  ['root: root.json', `3:3 authorities.a.metadata: ${METADATA}, not nothing`],
  ['metadata: ./m', '3:3 authorities.a.root: the path of a root.json, not nothing'],
  ['metadata: m, root: root.json', `3:29 authorities.a.metadata: ${METADATA}, not "m"; a folder begins with ./ or /`],
  ['metadata: "ftp://x", root: root.json', `3:29 authorities.a.metadata: ${METADATA}, not "ftp://x"`],
  [
    'metadata: "oci://corp", root: root.json',
    `3:29 authorities.a.metadata: ${METADATA}, not "oci://corp"; such as oci://ghcr.io/acme/tuf-metadata:latest`,
  ],
  [
    'metadata: "oci://corpp/tuf", root: root.json',
    '3:29 authorities.a.metadata: oci:// and the name of an upstream (corp, r.example:5000), not "corpp"; did you mean corp?',
  ],
  [
    'metadata: ./m, root: root.json, target: "{registry}/{repository}"',
    `3:60 authorities.a.target: ${NAME}, not "{registry}/{repository}"; else one target would vouch for other images too`,
  ],
  [
    'metadata: ./m, root: root.json, target: "{repository}:{tag}{image}"',
    '3:60 authorities.a.target: only {registry}, {repository} and {tag} between braces, each once, not "{repository}:{tag}{image}"',
  ],
  [
    'metadata: ./m, root: root.json, target: "{repository}{tag}"',
    '3:60 authorities.a.target: a name such as {registry}/{repository}:{tag}, not "{repository}{tag}"; with / or : between the parts, so that no two images share a name',
  ],
  [
    'metadata: ./m, root: root.json, ca: ca.pem',
    `3:51 authorities.a.ca: ${SERVER_ONLY}, not ca here; a folder needs none`,
  ],
  [
    'metadata: "oci://corp/t", root: root.json, credentials: docker-config',
    `3:62 authorities.a.credentials: ${SERVER_ONLY}, not credentials here; the upstream has its own`,
  ],
  ['metadata: ./m, root: root.json, roles: []', '3:58 authorities.a.roles: a list of roles, not an empty list'],
];

for (const [keys, ...expected] of REFUSED) {
  test(`refused: ${keys}`, async (t) => {
    const problems = glance(await problemsOf(t, config(keys), { 'root.json': ROOT, 'ca.pem': '' }));
    const said = problems.filter((problem) => !problem.includes('PEM file'));
    assert.deepEqual(
      said.map((problem) => problem.replace(/^3:\d+ /, '')),
      expected.map((problem) => problem.replace(/^3:\d+ /, '')),
    );
  });
}

for (const [cause, content, got] of [
  ['a page of HTML', '<html></html>', 'no JSON in it'],
  ['targets', '{"signed":{"_type":"targets"}}', 'JSON that is no root'],
  ['an empty object', '{}', 'JSON that is no root'],
] as const) {
  test(`${cause} as root.json is found when the configuration is checked`, async (t) => {
    const [problem] = await problemsOf(t, config('metadata: ./m, root: root.json'), { 'root.json': content });
    assert.match(String(problem?.path), /root/);
    assert.match(JSON.stringify(problem), new RegExp(`a readable root.json of a TUF repository.*${got}`));
  });
}

test('ca and credentials that do nothing, or go over plain http, are warned of', async (t) => {
  const keys = 'metadata: "http://tuf.example", root: root.json, credentials: docker-config';
  const folder = await folderWith(t, { 'docklock.yaml': config(keys), 'root.json': ROOT });
  const { warnings } = await readConfig(join(folder, 'docklock.yaml'));
  assert.deepEqual(warnings, ['authorities.a: the password goes over plain http to http://tuf.example']);
});
