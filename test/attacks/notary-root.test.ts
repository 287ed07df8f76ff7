/** trust.md 1.10, "Root": who may become the root of trust of a repository, when nothing is remembered of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ecdsaKey, type RootKeyWish, rootKey, type SigningKey } from '../support/signing-key.ts';
import type { NotaryAuthorityOptions } from '../../trust/notary/authority.ts';
import { DAY, GUN, IMAGE, NOW, notaryClient, outcomeOf } from '../support/notary-client.ts';
import { NotaryRepository } from '../support/notary-repository.ts';

const SHA1 = { oid: '1.2.840.10045.4.1', hash: 'sha1' };

function keyFor(wish: Partial<RootKeyWish> = {}): SigningKey {
  return rootKey({ gun: GUN, now: NOW, ...wish });
}

function publishedWith(rootKeys: readonly SigningKey[], threshold = 1): NotaryRepository {
  const repository = new NotaryRepository({ gun: GUN, now: NOW, rootKeys });
  repository.entrust('root', rootKeys, threshold);
  repository.sign('1.0', IMAGE);
  repository.publish(NOW);
  return repository;
}

const certificates: readonly (readonly [cause: string, wish: Partial<RootKeyWish>, outcome: string])[] = [
  ['the certificate of a root key names the repository', {}, 'vouched'],
  ['the certificate of a root key names another repository', { gun: 'docker.io/acme/other' }, 'KEY_NOT_TRUSTED'],
  ['a wildcard covers the parts below it', { gun: 'docker.io/acme/*' }, 'vouched'],
  ['a wildcard covers another organisation', { gun: 'docker.io/other/*' }, 'KEY_NOT_TRUSTED'],
  ['a wildcard ends within a part, where it would cover acme-evil too', { gun: 'docker.io/acm*' }, 'KEY_NOT_TRUSTED'],
  ['a wildcard covers everything', { gun: '*' }, 'KEY_NOT_TRUSTED'],
  ['the certificate has expired', { notBefore: new Date(0), notAfter: NOW }, 'METADATA_EXPIRED'],
  ['the certificate is not valid for days yet', { notBefore: new Date(NOW.getTime() + 2 * DAY) }, 'KEY_NOT_TRUSTED'],
  ['the clock of the publisher runs some hours ahead', { notBefore: new Date(NOW.getTime() + DAY / 2) }, 'vouched'],
  ['the certificate ends before it begins', { notBefore: NOW, notAfter: new Date(0) }, 'KEY_NOT_TRUSTED'],
  ['the certificate is signed with SHA-1', { algorithm: SHA1 }, 'KEY_NOT_TRUSTED'],
  ['the key is RSA of 2048 bits', { kind: 'rsa' }, 'vouched'],
  ['the key is RSA of 1024 bits', { kind: 'rsa', modulusLength: 1024 }, 'KEY_NOT_TRUSTED'],
  ['the leaf is a CA', { ca: {} }, 'KEY_NOT_TRUSTED'],
];

for (const [cause, wish, outcome] of certificates) {
  test(`${cause}: ${outcome}`, async (t) => {
    const key = keyFor(wish);
    const { judge } = await notaryClient(t, publishedWith([key]));
    assert.equal(outcomeOf(await judge('1.0')), outcome);
  });
}

test('a bundle with a second leaf is refused, since either could be the one that names the repository', async (t) => {
  const second = Buffer.from(keyFor().publicKey.keyval.public, 'base64').toString();
  const { judge } = await notaryClient(t, publishedWith([keyFor({ above: second })]));
  assert.equal(outcomeOf(await judge('1.0')), 'KEY_NOT_TRUSTED');
});

test('a certificate with two common names is refused, since either could be read', async (t) => {
  const key = keyFor();
  const two = rootKey({ gun: GUN, now: NOW, privateKey: key.privateKey, subject: ['docker.io/acme/other', GUN] });
  const { judge } = await notaryClient(t, publishedWith([two]));
  assert.equal(outcomeOf(await judge('1.0')), 'KEY_NOT_TRUSTED');
});

test('a bare key cannot be a root key: it names no repository', async (t) => {
  const { judge } = await notaryClient(t, publishedWith([ecdsaKey()]), { pin: { kind: 'tofu' } });
  assert.equal(outcomeOf(await judge('1.0')), 'KEY_NOT_TRUSTED');
});

interface RootCase {
  readonly cause: string;
  readonly outcome: string;
  bend(repository: NotaryRepository): void;
  options?(repository: NotaryRepository): Partial<NotaryAuthorityOptions>;
}

const roots: readonly RootCase[] = [
  {
    cause: 'the pinned key is not there',
    outcome: 'KEY_NOT_TRUSTED',
    bend: () => undefined,
    options: () => ({ pin: { kind: 'rootKeys', ids: ['0'.repeat(64)] } }),
  },
  {
    cause: 'the pinned key is listed, but has not signed',
    outcome: 'KEY_NOT_TRUSTED',
    bend: (repository) => {
      const [pinned] = repository.signers.get('root') ?? [];
      assert.ok(pinned);
      const thief = keyFor();
      repository.entrust('root', [pinned, thief]);
      repository.signers.set('root', [thief]);
    },
  },
  {
    cause: 'one pinned key, where the root asks for two keys',
    outcome: 'KEY_NOT_TRUSTED',
    bend: (repository) => repository.entrust('root', [...(repository.signers.get('root') ?? []), keyFor()], 2),
  },
  {
    cause: 'the ID of the pinned key is given to another key',
    outcome: 'METADATA_INVALID',
    bend: (repository) => {
      const pinned = repository.rootKeyId;
      const thief = keyFor();
      repository.entrust('root', [thief]);
      repository.root.keys = { ...repository.root.keys, [pinned]: thief.publicKey };
      repository.root.roles.root = { keyids: [pinned], threshold: 1 };
      repository.signers.set('root', [{ ...thief, id: pinned }]);
    },
  },
  {
    cause: 'one key in two certificates counts as two',
    outcome: 'SIGNATURE_INVALID',
    bend: (repository) => {
      const key = keyFor();
      repository.entrust('root', [key, keyFor({ privateKey: key.privateKey })], 2);
    },
    options: () => ({ pin: { kind: 'tofu' } }),
  },
  {
    cause: 'one signature twice counts as two',
    outcome: 'SIGNATURE_INVALID',
    bend: (repository) => {
      const key = keyFor();
      repository.entrust('root', [key, keyFor()], 2);
      repository.signers.set('root', [key, key]);
    },
    options: () => ({ pin: { kind: 'tofu' } }),
  },
  {
    cause: 'a threshold of none is met by nobody',
    outcome: 'METADATA_INVALID',
    bend: (repository) => repository.entrust('timestamp', [], 0),
  },
  {
    cause: 'a role lists a key that is not there',
    outcome: 'METADATA_INVALID',
    bend: (repository) => {
      repository.root.roles.snapshot?.keyids.push('f'.repeat(64));
    },
  },
  {
    cause: 'one of the four base roles is missing',
    outcome: 'METADATA_INVALID',
    bend: (repository) => {
      delete repository.root.roles.snapshot;
    },
  },
];

for (const { cause, outcome, bend, options } of roots) {
  test(`${cause}: ${outcome}`, async (t) => {
    const repository = new NotaryRepository({ gun: GUN, now: NOW });
    const pin = { kind: 'rootKeys' as const, ids: [repository.rootKeyId] };
    repository.sign('1.0', IMAGE);
    bend(repository);
    repository.publish(NOW);
    const { judge } = await notaryClient(t, repository, { pin, ...options?.(repository) });
    assert.equal(outcomeOf(await judge('1.0')), outcome);
  });
}

test('metadata of another repository, perfect in itself, is refused for this one', async (t) => {
  const key = keyFor({ gun: 'docker.io/acme/other' });
  const other = new NotaryRepository({ gun: 'docker.io/acme/other', now: NOW, rootKeys: [key] });
  other.sign('1.0', IMAGE);
  other.publish(NOW);
  const { judge } = await notaryClient(t, other);
  const finding = await judge('1.0');
  assert.equal(outcomeOf(finding), 'KEY_NOT_TRUSTED');
  assert.match('message' in finding ? finding.message : '', /expected a certificate for docker\.io\/acme\/app/);
});
