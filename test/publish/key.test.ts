import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Metadata, MetadataKind } from '@tufjs/models';
import { isEncrypted, privateKeyPem, publicKeyPem, readPrivateKey, readPublicKey } from '../../publish/key-file.ts';
import { generateKey, parseKey, publicKeyOf, signatureOf, verifies } from '../../publish/key.ts';
import { Keyring } from '../../publish/keyring.ts';
import { fileName } from '../../publish/repository-folder.ts';
import { image } from '../support/fake-registry.ts';
import { ecKey, rsaKey } from './support/keys.ts';
import { PASSPHRASE, TestRepository, temporaryFolder } from './support/repository.ts';

const MESSAGE = Buffer.from('a message');

for (const [kind, make] of [
  ['Ed25519', generateKey],
  ['ECDSA P-256', ecKey],
  ['RSA', rsaKey],
] as const) {
  test(`a key of ${kind} comes back from its file and from metadata as itself`, () => {
    const key = make();
    const pem = privateKeyPem(key, PASSPHRASE);
    assert.equal(readPrivateKey(pem, PASSPHRASE, 'key.pem').public.id, key.public.id);
    assert.equal(readPublicKey(publicKeyPem(key.public), 'key.pub').id, key.public.id);
    assert.equal(parseKey(key.public.id, key.public.json, 'key').id, key.public.id);
    assert.ok(verifies(key.public, MESSAGE, signatureOf(key, MESSAGE)));
  });

  test(`a signature by ${kind} is good for its message and key alone`, () => {
    const key = make();
    const signature = signatureOf(key, MESSAGE);
    assert.ok(!verifies(key.public, Buffer.from('another'), signature));
    assert.ok(!verifies(make().public, MESSAGE, signature));
    for (const bad of ['', 'zz', signature.slice(2), `00${signature.slice(2)}`, signature.toUpperCase().concat(' ')]) {
      assert.ok(!verifies(key.public, MESSAGE, bad), bad);
    }
  });

  test(`openssl opens a key of ${kind} with the passphrase, and not with another`, async (t) => {
    const file = join(await temporaryFolder(t), 'key.pem');
    const key = make();
    await writeFile(file, privateKeyPem(key, PASSPHRASE));
    const openssl = (passphrase: string) =>
      execFileSync('openssl', ['pkey', '-in', file, '-passin', `pass:${passphrase}`, '-pubout'], { stdio: 'pipe' });
    assert.equal(publicKeyOf(createPublicKey(openssl(PASSPHRASE))).id, key.public.id);
    assert.throws(() => openssl(`${PASSPHRASE}r`));
    const described = execFileSync('openssl', ['asn1parse', '-in', file], { stdio: 'pipe' }).toString();
    for (const part of ['PBES2', 'aes-256-cbc', /scrypt|1\.3\.6\.1\.4\.1\.11591\.4\.11/])
      assert.match(described, new RegExp(part));
  });
}

test('two files of one key with one passphrase have nothing in common: the salt is new each time', () => {
  const key = generateKey();
  const [one, other] = [privateKeyPem(key, PASSPHRASE), privateKeyPem(key, PASSPHRASE)];
  assert.ok(isEncrypted(one) && one !== other);
});

test('the key id is the SHA-256 of the key as metadata writes it', () => {
  const { id, json } = generateKey().public;
  const { keyval } = json as unknown as { keyval: { public: string } };
  const text = `{"keytype":"ed25519","keyval":{"public":"${keyval.public}"},"scheme":"ed25519"}`;
  assert.equal(id, createHash('sha256').update(text).digest('hex'));
});

for (const [what, text, said] of [
  ['a private key', privateKeyPem(generateKey(), undefined), /expected a public key, got a private one/],
  ['html', '<html>', /expected a public key in PEM/],
  ['nothing', '', /expected a public key in PEM/],
] as const) {
  test(`${what} where a public key is expected: a sentence`, () => {
    assert.throws(() => readPublicKey(text, 'alice.pub'), said);
  });
}

test('keys that TUF clients cannot use are refused by name', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  assert.throws(() => publicKeyOf(weak), /got rsa 1024/);
  assert.throws(() => publicKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey), /got ec secp384r1/);
  assert.throws(() => publicKeyOf(generateKeyPairSync('x25519').publicKey), /got x25519/);
});

test('a keyring opens a key only when its signature is needed, and only for the roles it is of', async (t) => {
  const folder = await temporaryFolder(t);
  const [mine, other] = [generateKey(), generateKey()];
  for (const [name, key] of [
    ['mine', mine],
    ['other', other],
  ] as const) {
    await writeFile(join(folder, `${name}.pem`), privateKeyPem(key, PASSPHRASE));
    await writeFile(join(folder, `${name}.pub`), publicKeyPem(key.public));
  }
  const asked: string[] = [];
  const keyring = await Keyring.open({
    folders: [folder],
    passphrase: async (file) => {
      asked.push(file);
      return PASSPHRASE;
    },
  });
  assert.deepEqual(asked, []);
  const signers = await keyring.signers({ keyIds: [mine.public.id], threshold: 1 });
  assert.deepEqual([signers.map((key) => key.public.id), asked], [[mine.public.id], [join(folder, 'mine.pem')]]);
});

test('a public half that belongs to another key is found out before anything is signed', async (t) => {
  const folder = await temporaryFolder(t);
  const [mine, other] = [generateKey(), generateKey()];
  await writeFile(join(folder, 'mine.pem'), privateKeyPem(mine, undefined));
  await writeFile(join(folder, 'mine.pub'), publicKeyPem(other.public));
  const keyring = await Keyring.open({ folders: [folder], passphrase: async () => PASSPHRASE });
  await assert.rejects(keyring.signers({ keyIds: [other.public.id], threshold: 1 }), /is not the public half of/);
});

test('the same input gives the same bytes, and what is written is canonical', async (t) => {
  const now = new Date();
  const keys = [generateKey(), generateKey(), generateKey(), generateKey()];
  const files: string[][] = [];
  for (let round = 0; round < 2; round += 1) {
    let next = 0;
    const makeKey = () => keys[next++] ?? assert.fail('more keys than roles');
    const repo = await TestRepository.found(t, { now, makeKey });
    await repo.vouch('docker.io/acme/b:1', image().bytes);
    await repo.vouch('docker.io/acme/a:1', image().bytes);
    const names = [fileName('root', 1), fileName('targets', 3), fileName('snapshot', 3), 'timestamp.json'];
    files.push(
      await Promise.all(names.map(async (name) => Buffer.from(await repo.folder.readMetadata(name)).toString())),
    );
  }
  assert.deepEqual(files[0], files[1]);
  const targets = files[0]?.[1] ?? '';
  const again = Metadata.fromJSON(MetadataKind.Targets, JSON.parse(targets));
  assert.equal(again.signed.specVersion, '1.0.31');
  assert.ok(targets.indexOf('acme/a:1') < targets.indexOf('acme/b:1'));
});
