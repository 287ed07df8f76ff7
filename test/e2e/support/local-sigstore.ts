import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import {
  fulcioHandler,
  type HandlerFn,
  initializeCA,
  initializeCTLog,
  initializeTLog,
  rekorHandler,
} from '@sigstore/mock';
import type { Workspace } from './workspace.ts';

/** Who a keyless signature is by. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

interface Said {
  readonly statusCode: number;
  readonly response: Awaited<ReturnType<HandlerFn>>['response'];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Fulcio, its certificate log and Rekor, of @sigstore/mock, on a port of their own: what cosign needs for keyless signatures. */
export class LocalSigstore {
  readonly url: string;
  /** Paths of what cosign and DockLock are told about it. */
  readonly trustedRoot: string;
  readonly signingConfig: string;

  private constructor(url: string, trustedRoot: string, signingConfig: string) {
    this.url = url;
    this.trustedRoot = trustedRoot;
    this.signingConfig = signingConfig;
  }

  static async start(workspace: Workspace): Promise<LocalSigstore> {
    const folder = await workspace.folder('sigstore');
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    workspace.closing(async () => {
      server.close();
      server.closeAllConnections();
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('expected a TCP port, got none');
    const url = `http://127.0.0.1:${address.port}`;
    const ctlog = await initializeCTLog(ecKey('P-256'));
    const ca = await initializeCA(ecKey('P-384'), ctlog);
    const tlog = await initializeTLog(url, ecKey('P-256'));
    const [issue, log] = [fulcioHandler(ca), rekorHandler(tlog)];
    server.on('request', async (request, response) => {
      const body = (await buffer(request)).toString('utf8');
      const said = request.url === issue.path ? await issued(issue.fn, request, body) : await logged(log.fn, body);
      response.writeHead(said.statusCode, { 'content-type': 'application/json', ...said.headers }).end(said.response);
    });
    const [root, signing] = [join(folder, 'trusted_root.json'), join(folder, 'signing_config.json')];
    await writeFile(root, JSON.stringify(trustedRoot(url, ca.rootCertificate, tlog.publicKey, ctlog.publicKey)));
    await writeFile(signing, JSON.stringify(signingConfig(url)));
    return new LocalSigstore(url, root, signing);
  }

  /** A token as an identity provider would give it; this Fulcio does not look at its signature. */
  token({ issuer, subject }: Identity): string {
    const now = Math.floor(Date.now() / 1000);
    const parts = [{ alg: 'RS256' }, { iss: issuer, sub: subject, aud: 'sigstore', iat: now, exp: now + 600 }];
    return `${parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.c2ln`;
  }
}

/** cosign shows its token in a header and expects 200, as with Fulcio; the mock wants it in the body and answers 201. */
async function issued(handle: HandlerFn, request: IncomingMessage, body: string): Promise<Said> {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const wanted = { ...JSON.parse(body), credentials: { oidcIdentityToken: token } };
  const { statusCode, response } = await handle(JSON.stringify(wanted));
  return { statusCode: statusCode === 201 ? 200 : statusCode, response };
}

/** Rekor names the entry in a header, and writes an envelope down by its hashes; the mock does neither. */
async function logged(handle: HandlerFn, body: string): Promise<Said> {
  const { statusCode, response } = await handle(JSON.stringify(entryOf(JSON.parse(body))));
  const [id = ''] = statusCode === 201 ? Object.keys(JSON.parse(response.toString())) : [];
  return { statusCode, response, headers: { etag: id } };
}

// biome-ignore lint/suspicious/noExplicitAny: a document of another program, taken apart by tests only
function entryOf(proposed: any): object {
  const content = proposed.spec.proposedContent;
  if (content === undefined) return proposed;
  const { payload, signatures } = JSON.parse(content.envelope);
  const hash = (bytes: Buffer) => ({ algorithm: 'sha256', value: createHash('sha256').update(bytes).digest('hex') });
  const spec = {
    envelopeHash: hash(Buffer.from(content.envelope)),
    payloadHash: hash(Buffer.from(payload, 'base64')),
    signatures: [{ signature: signatures[0].sig, verifier: content.verifiers[0] }],
  };
  return { ...proposed, spec };
}

function trustedRoot(url: string, ca: ArrayBufferView, log: Uint8Array, certificateLog: Uint8Array): object {
  const validFor = { start: new Date(Date.now() - 24 * 3_600_000).toISOString() };
  const logOf = (key: Uint8Array) => ({
    baseUrl: url,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: base64(key), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
    logId: { keyId: createHash('sha256').update(key).digest('base64') },
  });
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [logOf(log)],
    ctlogs: [logOf(certificateLog)],
    certificateAuthorities: [
      {
        subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
        uri: url,
        certChain: { certificates: [{ rawBytes: base64(ca) }] },
        validFor,
      },
    ],
    timestampAuthorities: [],
  };
}

/** protobuf-specs, "SigningConfig" v0.2. */
function signingConfig(url: string): object {
  const validFor = { start: new Date(Date.now() - 24 * 3_600_000).toISOString() };
  const services = [{ url, majorApiVersion: 1, validFor, operator: 'sigstore.mock' }];
  return {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: services,
    rekorTlogUrls: services,
    rekorTlogConfig: { selector: 'ANY' },
    tsaConfig: { selector: 'ANY' },
  };
}

function ecKey(namedCurve: string) {
  return generateKeyPairSync('ec', { namedCurve });
}

function base64(bytes: ArrayBufferView): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
