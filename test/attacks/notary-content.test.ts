/** trust.md 1.10, "Content": files that are signed, or pretend to be, and are not what they should be. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { FileEntry } from '../support/notary-publisher.ts';
import { MetadataTooLarge } from '../../trust/fetch-metadata.ts';
import { IMAGE, notaryClient, outcomeOf, signedRepository } from '../support/notary-client.ts';
import type { NotaryRepository } from '../support/notary-repository.ts';

const MiB = 1024 * 1024;

interface Case {
  readonly cause: string;
  readonly outcome: string;
  bend(repository: NotaryRepository): void;
}

/** Changes how the snapshot names the targets. */
function listing(change: (entry: FileEntry) => void) {
  return (repository: NotaryRepository) =>
    repository.edit('snapshot', (part) => {
      const { targets } = part.meta;
      assert.ok(targets);
      change(targets);
    });
}

function typed(role: 'root' | 'timestamp' | 'snapshot' | 'targets', type: string) {
  return (repository: NotaryRepository) =>
    repository.edit(role, (part) => {
      part._type = type;
    });
}

function sha512Of(text: string): string {
  return createHash('sha512').update(text).digest('base64');
}

const cases: readonly Case[] = [
  {
    cause: 'a snapshot in the place of the timestamp',
    outcome: 'METADATA_MISMATCH',
    bend: typed('timestamp', 'Snapshot'),
  },
  {
    cause: 'a timestamp in the place of the snapshot',
    outcome: 'METADATA_MISMATCH',
    bend: typed('snapshot', 'Timestamp'),
  },
  { cause: 'a root in the place of the targets', outcome: 'METADATA_MISMATCH', bend: typed('targets', 'Root') },
  { cause: 'targets in the place of the root', outcome: 'METADATA_MISMATCH', bend: typed('root', 'Targets') },
  { cause: 'a type in other capitals', outcome: 'METADATA_MISMATCH', bend: typed('targets', 'targets') },
  {
    cause: 'a file named by its SHA-512 only',
    outcome: 'METADATA_INVALID',
    bend: listing(({ hashes }) => {
      delete hashes.sha256;
    }),
  },
  {
    cause: 'a file named by a SHA-512 that is not its own, beside its SHA-256',
    outcome: 'METADATA_MISMATCH',
    bend: listing(({ hashes }) => {
      hashes.sha512 = sha512Of('something else');
    }),
  },
  {
    cause: 'a file named by another kind of hash besides',
    outcome: 'vouched',
    bend: listing(({ hashes }) => {
      hashes.sha3 = 'anything';
    }),
  },
  {
    cause: 'a hash that is too short',
    outcome: 'METADATA_INVALID',
    bend: listing(({ hashes }) => {
      hashes.sha256 = Buffer.alloc(16).toString('base64');
    }),
  },
  {
    cause: 'a hash in hex instead of base64',
    outcome: 'METADATA_INVALID',
    bend: listing(({ hashes }) => {
      hashes.sha256 = 'ab'.repeat(32);
    }),
  },
  {
    cause: 'a file that is shorter than signed for',
    outcome: 'METADATA_MISMATCH',
    bend: listing((entry) => {
      entry.length += 1;
    }),
  },
  {
    cause: 'a file that is longer than signed for',
    outcome: 'METADATA_INVALID',
    bend: listing((entry) => {
      entry.length -= 1;
    }),
  },
  {
    cause: 'a file of 5 MiB and a byte',
    outcome: 'METADATA_INVALID',
    bend: listing((entry) => {
      entry.length = 5 * MiB + 1;
    }),
  },
  {
    cause: 'seven files that together are more than 32 MiB',
    outcome: 'METADATA_INVALID',
    bend: (repository) =>
      repository.edit('snapshot', (part) => {
        const { targets } = part.meta;
        for (let index = 0; index < 7; index += 1) {
          part.meta[`targets/r${index}`] = { hashes: { ...targets?.hashes }, length: 5 * MiB };
        }
      }),
  },
  {
    cause: 'a tag that is signed by its SHA-512 only',
    outcome: 'METADATA_INVALID',
    bend: (repository) =>
      repository.edit('targets', (part) => {
        part.targets['1.0'] = { hashes: { sha512: sha512Of('one') }, length: IMAGE.size };
      }),
  },
  {
    cause: 'a timestamp that names no snapshot',
    outcome: 'METADATA_INVALID',
    bend: (repository) => {
      repository.timestamp.meta = {};
      repository.write('timestamp', repository.timestamp);
    },
  },
  {
    cause: 'a snapshot that names no targets',
    outcome: 'METADATA_INVALID',
    bend: (repository) =>
      repository.edit('snapshot', (part) => {
        delete part.meta.targets;
      }),
  },
  {
    cause: 'a file of 257 signatures',
    outcome: 'METADATA_INVALID',
    bend: (repository) =>
      repository.tamper('targets', (envelope) => {
        const [signature] = envelope.signatures;
        assert.ok(signature);
        envelope.signatures = Array.from({ length: 257 }, () => signature);
      }),
  },
  {
    cause: 'a file that publishes a private key',
    outcome: 'METADATA_INVALID',
    bend: (repository) =>
      repository.edit('root', (part) => {
        for (const key of Object.values(part.keys)) Object.assign(key.keyval, { private: 'c2VjcmV0' });
      }),
  },
  {
    cause: 'a signature that was changed',
    outcome: 'SIGNATURE_INVALID',
    bend: (repository) =>
      repository.tamper('targets', ({ signatures: [signature] }) => {
        assert.ok(signature);
        signature.sig = Buffer.alloc(64, 1).toString('base64');
      }),
  },
  {
    cause: 'a tag that was changed after it was signed',
    outcome: 'SIGNATURE_INVALID',
    bend: (repository) =>
      repository.tamper('targets', (envelope) => {
        envelope.signed.targets = { '1.0': { hashes: {}, length: 1 } };
      }),
  },
];

for (const { cause, outcome, bend } of cases) {
  test(`${cause}: ${outcome}`, async (t) => {
    const repository = signedRepository();
    bend(repository);
    const { judge } = await notaryClient(t, repository);
    assert.equal(outcomeOf(await judge('1.0')), outcome);
  });
}

test('a timestamp is read up to 1 MiB, a root up to 5 MiB, any other file up to the length it was signed for', async (t) => {
  const { judge, fetch, repository } = await notaryClient(t);
  const limits = new Map<string, number>();
  const get = fetch.get.bind(fetch);
  fetch.get = (url, limit) => {
    limits.set(url.slice(url.lastIndexOf('/') + 1).replace(/\..*\./, '.'), limit);
    return get(url, limit);
  };
  await judge('1.0');
  assert.deepEqual(Object.fromEntries(limits), {
    'root.json': 5 * MiB,
    'timestamp.json': MiB,
    'snapshot.json': repository.file('snapshot').byteLength,
    'targets.json': repository.file('targets').byteLength,
  });
});

for (const file of ['root.json', 'timestamp.json', /^snapshot\./, /^targets\./]) {
  test(`an endless ${file} is given up: METADATA_INVALID`, async (t) => {
    for (const endless of ['cut off by the client', 'not cut off'] as const) {
      const { judge, fetch } = await notaryClient(t);
      fetch.answer = (name) => {
        if (typeof file === 'string' ? name !== file : !file.test(name)) return undefined;
        if (endless === 'cut off by the client') throw new MetadataTooLarge('expected less');
        return { kind: 'found', bytes: Buffer.alloc(6 * MiB, ' ') };
      };
      assert.equal(outcomeOf(await judge('1.0')), 'METADATA_INVALID', endless);
    }
  });
}
