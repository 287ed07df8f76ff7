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
import { type KeyObject, sign } from 'node:crypto';
import { initializeCA, initializeCTLog, initializeTLog, initializeTSA } from '@sigstore/mock';
import { IN_TOTO } from './image-statement.ts';
import { ecKey, type KeyPair } from './key-pair.ts';
import { legacyAnnotations } from './legacy-annotations.ts';
import { withMailAddress } from './mail-certificate.ts';
import { base64, bytesOf, exactBytes, sha256 } from './sigstore-bytes.ts';
import type { Json } from './sigstore-json.ts';
import { type Body, logged, loggedV2, type Signer } from './transparency-log.ts';

export const IDENTITY = 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';
export const ISSUER = 'https://token.actions.githubusercontent.com';

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
    const { tlog } = this.#parts;
    const loggedAs = loggedKey?.publicKey.export({ type: 'spki', format: 'der' });
    const body: Body = loggedAs === undefined ? signed : { ...signed, signer: { key: loggedAs } };
    const content =
      shownCertificate !== undefined
        ? { certificate: { rawBytes: base64(shownCertificate) } }
        : 'key' in signer
          ? { publicKey: { hint: base64(sha256(signer.key)) } }
          : { certificate: { rawBytes: base64(signer.certificate) } };
    const tlogEntries = log === 'none' ? [] : [log === 'v1' ? await logged(tlog, body) : await loggedV2(tlog, body)];
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
}
