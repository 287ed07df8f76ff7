import type { Digest } from '../oci/digest.ts';
import { messageOf } from './publish-error.ts';
import type { VouchedImage } from './vouched-images.ts';

/** How a vouched tag stands against what the upstream has under it now. */
export interface Lag {
  readonly path: string;
  readonly role: string;
  readonly vouched: Digest;
  /** `moved`: the signed tag lags behind; `gone`: the upstream has no such tag; `unknown`: it could not be asked. */
  readonly state: 'same' | 'moved' | 'gone' | 'unknown';
  readonly upstream?: Digest;
  readonly why?: string;
}

/** The digest of what the upstream has, by the bytes it sends; undefined when it has nothing there. Throws when it cannot be asked. */
export type AskUpstream = (path: string) => Promise<Digest | undefined>;

/** Registries limit who asks too fast. */
const AT_ONCE = 4;

/** Compares each vouched tag with the upstream; digests cannot move and are left out. Never throws for an upstream. */
export async function findLags(images: readonly VouchedImage[], ask: AskUpstream): Promise<readonly Lag[]> {
  const tags = images.filter(({ path, effective }) => effective && !path.includes('@'));
  const lags = new Map<string, Lag>();
  const left = tags.values();
  const work = async () => {
    for (const image of left) lags.set(image.path, await lagOf(image, ask));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return tags.flatMap(({ path }) => lags.get(path) ?? []);
}

async function lagOf({ path, role, target: { digest } }: VouchedImage, ask: AskUpstream): Promise<Lag> {
  const known = { path, role, vouched: digest };
  try {
    const upstream = await ask(path);
    if (upstream === undefined) return { ...known, state: 'gone' };
    return { ...known, state: upstream === digest ? 'same' : 'moved', upstream };
  } catch (error) {
    return { ...known, state: 'unknown', why: messageOf(error) };
  }
}
