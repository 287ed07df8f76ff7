import { buildImage, type MemoryImage } from './memory-image.ts';
import type { MemoryRegistry } from './memory-registry.ts';
import type { NotaryPublisher } from './notary-publisher.ts';
import type { Answer } from './pull-image.ts';
import type { TrustFiles } from './trust-server.ts';

/** What a scene can do to the world around the gateway. */
export interface Stage {
  readonly registry: MemoryRegistry;
  publisher(repository: string): NotaryPublisher;
  /** Puts trust data on the trust server. */
  serve(repository: string, files: TrustFiles): void;
  pull(image: string): Promise<Answer>;
  now(): Date;
  /** Moves the gateway's clock forward, in milliseconds. */
  wait(milliseconds: number): void;
}

/** One thing that happens to images, and what the gateway must make of it. */
export interface Scene {
  readonly told: string;
  readonly repository: string;
  readonly expected: Answer['outcome'];
  /** Brings it about. @returns the image to pull, without its registry */
  prepare(stage: Stage): Promise<string>;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const SCENES: readonly Scene[] = [
  {
    told: 'a signed image',
    repository: 'signed',
    expected: 'admitted',
    prepare: async (stage) => {
      pushAndSign(stage, 'signed');
      return 'signed:1.0';
    },
  },
  {
    told: 'an image that nobody signed',
    repository: 'unsigned',
    expected: 'refused',
    prepare: async ({ registry }) => {
      registry.push('unsigned', imageOf('unsigned'), '1.0');
      return 'unsigned:1.0';
    },
  },
  {
    told: 'a signed image, one layer tampered with in the registry',
    repository: 'tampered',
    expected: 'refused',
    prepare: async (stage) => {
      const { layers } = pushAndSign(stage, 'tampered');
      const [layer] = layers;
      if (layer !== undefined) stage.registry.replace('tampered', layer, Buffer.from('layer of TAMPERED'));
      return 'tampered:1.0';
    },
  },
  {
    told: 'the tag was moved in the registry: it still means the signed image',
    repository: 'moved',
    expected: 'admitted',
    prepare: async (stage) => {
      pushAndSign(stage, 'moved');
      stage.registry.push('moved', imageOf('somebody else'), '1.0');
      return 'moved:1.0';
    },
  },
  {
    told: 'and what the tag was moved to, asked for by its digest',
    repository: 'moved',
    expected: 'refused',
    prepare: async () => `moved@${imageOf('somebody else').digest}`,
  },
  {
    told: 'the timestamp expired, and the trust server shows no newer',
    repository: 'expired',
    expected: 'refused',
    prepare: async (stage) => {
      pushAndSign(stage, 'expired', { timestamp: new Date(stage.now().getTime() + HOUR) });
      await stage.pull('expired:1.0');
      stage.wait(2 * HOUR);
      return 'expired:1.0';
    },
  },
  {
    told: 'the trust server shows older metadata than it did before',
    repository: 'rolled-back',
    expected: 'refused',
    prepare: async (stage) => {
      pushAndSign(stage, 'rolled-back');
      const publisher = stage.publisher('rolled-back');
      const older = new Map(publisher.files);
      publisher.publish(stage.now());
      stage.serve('rolled-back', publisher.files);
      await stage.pull('rolled-back:1.0');
      stage.serve('rolled-back', older);
      stage.wait(MINUTE);
      return 'rolled-back:1.0';
    },
  },
];

function pushAndSign(stage: Stage, repository: string, expires: Readonly<Record<string, Date>> = {}): MemoryImage {
  const image = imageOf(repository);
  stage.registry.push(repository, image, '1.0');
  const publisher = stage.publisher(repository);
  publisher.sign('1.0', { digest: image.digest, size: image.bytes.byteLength });
  publisher.publish(stage.now(), expires);
  stage.serve(repository, publisher.files);
  return image;
}

function imageOf(what: string): MemoryImage {
  return buildImage({ layers: [`layer of ${what}`] });
}
