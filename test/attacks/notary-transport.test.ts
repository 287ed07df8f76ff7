/** trust.md 1.10, "Content", last part: what a trust server, or whoever stands before it, may do on the wire. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { fetchThrough } from '../../bin/metadata-fetch.ts';
import type { MetadataFetch } from '../../trust/fetch-metadata.ts';
import type { NotaryAuthorityOptions } from '../../trust/notary/authority.ts';
import { MetadataClient, type MetadataClientOptions } from '../../upstream/metadata-client.ts';
import { type Pace, REAL_PACE } from '../../upstream/pace.ts';
import { GUN, IMAGE, NOW, notaryClient, outcomeOf, signedRepository } from '../support/notary-client.ts';
import { NotaryServer, type NotaryServerOptions } from '../support/notary-server.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { makeAuthority } from '../support/tls-certificate.ts';

const PASSWORD = 'secret-password';
const LOGIN = { kind: 'basic' as const, username: 'ci', password: async () => PASSWORD };
const BEARER = { kind: 'bearer' as const, username: 'ci', password: PASSWORD };
const MiB = 1024 * 1024;

/** A server with one signed repository, and an authority that asks it through the real client. */
async function overTheWire(
  t: TestContext,
  serverOptions: NotaryServerOptions = {},
  clientOptions: Partial<MetadataClientOptions> = {},
) {
  const server = await NotaryServer.start(t, serverOptions);
  const repository = signedRepository();
  server.add(repository);
  const client = new MetadataClient({
    url: server.url,
    credentials: { kind: 'anonymous' },
    log: new RecordingLog(),
    now: () => NOW,
    pace: IMPATIENT,
    ...clientOptions,
  });
  t.after(() => client.close());
  const fetch: MetadataFetch = fetchThrough(client);
  const options: Partial<NotaryAuthorityOptions> = { server: server.url, fetch };
  return { server, ...(await notaryClient(t, repository, options)) };
}

/** Retries without waiting. */
const IMPATIENT: Pace = { ...REAL_PACE, wait: async () => undefined };

test('over https with a private CA and a token for this repository the tag is found', async (t) => {
  const ca = makeAuthority('notary ca');
  const tls = ca.issue(['127.0.0.1']);
  const { judge, server } = await overTheWire(t, { tls, auth: BEARER }, { ca: ca.pem, credentials: LOGIN });
  const finding = await judge('1.0');
  assert.equal(finding.outcome === 'vouched' && finding.digest, IMAGE.digest);
  const files = server.requests.filter(({ headers }) => headers.authorization?.startsWith('Bearer '));
  assert.equal(files.length, 4);
  assert.equal(files[0]?.path, `/v2/${GUN}/_trust/tuf/root.json`);
});

test('a server whose certificate is not from the CA is not asked', async (t) => {
  const tls = makeAuthority('another ca').issue(['127.0.0.1']);
  const { judge, server } = await overTheWire(t, { tls }, { ca: makeAuthority('notary ca').pem });
  assert.equal(outcomeOf(await judge('1.0')), 'TRUST_UNREACHABLE');
  assert.deepEqual(server.requests, []);
});

test('a redirect to another host gets no credentials, and what it answers is not believed', async (t) => {
  const elsewhere = await NotaryServer.start(t);
  elsewhere.add(signedRepository());
  const { judge, server } = await overTheWire(t, { auth: BEARER }, { credentials: LOGIN });
  assert.equal(outcomeOf(await judge('1.0')), 'vouched');
  server.fault = (request, response) => {
    const other = elsewhere.url.replace('127.0.0.1', 'localhost');
    response.writeHead(302, { location: `${other}${request.url}` }).end();
  };
  assert.notEqual(outcomeOf(await judge('1.0', 0)), 'METADATA_INVALID');
  assert.deepEqual(
    elsewhere.requests.filter(({ headers }) => headers.authorization !== undefined),
    [],
  );
});

type Wire = (response: ServerResponse) => void;

const bodies: readonly (readonly [what: string, outcome: string, answer: Wire])[] = [
  ['an endless body', 'METADATA_INVALID', endless],
  [
    'a Content-Length of 1 TiB',
    'METADATA_INVALID',
    (response) => void response.writeHead(200, { 'content-length': String(1024 * 1024 * MiB) }).write('{'),
  ],
  [
    'a body that ends too soon',
    'TRUST_UNREACHABLE',
    (response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{"signed":', () => response.destroy());
    },
  ],
  ['a connection that is closed', 'TRUST_UNREACHABLE', (response) => void response.destroy()],
  ['401', 'TRUST_UNREACHABLE', (response) => void response.writeHead(401).end()],
  ['403', 'TRUST_UNREACHABLE', (response) => void response.writeHead(403).end()],
  ['429', 'TRUST_UNREACHABLE', (response) => void response.writeHead(429).end()],
  ['500', 'TRUST_UNREACHABLE', (response) => void response.writeHead(500).end()],
  ['404', 'NOT_SIGNED', (response) => void response.writeHead(404).end()],
  ['a page of HTML', 'METADATA_INVALID', (response) => void response.writeHead(200).end('<html></html>')],
];

function endless(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, ' ');
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more).writeHead(200);
  more();
}

for (const [what, outcome, answer] of bodies) {
  test(`${what} in the place of the root: ${outcome}`, async (t) => {
    const { judge, server } = await overTheWire(t);
    server.fault = (_, response) => answer(response);
    assert.equal(outcomeOf(await judge('1.0')), outcome);
  });
}

test('a body that unpacks to a thousand times its size is not unpacked beyond the limit', async (t) => {
  const { judge, server } = await overTheWire(t);
  const bomb = gzipSync(Buffer.alloc(64 * MiB, ' '));
  server.fault = (_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bomb.byteLength }).end(bomb);
  };
  const outcome = outcomeOf(await judge('1.0'));
  assert.ok(['METADATA_INVALID', 'TRUST_UNREACHABLE'].includes(outcome), outcome);
});
