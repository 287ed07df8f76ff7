import { writeFile } from 'node:fs/promises';

/**
 * The set-up of podman, skopeo and CRI-O that leaves no way round the gateway:
 * the upstream's name rewritten to a location on it, so there is no second place to ask.
 */
export async function writeRegistriesConf(path: string, image: string, gateway: string): Promise<void> {
  const upstream = image.slice(0, image.indexOf('/'));
  const location = `${gateway}/${upstream}`;
  await writeFile(
    path,
    `unqualified-search-registries = []\n[[registry]]\nprefix = "${upstream}"\nlocation = "${location}"\ninsecure = true\n`,
  );
}

/** Accepts every image: here it is the gateway that decides. */
export const ACCEPT_ANYTHING = JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] });
