import { type DockerRegistry, digestOf, type StoredManifest } from './docker-registry.ts';

/** What cosign left in a repository, for hands that may push there and hold no key. */
export class KeptSignatures {
  readonly #registry: DockerRegistry;
  readonly #repository: string;

  constructor(registry: DockerRegistry, repository: string) {
    this.#registry = registry;
    this.#repository = repository;
  }

  /** Puts the `.sig` of one image where that of another belongs. */
  async giveTag(from: string, to: string): Promise<void> {
    const { mediaType, bytes } = await this.#manifest(tagOf(from, '.sig'));
    await this.#registry.putManifest(this.#repository, tagOf(to, '.sig'), mediaType, bytes);
  }

  /** Changes one character of the signature in a `.sig`. */
  async spoilTag(image: string): Promise<void> {
    const { mediaType, bytes } = await this.#manifest(tagOf(image, '.sig'));
    const manifest = JSON.parse(text(bytes));
    for (const { annotations } of manifest.layers) {
      annotations['dev.cosignproject.cosign/signature'] = spoilt(annotations['dev.cosignproject.cosign/signature']);
    }
    await this.#registry.putManifest(this.#repository, tagOf(image, '.sig'), mediaType, bytesOf(manifest));
  }

  /** Lists the bundles of one image as those of another. @param rewrite whether they are also made to say that they refer to it */
  async giveBundles(from: string, to: string, { rewrite }: { readonly rewrite: boolean }): Promise<void> {
    const target = await this.#manifest(to);
    const subject = { mediaType: target.mediaType, digest: to, size: target.bytes.byteLength };
    await this.#relist(from, to, async (manifest) => (rewrite ? { ...manifest, subject } : manifest));
  }

  /** Changes one character of the signature in each bundle. */
  async spoilBundles(image: string): Promise<void> {
    await this.#relist(image, image, async (manifest) => {
      const [layer] = manifest.layers;
      const bundle = JSON.parse(text(await this.#registry.blob(this.#repository, layer.digest)));
      const [signature] = bundle.dsseEnvelope.signatures;
      signature.sig = spoilt(signature.sig);
      const bytes = bytesOf(bundle);
      const digest = await this.#registry.putBlob(this.#repository, bytes);
      return { ...manifest, layers: [{ ...layer, digest, size: bytes.byteLength }] };
    });
  }

  /** Brings the bundles of an image along to another repository, which `cosign copy` does not do. */
  async copyBundles(image: string, to: string): Promise<void> {
    const list = await this.#manifest(tagOf(image));
    for (const { digest } of JSON.parse(text(list.bytes)).manifests) {
      const { mediaType, bytes } = await this.#manifest(digest);
      const { config, layers } = JSON.parse(text(bytes));
      for (const blob of [config, ...layers]) {
        await this.#registry.putBlob(to, new Uint8Array(await this.#registry.blob(this.#repository, blob.digest)));
      }
      await this.#registry.putManifest(to, digest, mediaType, bytes);
    }
    await this.#registry.putManifest(to, tagOf(image), list.mediaType, list.bytes);
  }

  /** The list under the fallback tag: distribution-spec, "Referrers Tag Schema". */
  async #relist(from: string, to: string, change: (manifest: Json) => Promise<Json>): Promise<void> {
    const list = await this.#manifest(tagOf(from));
    const index = JSON.parse(text(list.bytes));
    for (const entry of index.manifests) {
      const referrer = await this.#manifest(entry.digest);
      const bytes = bytesOf(await change(JSON.parse(text(referrer.bytes))));
      entry.digest = digestOf(bytes);
      entry.size = bytes.byteLength;
      await this.#registry.putManifest(this.#repository, entry.digest, referrer.mediaType, bytes);
    }
    await this.#registry.putManifest(this.#repository, tagOf(to), list.mediaType, bytesOf(index));
  }

  async #manifest(reference: string): Promise<StoredManifest> {
    return await this.#registry.manifest(this.#repository, reference);
  }
}

/** Where cosign keeps what belongs to an image. */
function tagOf(digest: string, ending: '' | '.sig' | '.att' = ''): string {
  return `${digest.replace(':', '-')}${ending}`;
}

// biome-ignore lint/suspicious/noExplicitAny: documents of another program, taken apart by tests only
type Json = any;

/** The first characters of a DER signature are its frame; the tenth from the end is of a number. */
function spoilt(base64: string): string {
  const at = base64.length - 10;
  return `${base64.slice(0, at)}${base64[at] === 'A' ? 'B' : 'A'}${base64.slice(at + 1)}`;
}

function bytesOf(document: Json): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(JSON.stringify(document)));
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
