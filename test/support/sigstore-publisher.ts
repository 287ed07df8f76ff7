/**
 * A Sigstore of its own, and what it signs: certificates, logs and timestamps of @sigstore/mock, without any network.
 *
 *   const publisher = await SigstorePublisher.create();
 *   const root = parseTrustedRoot(publisher.trustedRoot());          // what verifiers believe
 *   const bundle = await publisher.statement(imageStatement(digest), { identity: 'https://github.com/acme/app/…' });
 *   const layer = await publisher.legacy(simpleSigning(digest), { key: ownKey() });
 *
 * Everything is signed at `publisher.signedAt`, by a certificate that lives ten minutes. Bundles are plain JSON, to be tampered with.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { initializeCA, initializeCTLog, initializeTLog, initializeTSA } from '@sigstore/mock';
import { withMailAddress } from './mail-certificate.ts';

export const IDENTITY = 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';
export const ISSUER = 'https://token.actions.githubusercontent.com';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface SignOptions {
  readonly identity?: string;
  /** The identity is an e-mail address; a URI otherwise, whatever it looks like. */
  readonly email?: boolean;
  readonly issuer?: string;
  /** Beside the issuer, by the last number of the object identifier. */
  readonly claims?: Readonly<Record<number, string>>;
  /** A key of the publisher's own, instead of a certificate. */
  readonly key?: KeyPair;
  readonly log?: 'v1' | 'v2' | 'none';
  readonly timestamp?: boolean;
  /** The key that a certificate is for, where a test needs to know it. */
  readonly leafKey?: KeyPair;
  /** Whose key the log entry says it was, where that is to be somebody else's. */
  readonly loggedKey?: KeyPair;
  /** Bytes of certificate that the bundle shows, instead of the signer's own. */
  readonly shownCertificate?: Buffer;
}

/** What is in the layer's annotations and blob of an old-style signature. */
export interface LegacyLayer {
  readonly blob: Buffer;
  readonly mediaType: string;
  readonly annotations: Readonly<Record<string, string>>;
}

// biome-ignore lint/suspicious/noExplicitAny: bundles are made to be broken in any way
export type Json = any;

type Parts = {
  readonly caKey: KeyObject;
  /** What is to be an e-mail address in the certificate that is being made. */
  readonly addresses: Set<string>;
  readonly ca: Awaited<ReturnType<typeof initializeCA>>;
  readonly tlog: Awaited<ReturnType<typeof initializeTLog>>;
  readonly ctlog: Awaited<ReturnType<typeof initializeCTLog>>;
  readonly tsa: Awaited<ReturnType<typeof initializeTSA>>;
};

const DAY = 24 * 3_600_000;
const FULCIO = '1.3.6.1.4.1.57264.1';
const REKOR = 'https://rekor.example';

export class SigstorePublisher {
  readonly signedAt: Date;
  readonly #parts: Parts;
  readonly #logKey: KeyPair;

  private constructor(signedAt: Date, parts: Parts, logKey: KeyPair) {
    this.signedAt = signedAt;
    this.#parts = parts;
    this.#logKey = logKey;
  }

  /** The same one so many milliseconds later, as far as its log is concerned. */
  async later(milliseconds: number): Promise<SigstorePublisher> {
    const signedAt = new Date(this.signedAt.getTime() + milliseconds);
    const tlog = await initializeTLog(REKOR, this.#logKey, signedAt);
    return new SigstorePublisher(signedAt, { ...this.#parts, tlog }, this.#logKey);
  }

  /** @param timestampAt when timestamps are made; with the signature unless given */
  static async create({ certificateLog = true, timestampAt = 0 } = {}): Promise<SigstorePublisher> {
    // The mock's root certificates begin now, by the real clock, so that signatures are made a little later.
    const signedAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 60_000);
    const ctlog = await initializeCTLog(ecKey(), signedAt);
    const caKeys = ecKey('P-384');
    const logKey = ecKey();
    const addresses = new Set<string>();
    const logged: typeof ctlog.log = (certificate, issuer) =>
      ctlog.log(exactBytes(withMailAddress(Buffer.from(certificate), caKeys.privateKey, addresses)), issuer);
    const log = { publicKey: ctlog.publicKey, logID: ctlog.logID, log: logged };
    const parts = {
      ctlog,
      caKey: caKeys.privateKey,
      addresses,
      ca: await initializeCA(caKeys, certificateLog ? log : undefined, signedAt),
      tlog: await initializeTLog(REKOR, logKey, signedAt),
      tsa: await initializeTSA(ecKey('P-384'), new Date(signedAt.getTime() + timestampAt)),
    };
    return new SigstorePublisher(signedAt, parts, logKey);
  }

  /** An hour after everything was signed. */
  get now(): Date {
    return new Date(this.signedAt.getTime() + 3_600_000);
  }

  trustedRoot(change: (root: Json) => void = () => undefined): Buffer {
    const { ca, tlog, ctlog, tsa } = this.#parts;
    const period = () => ({ start: new Date(this.signedAt.getTime() - DAY).toISOString() });
    const log = (publicKey: Uint8Array, baseUrl: string) => ({
      baseUrl,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: base64(publicKey), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: period() },
      logId: { keyId: sha256(publicKey).toString('base64') },
    });
    const authority = (...certificates: ArrayBufferView[]) => ({
      certChain: { certificates: certificates.map((certificate) => ({ rawBytes: base64(certificate) })) },
      validFor: period(),
    });
    const root = {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [log(tlog.publicKey, REKOR)],
      ctlogs: [log(ctlog.publicKey, 'https://ctfe.example')],
      certificateAuthorities: [authority(ca.rootCertificate)],
      timestampAuthorities: [authority(tsa.intCertificate, tsa.rootCertificate)],
    };
    change(root);
    return Buffer.from(JSON.stringify(root));
  }

  /** A bundle of version 0.3 with an in-toto statement in it. */
  async statement(statement: object, options: SignOptions = {}, payloadType = IN_TOTO): Promise<Json> {
    const payload = Buffer.from(JSON.stringify(statement));
    const signed = Buffer.concat([
      Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.byteLength} `),
      payload,
    ]);
    const { signature, signer } = await this.#sign(signed, options);
    const body: Body = { kind: 'dsse', payloadHash: sha256(payload), signature, signer };
    return {
      ...(await this.#material(body, options)),
      dsseEnvelope: {
        payload: base64(payload),
        payloadType,
        signatures: [{ sig: base64(signature), keyid: '' }],
      },
    };
  }

  /** A bundle of version 0.3 over bytes. */
  async message(artifact: Uint8Array, options: SignOptions = {}): Promise<Json> {
    const { signature, signer } = await this.#sign(artifact, options);
    const digest = sha256(artifact);
    return {
      ...(await this.#material({ kind: 'hashedrekord', payloadHash: digest, signature, signer }, options)),
      messageSignature: {
        messageDigest: { algorithm: 'SHA2_256', digest: base64(digest) },
        signature: base64(signature),
      },
    };
  }

  /** A layer of a `.sig` manifest, as cosign 1 and 2 make it. */
  async legacy(payload: object, options: SignOptions = {}): Promise<LegacyLayer> {
    const blob = Buffer.from(JSON.stringify(payload));
    const { verificationMaterial, messageSignature } = await this.message(blob, options);
    return {
      blob,
      mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      annotations: {
        'dev.cosignproject.cosign/signature': messageSignature.signature,
        ...legacyAnnotations(verificationMaterial),
      },
    };
  }

  /** A layer of an `.att` manifest. */
  async legacyAttestation(statement: object, options: SignOptions = {}): Promise<LegacyLayer> {
    const { verificationMaterial, dsseEnvelope } = await this.statement(statement, options);
    return {
      blob: Buffer.from(JSON.stringify(dsseEnvelope)),
      mediaType: 'application/vnd.dsse.envelope.v1+json',
      annotations: { 'dev.cosignproject.cosign/signature': '', ...legacyAnnotations(verificationMaterial) },
    };
  }

  async #sign(signed: Uint8Array, options: SignOptions): Promise<{ signature: Buffer; signer: Signer }> {
    const { publicKey, privateKey } = options.key ?? options.leafKey ?? ecKey();
    const hash = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const signature = sign(hash, signed, privateKey);
    if (options.key !== undefined) return { signature, signer: { key: spki } };
    const { ca, caKey, addresses } = this.#parts;
    const { identity = IDENTITY } = options;
    if (options.email === true) addresses.add(identity);
    const issued = await ca.issueCertificate({
      publicKey: spki as Buffer<ArrayBuffer>,
      subjectAltName: identity,
      extensions: [
        { oid: `${FULCIO}.1`, value: options.issuer ?? ISSUER, legacy: true },
        { oid: `${FULCIO}.8`, value: options.issuer ?? ISSUER },
        ...Object.entries(options.claims ?? {}).map(([number, value]) => ({ oid: `${FULCIO}.${number}`, value })),
      ],
    });
    const certificate = withMailAddress(bytesOf(issued), caKey, addresses);
    addresses.delete(identity);
    return { signature, signer: { certificate } };
  }

  async #material(signed: Body, options: SignOptions): Promise<object> {
    const { log = 'v1', timestamp = log === 'v2', loggedKey, shownCertificate } = options;
    const { signer, signature } = signed;
    const logged = loggedKey?.publicKey.export({ type: 'spki', format: 'der' });
    const body: Body = logged === undefined ? signed : { ...signed, signer: { key: logged } };
    const content =
      shownCertificate !== undefined
        ? { certificate: { rawBytes: base64(shownCertificate) } }
        : 'key' in signer
          ? { publicKey: { hint: base64(sha256(signer.key)) } }
          : { certificate: { rawBytes: base64(signer.certificate) } };
    const tlogEntries = log === 'none' ? [] : [log === 'v1' ? await this.#logged(body) : await this.#loggedV2(body)];
    const rfc3161Timestamps = timestamp ? [{ signedTimestamp: base64(await this.#timestamp(signature)) }] : [];
    return {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { ...content, tlogEntries, timestampVerificationData: { rfc3161Timestamps } },
    };
  }

  async #timestamp(signature: Buffer): Promise<ArrayBufferView> {
    return await this.#parts.tsa.timestamp({
      artifactHash: sha256(signature),
      hashAlgorithmOID: '2.16.840.1.101.3.4.2.1',
      nonce: 1,
      policyOID: '1.2.3.4.1',
    });
  }

  async #logged({ kind, payloadHash, signature, signer }: Body): Promise<object> {
    const hash = { algorithm: 'sha256', value: payloadHash.toString('hex') };
    const verifier = base64(Buffer.from(pemOf(signer)));
    const spec =
      kind === 'dsse'
        ? { payloadHash: hash, signatures: [{ signature: base64(signature), verifier }] }
        : { data: { hash }, signature: { content: base64(signature), publicKey: { content: verifier } } };
    const [entry] = Object.values<Json>(await this.#parts.tlog.log({ kind, apiVersion: '0.0.1', spec }));
    if (entry?.verification?.inclusionProof === undefined) throw new Error('the mock log gave no proof');
    const { inclusionProof, signedEntryTimestamp = '' } = entry.verification;
    return {
      logIndex: String(entry.logIndex),
      logId: { keyId: Buffer.from(entry.logID, 'hex').toString('base64') },
      kindVersion: { kind, version: '0.0.1' },
      integratedTime: String(entry.integratedTime),
      inclusionPromise: { signedEntryTimestamp },
      inclusionProof: {
        logIndex: String(inclusionProof.logIndex),
        rootHash: Buffer.from(inclusionProof.rootHash, 'hex').toString('base64'),
        treeSize: String(inclusionProof.treeSize),
        hashes: [],
        checkpoint: { envelope: inclusionProof.checkpoint },
      },
      canonicalizedBody: entry.body,
    };
  }

  async #loggedV2({ kind, payloadHash, signature, signer }: Body): Promise<object> {
    const keyDetails = 'PKIX_ECDSA_P256_SHA_256';
    const verifier =
      'key' in signer
        ? { keyDetails, publicKey: { rawBytes: base64(signer.key) } }
        : { keyDetails, x509Certificate: { rawBytes: base64(signer.certificate) } };
    const digest = { algorithm: 'SHA2_256', digest: base64(payloadHash) };
    const content = base64(signature);
    const spec =
      kind === 'dsse'
        ? { dsseV002: { payloadHash: digest, signatures: [{ content, verifier }] } }
        : { hashedRekordV002: { data: digest, signature: { content, verifier } } };
    const entry: Json = await this.#parts.tlog.logV2({ kind, apiVersion: '0.0.2', spec } as Json);
    return {
      logIndex: entry.logIndex,
      logId: { keyId: base64(entry.logId.keyId) },
      kindVersion: { kind, version: '0.0.2' },
      // Rekor v2 gives no time; the mock's log says another index than its proof is for.
      integratedTime: '0',
      inclusionProof: {
        logIndex: '0',
        rootHash: base64(entry.inclusionProof.rootHash),
        treeSize: '1',
        hashes: [],
        checkpoint: entry.inclusionProof.checkpoint,
      },
      canonicalizedBody: base64(entry.canonicalizedBody),
    };
  }
}

type Signer = { readonly key: Buffer } | { readonly certificate: Buffer };

interface Body {
  readonly kind: 'dsse' | 'hashedrekord';
  readonly payloadHash: Buffer;
  readonly signature: Buffer;
  readonly signer: Signer;
}

export const IN_TOTO = 'application/vnd.in-toto+json';

/** What cosign 3 signs for an image. */
export function imageStatement(digest: string, more: { name?: string; annotations?: object } = {}): object {
  const [algorithm = '', hex = ''] = digest.split(':');
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { [algorithm]: hex }, ...more }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  };
}

export function attestation(digest: string, predicateType: string, predicate: object = {}, name = ''): object {
  return { ...imageStatement(digest, { name }), predicateType, predicate };
}

/** What cosign 1 and 2 sign for an image. */
export function simpleSigning(digest: string, reference = 'corp/app', optional: object = {}): object {
  return {
    critical: {
      identity: { 'docker-reference': reference },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional,
  };
}

export function ecKey(namedCurve = 'P-256'): KeyPair {
  return generateKeyPairSync('ec', { namedCurve });
}

export function pemText(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function legacyAnnotations(material: Json): Record<string, string> {
  const [entry] = material.tlogEntries;
  const [timestamp] = material.timestampVerificationData.rfc3161Timestamps;
  const certificate = material.certificate?.rawBytes;
  const rekor = entry && {
    SignedEntryTimestamp: entry.inclusionPromise.signedEntryTimestamp,
    Payload: {
      body: entry.canonicalizedBody,
      integratedTime: Number(entry.integratedTime),
      logIndex: Number(entry.logIndex),
      logID: Buffer.from(entry.logId.keyId, 'base64').toString('hex'),
    },
  };
  return {
    ...(certificate === undefined
      ? {}
      : { 'dev.sigstore.cosign/certificate': new X509Certificate(Buffer.from(certificate, 'base64')).toString() }),
    ...(rekor === undefined ? {} : { 'dev.sigstore.cosign/bundle': JSON.stringify(rekor) }),
    ...(timestamp === undefined
      ? {}
      : {
          'dev.sigstore.cosign/rfc3161timestamp': JSON.stringify({ SignedRFC3161Timestamp: timestamp.signedTimestamp }),
        }),
  };
}

function pemOf(signer: Signer): string {
  if ('certificate' in signer) return new X509Certificate(signer.certificate).toString();
  return `-----BEGIN PUBLIC KEY-----\n${base64(signer.key)}\n-----END PUBLIC KEY-----\n`;
}

function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

/** In a buffer of their own: what reads them looks at the whole of it. */
function exactBytes(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function base64(bytes: ArrayBufferView): string {
  return bytesOf(bytes).toString('base64');
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
