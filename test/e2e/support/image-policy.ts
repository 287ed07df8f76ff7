import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Outcome, run, toolEnvironment } from './command.ts';
import { IMAGE_POLICY } from './go-program.ts';
import type { Workspace } from './workspace.ts';

/**
 * skopeo's own verifier: whether its policy.json takes an image from a registry, where the image must be signed by this key
 * under the registry's own name for the repository. containers/image, "containers-policy.json(5)", `sigstoreSigned`.
 */
export async function skopeoTakes(workspace: Workspace, image: string, publicKey: string): Promise<Outcome> {
  const tool = IMAGE_POLICY.find();
  if (tool.missing !== undefined) throw new Error(tool.missing);
  const folder = await workspace.folder('image-policy');
  // cosign signs no tag, so the tag cannot be asked for.
  const signed = { type: 'sigstoreSigned', keyPath: publicKey, signedIdentity: { type: 'matchRepository' } };
  const policy = { default: [{ type: 'reject' }], transports: { docker: { '': [signed] } } };
  await writeFile(join(folder, 'policy.json'), JSON.stringify(policy));
  const registries = join(folder, 'registries.d');
  await mkdir(registries);
  await writeFile(join(registries, 'default.yaml'), 'default-docker:\n  use-sigstore-attachments: true\n');
  return await run(tool.path, [join(folder, 'policy.json'), registries, image], { env: toolEnvironment(folder) });
}
