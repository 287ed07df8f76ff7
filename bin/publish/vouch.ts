import { readConfig } from '../../config/read.ts';
import { type FoundImage, findImage } from '../../publish/image-target.ts';
import type { Target } from '../../publish/metadata.ts';
import type { Publishing } from '../../publish/publication.ts';
import { PublishError } from '../../publish/publish-error.ts';
import { imagesOf, signersOfTargets, signImages } from '../../publish/sign-targets.ts';
import { decidingRole } from '../../publish/vouched-images.ts';
import { changing, type KeyOptions, openRepository, outcomeText } from './open-repository.ts';
import { confirm } from './terminal.ts';
import { type ImageSource, openImageSource } from './image-source.ts';

export interface VouchOptions extends KeyOptions {
  readonly repository: string;
  readonly config: string;
  readonly role: string;
  readonly yes: boolean;
}

interface Vouching {
  readonly image: FoundImage;
  readonly before: Target | undefined;
  readonly signedBy: readonly string[];
}

/** `docklock vouch IMAGE...`: shows what would change, asks, signs and publishes. @returns the exit code */
export async function vouch(
  images: readonly string[],
  options: VouchOptions,
  out: NodeJS.WritableStream,
): Promise<number> {
  if (images.length === 0)
    throw new PublishError('expected images to vouch for, such as docker.io/library/nginx:1.27, got none');
  const seen = await openRepository(options.repository, options);
  const before = imagesOf(seen.repository, options.role);
  const found = await lookUp(images, before, options);
  for (const vouching of found) out.write(describe(vouching));
  for (const { image } of found) out.write(shadowNote(seen, options.role, image.path));
  const changed = found.filter(({ image, before: old }) => old?.digest !== image.target.digest);
  if (changed.length === 0) {
    out.write('All of it is vouched for already; nothing was signed.\n');
    return 0;
  }
  if (!(await confirm(`Vouch for ${count(changed.length)}?`, options.yes))) return notSigned(out);
  const result = await changing(options.repository, options, (publishing) => {
    requireSame(publishing, seen, options.role);
    return signImages(
      publishing,
      options.role,
      new Map([...before, ...changed.map(({ image }) => [image.path, image.target] as const)]),
    );
  });
  out.write(outcomeText(options.repository, result));
  return 0;
}

/** `docklock vouch --withdraw IMAGE...`: the upstream is not asked, it may be gone. @returns the exit code */
export async function withdraw(
  images: readonly string[],
  options: VouchOptions,
  out: NodeJS.WritableStream,
): Promise<number> {
  if (images.length === 0)
    throw new PublishError('expected images to withdraw, as docklock vouch --list shows them, got none');
  const seen = await openRepository(options.repository, options);
  const before = imagesOf(seen.repository, options.role);
  const paths = await withdrawnPaths(images, before, options);
  for (const path of paths) out.write(`${path}\n  withdrawn  ${before.get(path)?.digest}\n`);
  if (!(await confirm(`Withdraw ${count(paths.length)}?`, options.yes))) return notSigned(out);
  const result = await changing(options.repository, options, (publishing) => {
    requireSame(publishing, seen, options.role);
    return signImages(publishing, options.role, new Map([...before].filter(([path]) => !paths.includes(path))));
  });
  out.write(outcomeText(options.repository, result));
  return 0;
}

async function lookUp(
  images: readonly string[],
  before: ReadonlyMap<string, Target>,
  { config }: VouchOptions,
): Promise<readonly Vouching[]> {
  const source = await openImageSource(await readConfig(config));
  try {
    const found = new Map<string, Vouching>();
    for (const text of images) {
      const vouching = await lookUpOne(text, before, source);
      found.set(vouching.image.path, vouching);
    }
    return [...found.values()];
  } finally {
    await source.close();
  }
}

async function lookUpOne(text: string, before: ReadonlyMap<string, Target>, source: ImageSource): Promise<Vouching> {
  const { name, reference } = source.parse(text);
  const image = await findImage(source.upstream(name), name, reference);
  const signedBy = await source.signedBy(name, image.target.digest);
  return { image, before: before.get(image.path), signedBy };
}

async function withdrawnPaths(
  images: readonly string[],
  before: ReadonlyMap<string, Target>,
  { config, role }: VouchOptions,
): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const text of images) {
    // As it is listed; a short name takes the configuration to be made long.
    const path = before.has(text) ? text : await longName(text, config);
    if (!before.has(path)) throw new PublishError(`${path}: ${role} does not vouch for it; nothing was changed`);
    paths.push(path);
  }
  return [...new Set(paths)];
}

async function longName(text: string, config: string): Promise<string> {
  const source = await openImageSource(await readConfig(config));
  try {
    return source.pathOf(text);
  } finally {
    await source.close();
  }
}

/** What was shown and agreed to must be what is signed. */
function requireSame({ repository }: Publishing, seen: Publishing, role: string): void {
  const [now, then] = [signersOfTargets(repository, role).file, signersOfTargets(seen.repository, role).file];
  if (now?.body.version === then?.body.version) return;
  throw new PublishError('somebody else has signed this role while you were asked; nothing was changed, look again');
}

function describe({ image, before, signedBy }: Vouching): string {
  const { path, target, platforms, size, created } = image;
  const old =
    before === undefined ? 'new here' : before.digest === target.digest ? 'unchanged' : `was ${before.digest}`;
  const facts = [
    created === undefined ? 'created: unknown' : `created ${created}`,
    size === undefined ? 'size: unknown' : `${(size / 1e6).toFixed(1)} MB${platforms.length > 1 ? ' a platform' : ''}`,
    platforms.join(' '),
  ];
  const signers = signedBy.length === 0 ? ['no authority is configured that could tell who signed it'] : signedBy;
  return `${path}\n  ${target.digest}\n  ${old}\n  ${facts.join(', ')}\n${signers.map((line) => `  ${line}\n`).join('')}`;
}

function shadowNote({ repository }: Publishing, role: string, path: string): string {
  const decides = decidingRole(repository.targets.body, repository.delegated, path);
  if (role === 'targets' || decides === undefined || decides === role) return '';
  return `  note: ${decides} vouches for ${path} too and has the last word; yours counts once that is withdrawn\n`;
}

function notSigned(out: NodeJS.WritableStream): number {
  out.write('Nothing was signed.\n');
  return 1;
}

function count(images: number): string {
  return images === 1 ? 'this image' : `these ${images} images`;
}
