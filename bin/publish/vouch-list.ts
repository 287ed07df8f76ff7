import { readConfig } from '../../config/read.ts';
import { findLags, type Lag } from '../../publish/lag.ts';
import { digestOf } from '../../oci/digest.ts';
import { loadRepository } from '../../publish/load-repository.ts';
import { warnings } from '../../publish/refresh.ts';
import { RepositoryFolder } from '../../publish/repository-folder.ts';
import { vouchedImages } from '../../publish/vouched-images.ts';
import { openImageSource } from './image-source.ts';

export interface ListOptions {
  readonly repository: string;
  readonly config: string;
  readonly json: boolean;
}

/** `docklock vouch --list`. @returns the exit code */
export async function vouchList({ repository: dir, json }: ListOptions, out: NodeJS.WritableStream): Promise<number> {
  const folder = new RepositoryFolder(dir);
  const periods = await folder.periods();
  const repository = await loadRepository(folder);
  const images = vouchedImages(repository);
  if (json) {
    const rows = images.map(({ path, role, effective, target: { digest, length, custom } }) => ({
      image: path,
      digest,
      length,
      role,
      effective,
      ...custom,
    }));
    out.write(`${JSON.stringify(rows, null, 2)}\n`);
    return 0;
  }
  for (const { path, role, effective, target } of images) {
    out.write(
      `${path}\n  ${target.digest}  by ${role}${effective ? '' : ', without effect: another role has the last word'}\n`,
    );
  }
  if (images.length === 0) out.write(`${dir} vouches for nothing yet.\n`);
  for (const warning of warnings(repository, periods, new Date())) out.write(`warning: ${warning}\n`);
  return 0;
}

/** What scripts go by. */
export const DIFF_EXIT = { same: 0, lags: 1, unknown: 2 } as const;

/** `docklock vouch --diff`: which signed tags lag behind the upstream. @returns the exit code */
export async function vouchDiff(options: ListOptions, out: NodeJS.WritableStream): Promise<number> {
  const folder = new RepositoryFolder(options.repository);
  await folder.periods();
  const images = vouchedImages(await loadRepository(folder));
  const source = await openImageSource(await readConfig(options.config));
  try {
    const lags = await findLags(images, async (path) => {
      const { name, reference } = source.parse(path);
      const served = await source.upstream(name).manifest(name.repository, reference);
      return served === undefined ? undefined : digestOf(served.bytes);
    });
    out.write(options.json ? `${JSON.stringify(lags.map(record), null, 2)}\n` : lags.map(text).join(''));
    return exitCode(lags);
  } finally {
    await source.close();
  }
}

function exitCode(lags: readonly Lag[]): number {
  if (lags.some(({ state }) => state === 'moved' || state === 'gone')) return DIFF_EXIT.lags;
  return lags.some(({ state }) => state === 'unknown') ? DIFF_EXIT.unknown : DIFF_EXIT.same;
}

function record({ path, ...lag }: Lag): object {
  return { image: path, ...lag };
}

function text({ path, vouched, state, upstream, why }: Lag): string {
  switch (state) {
    case 'same':
      return `${path}: as upstream\n`;
    case 'moved':
      return `${path}: signed tag lags\n  vouched  ${vouched}\n  upstream ${upstream}\n`;
    case 'gone':
      return `${path}: gone upstream\n  vouched  ${vouched}\n`;
    case 'unknown':
      return `${path}: could not find out: ${why}\n`;
  }
}
