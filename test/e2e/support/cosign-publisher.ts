import { Cosign, type Attestation, type Form, type KeyKind, type KeyPair, type SignOptions } from './cosign.ts';
import { KeptSignatures } from './kept-signatures.ts';
import { Skopeo } from './skopeo.ts';
import { type Identity, LocalSigstore } from './local-sigstore.ts';
import type { Publisher } from './publisher.ts';
import type { Stage } from './stage.ts';

const KEYS = {
  'ecdsa-p256': 'ecdsa-p256',
  'ecdsa-p384': 'ecdsa-p384',
  ed25519: 'ed25519',
  'rsa-2048': 'rsa-2048',
  second: 'ecdsa-p256',
  stranger: 'ecdsa-p256',
} as const satisfies Record<string, KeyKind>;

export type KeyName = keyof typeof KEYS;
export type Keys = Readonly<Record<KeyName, KeyPair>>;

/** People who push images with Docker and sign digests with cosign. */
export class CosignPublisher {
  readonly cosign: Cosign;
  readonly keys: Keys;
  readonly sigstore: LocalSigstore;
  readonly #stage: Stage;
  readonly #docker: Publisher;

  private constructor(cosign: Cosign, keys: Keys, sigstore: LocalSigstore, stage: Stage, docker: Publisher) {
    this.sigstore = sigstore;
    this.cosign = cosign;
    this.keys = keys;
    this.#stage = stage;
    this.#docker = docker;
  }

  /** @throws Error where there is no cosign. */
  static async open(stage: Stage): Promise<CosignPublisher> {
    const cosign = await Cosign.open(stage.workspace);
    const named = Object.entries(KEYS).map(async ([name, kind]) => [name, await cosign.keyPair(kind)]);
    const keys = Object.fromEntries(await Promise.all(named)) as Keys;
    const sigstore = await LocalSigstore.start(stage.workspace);
    return new CosignPublisher(cosign, keys, sigstore, stage, await stage.publisher('owner'));
  }

  /** The name at the registry itself. */
  at(repository: string, reference: string): string {
    return `${this.#stage.registry.address}/${repository}${reference}`;
  }

  /** Pushes a new image that nobody signed, as tag 1 unless told. Answers its digest. */
  async push(repository: string, { tag = '1', message = repository } = {}): Promise<string> {
    return await this.#docker.push(`${repository}:${tag}`, { message });
  }

  /** Pushes a new image that is signed by Docker Content Trust, and no other way. Answers its digest. */
  async pushNotarised(repository: string): Promise<string> {
    return await this.#docker.pushSigned(`${repository}:1`, { message: repository });
  }

  /** Pushes an OCI index of two platforms as tag 1. Answers its digest and those of its members. */
  async pushIndex(repository: string): Promise<{ readonly digest: string; readonly members: readonly string[] }> {
    const architectures = ['amd64', 'arm64'];
    const members: Record<string, string> = {};
    for (const architecture of architectures) {
      members[architecture] = `${repository}:${architecture}`;
      await this.#docker.push(`${repository}:${architecture}`, { message: architecture }, `linux/${architecture}`);
    }
    await this.#docker.pushIndex(`${repository}:list`, members);
    const skopeo = await Skopeo.open(this.#stage.workspace);
    const [from, to] = [`docker://${this.at(repository, ':list')}`, `docker://${this.at(repository, ':1')}`];
    const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    const { code, stderr } = await skopeo.copy('--all', '--format', 'oci', ...plain, from, to);
    if (code !== 0) throw new Error(`expected skopeo to make an index, it said: ${stderr}`);
    const { digest } = await this.#stage.registry.manifest(repository, '1');
    const { manifests } = await this.manifest(repository, '1');
    return { digest, members: manifests.map((member: { digest: string }) => member.digest) };
  }

  // biome-ignore lint/suspicious/noExplicitAny: documents of other programs, taken apart by tests only
  async manifest(repository: string, reference: string): Promise<any> {
    const { bytes } = await this.#stage.registry.manifest(repository, reference);
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  }

  /** Makes a tag mean another image that is there. */
  async moveTag(repository: string, tag: string, digest: string): Promise<void> {
    const { mediaType, bytes } = await this.#stage.registry.manifest(repository, digest);
    await this.#stage.registry.putManifest(repository, tag, mediaType, bytes);
  }

  async sign(repository: string, digest: string, key: KeyName, options: SignOptions): Promise<void> {
    await this.cosign.sign(this.at(repository, `@${digest}`), this.keys[key], options);
  }

  async signLogged(repository: string, digest: string, signer: KeyName | Identity, form: Form): Promise<void> {
    const { sigstore, keys } = this;
    const by = typeof signer === 'string' ? keys[signer] : signer;
    await this.cosign.signLogged(this.at(repository, `@${digest}`), { sigstore, signer: by }, form);
  }

  async attest(repository: string, digest: string, key: KeyName, attestation: Attestation): Promise<void> {
    await this.cosign.attest(this.at(repository, `@${digest}`), this.keys[key], attestation);
  }

  /** What was left beside the images of a repository, for a thief's hands. */
  kept(repository: string): KeptSignatures {
    return new KeptSignatures(this.#stage.registry, repository);
  }
}
