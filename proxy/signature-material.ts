import type { Admissions } from '../cache/admissions.ts';
import type { MaterialMemory } from '../cache/material-memory.ts';
import type { PullWindow } from '../cache/pull-window.ts';
import type { Recent } from '../cache/recent.ts';
import { algorithmOf, type Digest, digestOf } from '../oci/digest.ts';
import { parseManifest, type Manifest } from '../oci/manifest.ts';
import { digestReference, type ImageName, imageText, type Reference } from '../oci/reference.ts';
import { RegistryError } from '../oci/registry-error.ts';
import {
  type MaterialTag,
  parseMaterialTag,
  referringMaterial,
  type SignatureMaterial,
  taggedMaterial,
} from '../trust/signature-material.ts';
import type { Admitted } from '../trust/verdict.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import { attempted } from './attempt.ts';
import { DeniedError } from './denial.ts';
import { isJsonText } from './json-text.ts';
import type { KnownWays } from './known-ways.ts';
import type { AdmittedBlob, BlobPulls } from './pull-blob.ts';
import type { Upstreams } from './upstreams.ts';
import type { Verdicts } from './verdicts.ts';

/** Material for a client's own check, and the verdict on what it is about. */
export interface PassedOn {
  readonly material: SignatureMaterial;
  readonly verdict: Admitted;
}

/** What there was; without material when it is none. */
export interface Looked {
  readonly material?: SignatureMaterial;
}

/** What bytes turned out to be. */
export interface Text {
  readonly json: boolean;
}

/** How long what was looked at is not looked at again, in milliseconds: as long as a verdict is used again. */
const LOOK_REUSE = 1000;

/** A digest means the same bytes for ever. Milliseconds. */
const TEXT_LIFE = 10 * 60_000;

/** image-spec, "Guidance for an Empty Descriptor": `{}`. */
const EMPTY = digestOf(Buffer.from('{}'));

/** Blobs of one manifest that are fetched at once. */
const FETCHES = 4;

/**
 * The story of what is refused as an image, and passed on as signature material of one: so that clients behind the gateway can
 * verify for themselves. It stands and falls with the verdict on its subject, and never admits anything.
 */
export class SignatureMaterials {
  readonly #known: KnownWays;
  readonly #verdicts: Verdicts;
  readonly #upstreams: Upstreams;
  readonly #admissions: Admissions;
  readonly #blobs: BlobPulls;
  readonly #memory: MaterialMemory<SignatureMaterial>;
  readonly #window: PullWindow;
  readonly #looks: Recent<Looked>;
  readonly #texts: Recent<Text>;
  readonly #now: () => Date;

  constructor(parts: {
    known: KnownWays;
    verdicts: Verdicts;
    upstreams: Upstreams;
    admissions: Admissions;
    blobs: BlobPulls;
    memory: MaterialMemory<SignatureMaterial>;
    /** Its own: that material was passed on opens nothing to an image. */
    window: PullWindow;
    looks: Recent<Looked>;
    texts: Recent<Text>;
    now: () => Date;
  }) {
    this.#known = parts.known;
    this.#verdicts = parts.verdicts;
    this.#upstreams = parts.upstreams;
    this.#admissions = parts.admissions;
    this.#blobs = parts.blobs;
    this.#memory = parts.memory;
    this.#window = parts.window;
    this.#looks = parts.looks;
    this.#texts = parts.texts;
    this.#now = parts.now;
  }

  /**
   * Undefined when this is no signature material, or nothing that its being material matters for: then it is pulled as an image is,
   * and refused as one.
   * @throws DeniedError, of the subject; RegistryError MANIFEST_UNKNOWN where an admitted subject has nothing under the tag; UpstreamError
   */
  async manifest(name: ImageName, reference: Reference): Promise<PassedOn | undefined> {
    const tag = reference.kind === 'tag' ? parseMaterialTag(reference.tag) : undefined;
    if (reference.kind === 'tag' && tag === undefined) return undefined;
    // A digest that no list led to is not fetched to see what it is: a storm of them must not cost the upstream anything.
    const told = reference.kind === 'digest' ? this.#memory.subjectOf(name, reference.digest) : tag?.subject;
    if (told === undefined) return undefined;
    if (!(await this.#isRefusedAsImage(name, reference))) return undefined;
    // The subject comes first: of one that is not admitted it is nobody's business what there is.
    const verdict = await this.#admitted(name, told);
    const material =
      tag === undefined ? await this.#referring(name, reference, told) : await this.#under(name, reference, tag);
    if (material?.subject !== told || !(await this.#holdsTextOnly(name, material))) return undefined;
    this.#memory.add(name, material);
    for (const { digest } of material.manifest.manifests) this.#memory.tell(name, digest, told);
    this.#window.open(name, material.manifest.digest);
    return { material, verdict };
  }

  /**
   * A blob of material that was passed on for this very repository, while its subject is admitted. Undefined when it is none.
   * @throws DeniedError, of the subject; RegistryError, UpstreamError
   */
  async blob(name: ImageName, digest: Digest): Promise<AdmittedBlob | undefined> {
    const holder = this.#memory.holderOf(name, digest);
    if (holder === undefined) return undefined;
    // Many share the config `{}`: the end of what material was about must not stand in the way of an image that lists it too.
    if (this.#admissions.holdersOf(name, digest).length > 0) {
      const ordinary = await undefinedIfDenied(this.#blobs.admit(name, digest));
      if (ordinary !== undefined) return ordinary;
    }
    const { material, blob } = holder;
    if (!this.#window.isOpen(name, material.manifest.digest)) await this.#admitted(name, material.subject);
    return { digest, size: blob.size };
  }

  /** What is admitted is an image, and what nobody could find out stays unknown; only a refusal leaves room for material. */
  async #isRefusedAsImage(name: ImageName, reference: Reference): Promise<boolean> {
    const attempt = await attempted(this.#known.of(name, reference));
    if ('verdict' in attempt) return attempt.verdict.outcome === 'refused';
    return attempt.error instanceof RegistryError && reference.kind === 'tag';
  }

  async #under(name: ImageName, reference: Reference, tag: MaterialTag): Promise<SignatureMaterial | undefined> {
    return await this.#looked(name, reference, async () => {
      const served = await this.#upstreams.of(name).manifest(name.repository, reference);
      if (served === undefined) {
        throw new RegistryError('MANIFEST_UNKNOWN', `${imageText(name, reference)} is unknown to the upstream`);
      }
      const manifest = undefinedIfMalformed(() => parseManifest(served.bytes, served.contentType));
      return manifest && taggedMaterial(tag, manifest);
    });
  }

  /** What was passed on under a tag is the same by its digest: clients resolve first, and then fetch. */
  async #referring(name: ImageName, reference: Reference, told: Digest): Promise<SignatureMaterial | undefined> {
    if (reference.kind === 'tag') return undefined;
    const { digest } = reference;
    const kept = this.#memory.get(name, digest);
    if (kept?.subject === told) return kept;
    // Not through `Manifests`: what is no material is kept nowhere.
    return await this.#looked(name, reference, async () => {
      const served = await this.#upstreams.of(name).manifest(name.repository, reference);
      if (served === undefined) return undefined;
      const manifest = undefinedIfMalformed(() => parseManifest(served.bytes, served.contentType, algorithmOf(digest)));
      // The digest was computed from these bytes: an upstream that serves others for it has served no material.
      return manifest?.digest === digest ? referringMaterial(manifest) : undefined;
    });
  }

  async #looked(name: ImageName, reference: Reference, look: () => Promise<SignatureMaterial | undefined>) {
    const found = async (): Promise<Looked> => {
      const material = await look();
      return material === undefined ? {} : { material };
    };
    const until = () => this.#now().getTime() + LOOK_REUSE;
    return (await this.#looks.get(imageText(name, reference), found, until)).material;
  }

  async #admitted(name: ImageName, subject: Digest): Promise<Admitted> {
    const reference = digestReference(subject);
    const verdict = await this.#verdicts.of(name, reference);
    if (verdict.outcome !== 'admitted') throw new DeniedError(imageText(name, reference), verdict);
    return verdict;
  }

  /**
   * Types are only what a manifest says of its blobs, and there are clients that go by the bytes. So all are here and seen to be text
   * before it leaves: else it could give an admitted image's layers another command, or bring layers of its own.
   */
  async #holdsTextOnly(name: ImageName, { blobs }: SignatureMaterial): Promise<boolean> {
    for (let at = 0; at < blobs.length; at += FETCHES) {
      const texts = await Promise.all(blobs.slice(at, at + FETCHES).map((blob) => this.#isText(name, blob)));
      if (texts.includes(false)) return false;
    }
    return true;
  }

  async #isText(name: ImageName, { digest, size }: AdmittedBlob): Promise<boolean> {
    // Known without asking, and not in every registry.
    if (digest === EMPTY) return true;
    const key = `${imageText(name, digestReference(digest))} ${size}`;
    const until = () => this.#now().getTime() + TEXT_LIFE;
    return (await this.#texts.get(key, () => this.#read(name, { digest, size }), until)).json;
  }

  async #read(name: ImageName, blob: AdmittedBlob): Promise<Text> {
    await this.#blobs.fetchWhole(name, blob);
    const { stream } = await this.#blobs.body(name, blob, undefined);
    try {
      return { json: await isJsonText(stream) };
    } catch (cause) {
      const text = imageText(name, digestReference(blob.digest));
      throw new UpstreamError('bad-answer', `expected the whole of ${text}, got less or something else`, { cause });
    }
  }
}

function undefinedIfMalformed(parse: () => Manifest): Manifest | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

async function undefinedIfDenied<Value>(work: Promise<Value>): Promise<Value | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DeniedError) return undefined;
    throw error;
  }
}
