import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { terminalOf } from './support/client.ts';
import { once } from './support/once.ts';
import { freePort } from './support/port.ts';
import { Stage, UPSTREAM } from './support/stage.ts';

const stage = await Stage.open();
after(() => stage.close());
const clients = await stage.clients();

const OTHER_ROOT = 'ab'.repeat(32);

/** One gateway with an authority for each kind of trouble, and a rule that sends each repository to its own. */
const gateway = once(async () => {
  const authorities = {
    dct: stage.authority(),
    pinned: stage.authority({ pin: { rootKeys: [OTHER_ROOT] } }),
    both: stage.authority({ signers: ['alice', 'bob'] }),
    down: stage.authority({ server: `https://127.0.0.1:${await freePort()}` }),
  };
  const rule = (repository: string, authority: string) => ({
    images: `${UPSTREAM}/acme/${repository}`,
    require: [authority],
  });
  const policy = [
    ...['unsigned', 'app', 'revoked', 'left', 'gone'].map((repository) => rule(repository, 'dct')),
    ...[rule('impostor', 'pinned'), rule('lonely', 'both'), rule('unreachable', 'down')],
  ];
  return await stage.gateway({ ...stage.configuration(policy), authorities });
});

const owner = once(() => stage.publisher('owner'));
const alice = once(() => stage.publisher('alice'));
const bob = once(() => stage.publisher('bob'));

/** Content signed and unsigned, as publishers leave it. */
const app = once(async () => {
  const publisher = await owner();
  await publisher.pushSigned('acme/app:signed', { message: 'signed' });
  return await publisher.push('acme/app:unsigned', { message: 'not signed' });
});

interface Case {
  readonly cause: string;
  readonly reason: string;
  readonly status?: number;
  /** Makes the trouble, and answers the image that is in it. */
  readonly image: () => Promise<string>;
}

const CASES: readonly Case[] = [
  {
    cause: 'a repository that nobody signed',
    reason: 'NOT_SIGNED',
    image: once(async () => {
      await (await owner()).push('acme/unsigned:1', { message: 'never signed' });
      return 'acme/unsigned:1';
    }),
  },
  {
    cause: 'an unsigned tag of a signed repository',
    reason: 'TAG_NOT_SIGNED',
    image: async () => {
      await app();
      return 'acme/app:unsigned';
    },
  },
  {
    cause: 'the digest of an image that was never signed',
    reason: 'DIGEST_NOT_SIGNED',
    image: async () => `acme/app@${await app()}`,
  },
  {
    cause: 'a tag whose signature its publisher took back',
    reason: 'TAG_NOT_SIGNED',
    image: once(async () => {
      const publisher = await owner();
      await publisher.pushSigned('acme/revoked:1', { message: 'regretted' });
      await publisher.revoke('acme/revoked:1');
      return 'acme/revoked:1';
    }),
  },
  {
    cause: 'an image that no rule covers',
    reason: 'NO_RULE',
    image: once(async () => {
      await (await owner()).pushSigned('acme/uncovered:1', { message: 'signed, not covered' });
      return 'acme/uncovered:1';
    }),
  },
  {
    cause: 'a repository whose root key is not the pinned one',
    reason: 'KEY_NOT_TRUSTED',
    image: once(async () => {
      await (await owner()).pushSigned('acme/impostor:1', { message: 'signed by somebody' });
      return 'acme/impostor:1';
    }),
  },
  {
    cause: 'a tag that one of two required signers signed',
    reason: 'SIGNERS_MISSING',
    image: once(async () => {
      await (await owner()).pushSigned('acme/lonely:0', { message: 'founds the repository' });
      await (await owner()).addSigner('acme/lonely', await alice());
      await (await owner()).addSigner('acme/lonely', await bob());
      await (await alice()).push('acme/lonely:1', { message: 'signed by alice alone' });
      await (await alice()).sign('acme/lonely:1');
      return 'acme/lonely:1';
    }),
  },
  {
    cause: 'a tag that only a signer signed who has been removed',
    reason: 'TAG_NOT_SIGNED',
    image: once(async () => {
      await (await owner()).pushSigned('acme/left:0', { message: 'founds the repository' });
      await (await owner()).addSigner('acme/left', await alice());
      await (await alice()).push('acme/left:1', { message: 'signed by one who left' });
      await (await alice()).sign('acme/left:1');
      await (await owner()).removeSigner('acme/left', await alice());
      return 'acme/left:1';
    }),
  },
  {
    cause: 'an image whose trust server cannot be reached',
    reason: 'TRUST_UNREACHABLE',
    status: 503,
    image: once(async () => {
      await (await owner()).pushSigned('acme/unreachable:1', { message: 'who knows' });
      return 'acme/unreachable:1';
    }),
  },
];

for (const { cause, reason, status = 403, image } of CASES) {
  test(`${cause} is denied with ${status} and ${reason}`, { skip: stage.skip }, async () => {
    const name = `${UPSTREAM}/${await image()}`;
    const denial = await (await gateway()).denial(name);
    assert.deepEqual([denial.status, denial.reason], [status, reason], denial.message);
    assert.equal(denial.code, status === 403 ? 'DENIED' : 'UNAVAILABLE');
    assert.ok(denial.message.includes(name), denial.message);
    assert.equal(denial.phrase, denial.message);
  });

  for (const client of clients) {
    test(`${client.name}: ${cause} is not pulled, and the terminal says why`, {
      skip: stage.skip || client.skip,
    }, async () => {
      const name = `${UPSTREAM}/${await image()}`;
      const { address } = await gateway();
      const { message } = await (await gateway()).denial(name);
      const terminal = terminalOf(await client.pull(name, address));
      assert.ok(terminal.includes(message), `expected ${message}\non the terminal, got ${terminal}`);
    });
  }
}
