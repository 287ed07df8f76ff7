import type { Admissions } from '../cache/admissions.ts';
import type { PullWindow } from '../cache/pull-window.ts';
import type { Log } from '../oci/log.ts';
import { type ImageName, imageText, type Reference } from '../oci/reference.ts';
import { type AdmittedManifest, admit } from '../trust/admit.ts';
import type { Admitted } from '../trust/verdict.ts';
import { DeniedError } from './denial.ts';
import type { Manifests } from './manifests.ts';
import type { Verdicts } from './verdicts.ts';

export interface PulledManifest {
  readonly manifest: AdmittedManifest;
  readonly verdict: Admitted;
}

/** The story of `GET /v2/<name>/manifests/<reference>`; HEAD is the same story, so a decision never comes after a digest. */
export class ManifestPulls {
  readonly #verdicts: Verdicts;
  readonly #manifests: Manifests;
  readonly #admissions: Admissions;
  readonly #window: PullWindow;
  readonly #log: Log;

  constructor(parts: {
    verdicts: Verdicts;
    manifests: Manifests;
    admissions: Admissions;
    window: PullWindow;
    log: Log;
  }) {
    this.#verdicts = parts.verdicts;
    this.#manifests = parts.manifests;
    this.#admissions = parts.admissions;
    this.#window = parts.window;
    this.#log = parts.log;
  }

  /** @throws DeniedError; RegistryError MANIFEST_UNKNOWN; UpstreamError */
  async pull(name: ImageName, reference: Reference): Promise<PulledManifest> {
    const image = imageText(name, reference);
    const verdict = await this.#verdicts.of(name, reference);
    if (verdict.outcome !== 'admitted') throw new DeniedError(image, verdict);
    // By digest, never by tag: the upstream cannot answer a second question differently.
    const found = await this.#manifests.get(name, verdict.digest);
    const manifest = 'outcome' in found ? found : admit(verdict, found);
    if ('outcome' in manifest) throw new DeniedError(image, { ...manifest, rule: verdict.rule });
    this.#announce(image, verdict);
    this.#remember(name, reference, manifest);
    this.#window.open(name, manifest.digest);
    return { manifest, verdict };
  }

  #remember(name: ImageName, reference: Reference, manifest: AdmittedManifest): void {
    try {
      this.#admissions.record(name, manifest, reference.kind === 'tag' ? reference.tag : undefined);
    } catch (error) {
      // Without the record the image's blobs are refused: closed, and the log says why.
      this.#log.error({ image: imageText(name, reference), error: String(error) }, 'admission not recorded');
    }
  }

  #announce(image: string, verdict: Admitted): void {
    if (verdict.warning === undefined) return;
    const { outcome, reason, message } = verdict.warning;
    this.#log.warn({ event: 'would-deny', image, rule: verdict.rule, outcome, reason }, `${image}: ${message}`);
  }
}
