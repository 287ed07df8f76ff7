import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { RepositoryFolder } from '../../publish/repository-folder.ts';
import { buildImage, type MemoryImage } from './memory-image.ts';
import type { Answer } from './pull-image.ts';
import type { Stage } from './stage.ts';

/** One thing that happens to images, and what the gateway must make of it. They are played in order, and one may go on from another. */
export interface Scene {
  readonly told: string;
  /** `text` is part of what the client must be told: a digest, or the reason. */
  readonly expected: { readonly outcome: Answer['outcome']; readonly text: string };
  /** Brings it about. @returns the image to pull, without its registry */
  prepare(stage: Stage): Promise<string>;
}

const HOUR = 3_600_000;

export const SCENES: readonly Scene[] = [
  {
    told: 'an image that its publisher vouches for',
    expected: { outcome: 'admitted', text: imageOf('signed').digest },
    prepare: async (stage) => {
      await pushAndVouch(stage, 'signed');
      return 'signed:1.0';
    },
  },
  {
    told: 'an image that nobody vouches for',
    expected: { outcome: 'refused', text: '[TAG_NOT_SIGNED]' },
    prepare: async ({ registry }) => {
      registry.push('unsigned', imageOf('unsigned'), '1.0');
      return 'unsigned:1.0';
    },
  },
  {
    told: 'one layer of a vouched image was tampered with in the registry',
    expected: { outcome: 'refused', text: 'cut off before its last byte' },
    prepare: async (stage) => {
      const { layers } = await pushAndVouch(stage, 'tampered');
      const [layer] = layers;
      if (layer !== undefined) stage.registry.replace('tampered', layer, Buffer.from('layer of TAMPERED'));
      return 'tampered:1.0';
    },
  },
  {
    told: 'the tag was moved in the registry: it still means the vouched image',
    expected: { outcome: 'admitted', text: imageOf('moved').digest },
    prepare: async (stage) => {
      await pushAndVouch(stage, 'moved');
      stage.registry.push('moved', imageOf('somebody else'), '1.0');
      return 'moved:1.0';
    },
  },
  {
    told: 'and what the tag was moved to, asked for by its digest',
    expected: { outcome: 'refused', text: '[DIGEST_NOT_SIGNED]' },
    prepare: async () => `moved@${imageOf('somebody else').digest}`,
  },
  {
    told: 'pulled and cached, then its publisher withdrew it',
    expected: { outcome: 'refused', text: '[TAG_NOT_SIGNED]' },
    prepare: async (stage) => {
      await pushAndVouch(stage, 'withdrawn');
      // What the trust server has now is what a thief shows again in the next scene.
      await cp(stage.publisher.folder.metadata, earlier(stage).metadata, { recursive: true });
      await mustBeAdmitted(stage, 'withdrawn:1.0');
      await stage.withdraw('withdrawn:1.0');
      return 'withdrawn:1.0';
    },
  },
  {
    told: 'the trust server shows the metadata from before that, signatures and all',
    expected: { outcome: 'refused', text: '[METADATA_ROLLBACK]' },
    prepare: async (stage) => {
      stage.server.show(earlier(stage));
      return 'withdrawn:1.0';
    },
  },
  {
    told: 'the timestamp has expired, and the trust server shows no newer',
    expected: { outcome: 'refused', text: '[METADATA_EXPIRED]' },
    prepare: async (stage) => {
      stage.registry.push('late/app', imageOf('late'), '1.0');
      await stage.vouchLongAgo('late/app:1.0');
      return 'late/app:1.0';
    },
  },
  {
    told: 'nothing has expired, but the trust server has shown nothing new for 13 hours; the rule allows 12',
    expected: { outcome: 'undetermined', text: '[TRUST_STALE]' },
    prepare: async (stage) => {
      stage.server.show(stage.publisher.folder);
      await pushAndVouch(stage, 'frozen');
      await mustBeAdmitted(stage, 'frozen:1.0');
      stage.wait(13 * HOUR);
      return 'frozen:1.0';
    },
  },
];

async function pushAndVouch(stage: Stage, repository: string): Promise<MemoryImage> {
  const image = imageOf(repository);
  stage.registry.push(repository, image, '1.0');
  await stage.vouch(`${repository}:1.0`);
  return image;
}

/** Without this the scene would show nothing: the image might have been refused all along. */
async function mustBeAdmitted(stage: Stage, image: string): Promise<void> {
  const { outcome, text } = await stage.pull(image);
  if (outcome !== 'admitted') throw new Error(`expected ${image} to be admitted at first, got ${outcome}: ${text}`);
}

function earlier({ folder }: Stage): RepositoryFolder {
  return new RepositoryFolder(join(folder, 'earlier'));
}

function imageOf(what: string): MemoryImage {
  return buildImage({ layers: [`layer of ${what}`] });
}
