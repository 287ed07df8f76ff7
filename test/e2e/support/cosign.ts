import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandOptions, mustRun, type Outcome, run, toolEnvironment } from './command.ts';
import { COSIGN } from './go-program.ts';
import type { Identity, LocalSigstore } from './local-sigstore.ts';
import type { Workspace } from './workspace.ts';

/** How a signature is kept: as a Sigstore bundle that refers to the image (cosign 3), or under the tags of versions before. */
export type Form = 'bundle' | 'tags';

export const FORMS: readonly Form[] = ['bundle', 'tags'];

export type KeyKind = 'ecdsa-p256' | 'ecdsa-p384' | 'ed25519' | 'rsa-2048';

/** Paths of the two halves; cosign encrypts the private one. */
export interface KeyPair {
  readonly kind: KeyKind;
  readonly private: string;
  readonly public: string;
}

export interface SignOptions {
  readonly form: Form;
  readonly annotations?: Readonly<Record<string, string>>;
  /** `docker-reference` of the older form; by default the name that the image was signed under. */
  readonly identity?: string;
  /** Another repository to keep the signature in. */
  readonly repository?: string;
}

export interface Attestation {
  readonly form: Form;
  /** As cosign takes it: `slsaprovenance1`, or the predicate's type itself. */
  readonly type: string;
  readonly predicate: object;
}

/** The Sigstore that gives certificates and logs signatures, and who signs by it: a key, or an identity alone. */
export interface Logged {
  readonly sigstore: LocalSigstore;
  readonly signer: KeyPair | Identity;
}

/** Without Rekor, Fulcio or TUF: with a key, cosign needs nobody else. */
const OFFLINE = ['--use-signing-config=false', '--tlog-upload=false', '--yes'];
const PLAIN_HTTP = '--allow-http-registry';
const PASSWORD = { COSIGN_PASSWORD: 'password of a test' };

/** The `cosign` command, signing with keys of its own. */
export class Cosign {
  readonly #path: string;
  readonly #folder: string;
  #files = 0;

  private constructor(path: string, folder: string) {
    this.#path = path;
    this.#folder = folder;
  }

  /** @throws Error where there is no cosign. */
  static async open(workspace: Workspace): Promise<Cosign> {
    const tool = COSIGN.find();
    if (tool.missing !== undefined) throw new Error(tool.missing);
    return new Cosign(tool.path, await workspace.folder('cosign'));
  }

  /** A new key: cosign's own kind as cosign makes it, others as it imports them. */
  async keyPair(kind: KeyKind = 'ecdsa-p256'): Promise<KeyPair> {
    const prefix = this.#file(kind);
    if (kind === 'ecdsa-p256') {
      await this.#must(['generate-key-pair', '--output-key-prefix', prefix]);
    } else {
      await writeFile(`${prefix}.pem`, privatePem(kind));
      await this.#must(['import-key-pair', '--yes', '--key', `${prefix}.pem`, '--output-key-prefix', prefix]);
    }
    return { kind, private: `${prefix}.key`, public: `${prefix}.pub` };
  }

  /** @param image with its digest: cosign signs nothing else */
  async sign(image: string, key: KeyPair, options: SignOptions): Promise<void> {
    const { form, annotations = {}, identity, repository } = options;
    const also = Object.entries(annotations).flatMap(([name, value]) => ['--annotations', `${name}=${value}`]);
    const named = identity === undefined ? [] : ['--sign-container-identity', identity];
    const env = repository === undefined ? {} : { COSIGN_REPOSITORY: repository };
    await this.#must(['sign', ...this.#how(key, form), ...also, ...named, image], env);
  }

  /** Signs with a certificate for an identity, or a key, and has the signature logged. */
  async signLogged(image: string, { sigstore, signer }: Logged, form: Form): Promise<void> {
    const who = 'private' in signer ? ['--key', signer.private] : ['--identity-token', sigstore.token(signer)];
    const services =
      form === 'bundle'
        ? ['--signing-config', sigstore.signingConfig]
        : ['--use-signing-config=false', '--fulcio-url', sigstore.url, '--rekor-url', sigstore.url];
    const how = [`--new-bundle-format=${form === 'bundle'}`, '--trusted-root', sigstore.trustedRoot];
    await this.#must(['sign', ...who, ...how, ...services, '--yes', PLAIN_HTTP, image]);
  }

  async attest(image: string, key: KeyPair, { form, type, predicate }: Attestation): Promise<void> {
    const path = this.#file('predicate.json');
    await writeFile(path, JSON.stringify(predicate));
    await this.#must(['attest', ...this.#how(key, form), '--type', type, '--predicate', path, image]);
  }

  /** Copies an image with what is kept under its signature tags; bundles it leaves behind. */
  async copy(from: string, to: string): Promise<void> {
    await this.#must(['copy', PLAIN_HTTP, from, to]);
  }

  /** What cosign itself says of an image, with no log to ask. */
  async verify(image: string, key: KeyPair): Promise<Outcome> {
    // It signs with the hash of the curve's size, and has to be told so when it verifies.
    const hash = ['--signature-digest-algorithm', key.kind === 'ecdsa-p384' ? 'sha384' : 'sha256'];
    const args = ['verify', PLAIN_HTTP, '--insecure-ignore-tlog', ...hash, '--key', key.public, image];
    return await run(this.#path, args, this.#options({}));
  }

  #how(key: KeyPair, form: Form): string[] {
    return ['--key', key.private, `--new-bundle-format=${form === 'bundle'}`, ...OFFLINE, PLAIN_HTTP];
  }

  async #must(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
    await mustRun(this.#path, args, this.#options(env));
  }

  #options(env: NodeJS.ProcessEnv): CommandOptions {
    return { env: toolEnvironment(this.#folder, { ...PASSWORD, ...env }), cwd: this.#folder };
  }

  #file(name: string): string {
    this.#files += 1;
    return join(this.#folder, `${this.#files}-${name}`);
  }
}

function privatePem(kind: Exclude<KeyKind, 'ecdsa-p256'>): string {
  return keyOf(kind).export({ type: 'pkcs8', format: 'pem' }).toString();
}

function keyOf(kind: Exclude<KeyKind, 'ecdsa-p256'>) {
  switch (kind) {
    case 'ecdsa-p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    case 'rsa-2048':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  }
}
