import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameText, parseUpstreamName } from '../../oci/reference.ts';
import { type AddressBook, addressOf } from '../../proxy/addressing.ts';

const book: AddressBook = {
  upstreams: ['docker.io', 'ghcr.io', 'corp', '127.0.0.1:5001'].map(parseUpstreamName),
  defaultUpstream: parseUpstreamName('docker.io'),
  hosts: new Map([['hub.example', parseUpstreamName('docker.io')]]),
};

for (const [what, asked, expected] of [
  ['the default upstream, as a mirror', { path: 'library/nginx' }, 'docker.io/library/nginx'],
  ['the default upstream, a name of many parts', { path: 'acme/team/app' }, 'docker.io/acme/team/app'],
  ['a one-part name of Docker Hub', { path: 'nginx' }, 'docker.io/library/nginx'],
  ['a one-part name of Docker Hub with its upstream', { path: 'docker.io/nginx' }, 'docker.io/library/nginx'],
  ['the upstream as first path part', { path: 'ghcr.io/acme/app' }, 'ghcr.io/acme/app'],
  ['a one-part name elsewhere', { path: 'corp/app' }, 'corp/app'],
  ['an upstream with a port', { path: '127.0.0.1:5001/app' }, '127.0.0.1:5001/app'],
  ['the ns query', { path: 'acme/app', ns: 'ghcr.io' }, 'ghcr.io/acme/app'],
  ['the ns query with the upstream in the path too', { path: 'ghcr.io/acme/app', ns: 'ghcr.io' }, 'ghcr.io/acme/app'],
  ['a host name of its own', { path: 'library/nginx', host: 'HUB.example:443' }, 'docker.io/library/nginx'],
  ['a host name of its own is not a path', { path: 'corp/app', host: 'hub.example' }, 'docker.io/corp/app'],
  ['ns outweighs the host name', { path: 'acme/app', host: 'hub.example', ns: 'ghcr.io' }, 'ghcr.io/acme/app'],
  ['the gateway by its own name', { path: 'ghcr.io/acme/app', host: '127.0.0.1:5000' }, 'ghcr.io/acme/app'],
] as const) {
  test(`${what}: ${expected}`, () => {
    assert.equal(nameText(addressOf(book, { host: undefined, ns: undefined, ...asked })), expected);
  });
}

for (const [what, asked, code] of [
  ['a registry that is not configured', { path: 'quay.io/acme/app' }, 'NO_RULE'],
  ['a host with a port that is not configured', { path: '10.0.0.1:5000/app' }, 'NO_RULE'],
  ['a host of one word with a port', { path: 'registry:5000/app' }, 'NO_RULE'],
  ['localhost', { path: 'localhost/app' }, 'NO_RULE'],
  ['an ns that is not configured', { path: 'acme/app', ns: 'quay.io' }, 'NO_RULE'],
  ['an ns that is empty', { path: 'acme/app', ns: '' }, 'NO_RULE'],
  ['an ns that is a prototype name', { path: 'acme/app', ns: '__proto__' }, 'NO_RULE'],
  ['a path that climbs', { path: 'ghcr.io/../corp/app' }, 'NAME_INVALID'],
  ['an upstream without a repository', { path: 'ghcr.io' }, 'NAME_INVALID'],
  ['nothing', { path: '' }, 'NAME_INVALID'],
] as const) {
  test(`${what} is refused: ${code}`, () => {
    const ask = () => addressOf(book, { host: undefined, ns: undefined, ...asked });
    assert.throws(
      ask,
      (error: { code?: string; verdict?: { reason: string } }) => (error.code ?? error.verdict?.reason) === code,
    );
  });
}

test('without a default upstream an unprefixed name is refused', () => {
  const ask = () =>
    addressOf({ ...book, defaultUpstream: undefined }, { host: undefined, ns: undefined, path: 'library/nginx' });
  assert.throws(ask, { name: 'DeniedError' });
});

for (const [what, asked, upstreams, message] of [
  [
    'the registry',
    { path: 'quay.io/acme/app' },
    book.upstreams,
    'quay.io/acme/app: no upstream is configured for quay.io (configured: docker.io, ghcr.io, corp, 127.0.0.1:5001)',
  ],
  [
    'no registry, where none can be told',
    { path: 'acme/app', ns: '\u001b[2J' },
    book.upstreams,
    'acme/app: no upstream is configured for this registry (configured: docker.io, ghcr.io, corp, 127.0.0.1:5001)',
  ],
  [
    'that there are none',
    { path: 'quay.io/app' },
    [],
    'quay.io/app: no upstream is configured for quay.io (configured: none)',
  ],
  [
    'no path that steers a terminal',
    { path: 'quay.io/\u001b[2J' },
    [],
    'the image: no upstream is configured for quay.io (configured: none)',
  ],
  [
    'no path that is too long',
    { path: `quay.io/${'a'.repeat(256)}` },
    [],
    'the image: no upstream is configured for quay.io (configured: none)',
  ],
] as const) {
  test(`what is not configured is refused naming ${what}`, () => {
    assert.throws(
      () => addressOf({ ...book, upstreams }, { host: undefined, ns: undefined, ...asked }),
      ({ message: said }: Error) => said.startsWith(`DockLock refused ${message} [NO_RULE].`),
    );
  });
}
