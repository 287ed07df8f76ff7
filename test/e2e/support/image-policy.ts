import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Outcome, run, toolEnvironment } from './command.ts';
import { IMAGE_POLICY } from './go-program.ts';
import type { Workspace } from './workspace.ts';

/** Who must have signed, and under which name: `127.0.0.1:5000/acme/app`. cosign signs no tag, so none can be asked for. */
export interface Signed {
  readonly publicKey: string;
  readonly repository: string;
}

/**
 * skopeo's own verifier: whether its policy.json takes an image from a registry, where it must be signed.
 * containers/image, "containers-policy.json(5)", `sigstoreSigned`.
 */
export async function skopeoTakes(
  workspace: Workspace,
  image: string,
  { publicKey, repository }: Signed,
): Promise<Outcome> {
  const tool = IMAGE_POLICY.find();
  if (tool.missing !== undefined) throw new Error(tool.missing);
  const folder = await workspace.folder('image-policy');
  const signedIdentity = { type: 'exactRepository', dockerRepository: repository };
  const signed = { type: 'sigstoreSigned', keyPath: publicKey, signedIdentity };
  const policy = { default: [{ type: 'reject' }], transports: { docker: { '': [signed] } } };
  await writeFile(join(folder, 'policy.json'), JSON.stringify(policy));
  const registries = join(folder, 'registries.d');
  await mkdir(registries);
  await writeFile(join(registries, 'default.yaml'), 'default-docker:\n  use-sigstore-attachments: true\n');
  return await run(tool.path, [join(folder, 'policy.json'), registries, image], { env: toolEnvironment(folder) });
}
