import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun, toolEnvironment } from './command.ts';
import { findStaticBusybox, requireTool } from './tool.ts';
import type { Workspace } from './workspace.ts';

/** What `docker import` is given so that running the image prints the file that tells one image from another. */
export const ENTRYPOINT = 'ENTRYPOINT ["/bin/busybox","cat","/message"]';

export interface ImageContent {
  /** Printed by a container of the image. */
  readonly message: string;
  /** Bytes of incompressible ballast, for transfers that take a while. */
  readonly ballast?: number;
}

/** Packs an image's root file system: one static program, and a message. Answers the path of the tar. */
export async function packImage(workspace: Workspace, content: ImageContent): Promise<string> {
  const busybox = findStaticBusybox();
  if (busybox.missing !== undefined) throw new Error(`expected a program for the image, ${busybox.missing}`);
  const folder = await workspace.folder('image');
  const root = join(folder, 'root');
  await mkdir(join(root, 'bin'), { recursive: true });
  await copyFile(busybox.path, join(root, 'bin/busybox'));
  await writeFile(join(root, 'message'), `${content.message}\n`);
  if (content.ballast !== undefined) await writeFile(join(root, 'ballast'), randomBytes(content.ballast));
  const archive = join(folder, 'root.tar');
  await mustRun(requireTool('tar'), ['--create', '--file', archive, '--directory', root, '.'], {
    env: toolEnvironment(folder),
  });
  return archive;
}
