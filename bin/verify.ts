import { readConfig } from '../config/read.ts';
import type { Log } from '../oci/log.ts';
import { type ImageName, imageText, parseReference, type Reference } from '../oci/reference.ts';
import { RegistryError } from '../oci/registry-error.ts';
import { addressOf } from '../proxy/addressing.ts';
import { DeniedError, sentence } from '../proxy/denial.ts';
import { type Denied, refused, undetermined, type Verdict } from '../trust/verdict.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import { evidenceTree } from './evidence-tree.ts';
import { makeLog } from './log.ts';
import { addressesOf, openPulls } from './open-gateway.ts';

/** What scripts go by. */
export const VERIFY_EXIT: Record<Verdict['outcome'], number> = { admitted: 0, refused: 1, undetermined: 2 };

/** `docklock verify IMAGE`: the verdict that a pull would get now, with its evidence. @returns the exit code */
export async function verify(
  image: string,
  options: {
    readonly config: string;
    readonly json: boolean;
    readonly out: NodeJS.WritableStream;
    readonly colour: boolean;
  },
): Promise<number> {
  const config = await readConfig(options.config);
  const log: Log = makeLog('silent');
  const asked = parseImage(image);
  const found = await judged(image, async () => {
    const name = addressOf(addressesOf(config), { host: undefined, ns: undefined, path: asked.path });
    const pulls = await openPulls(config, log, () => new Date());
    try {
      return { image: imageText(name, asked.reference), ...(await pulled(pulls.part, name, asked.reference)) };
    } finally {
      await pulls.close();
    }
  });
  options.out.write(options.json ? `${JSON.stringify(record(found), null, 2)}\n` : text(found, options.colour));
  return VERIFY_EXIT[found.verdict.outcome];
}

interface Found {
  readonly image: string;
  readonly verdict: Verdict;
  readonly mediaType?: string;
}

async function pulled(
  pulls: Awaited<ReturnType<typeof openPulls>>['part'],
  name: ImageName,
  reference: Reference,
): Promise<Omit<Found, 'image'>> {
  const { manifest, verdict } = await pulls.pull(name, reference);
  return { verdict, mediaType: manifest.mediaType };
}

/** What denies a pull is here a verdict to print; an upstream that is out leaves the question open. */
async function judged(image: string, find: () => Promise<Found>): Promise<Found> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof DeniedError) return { image: error.image, verdict: error.verdict };
    if (error instanceof UpstreamError) return { image, verdict: undetermined('UPSTREAM_UNREACHABLE', error.message) };
    if (error instanceof RegistryError && error.code === 'MANIFEST_UNKNOWN') {
      return { image, verdict: refused('CONTENT_MISMATCH', error.message) };
    }
    throw error;
  }
}

function text({ image, verdict, mediaType }: Found, colour: boolean): string {
  const head =
    verdict.outcome === 'admitted'
      ? `${image}: admitted by ${verdict.rule}, ${verdict.digest}${mediaType === undefined ? '' : ` (${mediaType})`}\n`
      : `${sentence(image, verdict)}\n`;
  const warning = verdict.outcome === 'admitted' && verdict.warning !== undefined;
  const note = warning ? `  only because the rule warns: ${sentence(image, verdict.warning as Denied)}\n` : '';
  const until = verdict.outcome === 'admitted' ? `  valid until ${verdict.validUntil.toISOString()}\n` : '';
  return `${head}${note}${until}${evidenceTree(verdict.evidence, colour)}`;
}

function record({ image, verdict, mediaType }: Found): object {
  return { image, ...verdict, ...(mediaType === undefined ? {} : { mediaType }) };
}

/**
 * `[registry/]name[:tag][@digest]`, as people write it; a digest outweighs a tag, and no tag means `latest`.
 * @throws RegistryError TAG_INVALID, DIGEST_INVALID
 */
export function parseImage(text: string): { readonly path: string; readonly reference: Reference } {
  const [named = '', digest] = text.split('@', 2);
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  const path = tagged ? named.slice(0, colon) : named;
  const reference = parseReference(digest ?? (tagged ? named.slice(colon + 1) : 'latest'));
  return { path, reference };
}
