import { type ImageName, imageText, type Reference } from '../oci/reference.ts';
import { undetermined } from '../trust/verdict.ts';
import { DeniedError } from './denial.ts';
import type { BlobPulls } from './pull-blob.ts';
import type { ManifestPulls, PulledManifest } from './pull-manifest.ts';
import type { PassedOn, SignatureMaterials } from './signature-material.ts';
import { within } from './within.ts';

/** containerd asks the next registry when no answer began within 30 seconds; a late no is too late. Milliseconds. */
const ANSWER_TIME = 20_000;

interface Pulls {
  readonly manifests: ManifestPulls;
  readonly blobs: BlobPulls;
  readonly material: SignatureMaterials;
}

/**
 * A pull of a manifest by who asks somebody else after a failure: nothing may be left to fail that no answer stops it from. No answer
 * about a config keeps dockerd from beginning anew at the registry, with the tag: so the config is here before the manifest leaves.
 * @throws as `ManifestPulls.pull` and `BlobPulls.fetchWhole`; DeniedError, undetermined, when all of it takes too long
 */
export function pullForMirror(pulls: Pulls, name: ImageName, reference: Reference): Promise<PulledManifest | PassedOn> {
  return within(pullWithConfig(pulls, name, reference), ANSWER_TIME, () => {
    const message = `neither the trust server nor the registry had answered after ${ANSWER_TIME / 1000} seconds`;
    return new DeniedError(imageText(name, reference), undetermined('TRUST_UNREACHABLE', message));
  });
}

async function pullWithConfig({ manifests, blobs, material }: Pulls, name: ImageName, reference: Reference) {
  const passed = await material.manifest(name, reference);
  if (passed !== undefined) return passed;
  const pulled = await manifests.pull(name, reference);
  const { config } = pulled.manifest;
  if (config !== undefined) await blobs.fetchWhole(name, config);
  return pulled;
}
